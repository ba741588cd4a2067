import { expect, test } from 'vitest';
import { Keeper } from '../../../src/control/keeper.ts';
import { reservedThreshold } from '../../../src/core/release/ramp.ts';
import type { ReleaseState, VersionState } from '../../../src/core/release/state.ts';
import { releasing } from '../store/states.ts';
import { settled, World } from './fakes.ts';

function keeping(current: ReleaseState) {
  const { store } = new World();
  store.keeps = 'everything';
  return { store, keeper: new Keeper(store, () => current) };
}

const versionAt = (threshold: number): VersionState => ({ ...releasing(1).version, threshold });

test('counters that are written later do not lower what was reserved', async () => {
  const { store, keeper } = keeping(releasing(1, 3).state);
  await keeper.save(releasing(1, 40).state);
  keeper.note();
  expect(store.noted?.versions[0]).toMatchObject({ raises: 3, threshold: 47 });
});

test('a threshold is covered only by what is durable', async () => {
  const { store, keeper } = keeping(releasing(1).state);
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const saves = [10, 40].map((answered, index) => {
    store.gate = gates[index]?.promise ?? Promise.resolve();
    return keeper.save(releasing(1, answered).state);
  });
  expect(keeper.covers(versionAt(2))).toBe(false);
  gates[0]?.resolve();
  await saves[0];
  expect([keeper.covers(versionAt(17)), keeper.covers(versionAt(18))]).toEqual([true, false]);
  gates[1]?.resolve();
  await saves[1];
  expect([keeper.covers(versionAt(47)), keeper.covers(versionAt(48))]).toEqual([true, false]);
});

test('what was reserved belongs to one release: the next one of the same version begins anew', async () => {
  const { store, keeper } = keeping(releasing(1).state);
  await keeper.save(releasing(1, 40).state);
  const again = { ...versionAt(1), epoch: 77 };
  expect(keeper.covers(again)).toBe(false);
  const { state } = releasing(1);
  await keeper.save({ ...state, versions: [again, ...state.versions.slice(1)] });
  expect(store.saved.at(-1)?.versions[0]).toMatchObject({ epoch: 77, threshold: 7 });
  await settled();
});

test('no reserve is lower than the threshold in force', () => {
  expect(reservedThreshold({ ...versionAt(50), raises: 0 })).toBe(50);
  expect(reservedThreshold({ ...versionAt(1), phase: 'watching' })).toBe(1);
});
