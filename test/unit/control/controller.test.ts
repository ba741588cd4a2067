import { describe, expect, test, vi } from 'vitest';
import type { ClusterSpec } from '../../../src/core/config/model.ts';
import { spec } from '../release/specs.ts';
import { settled, World } from './fakes.ts';

async function started(...puts: readonly ClusterSpec[]): Promise<World> {
  const world = new World();
  await world.controller.start(spec('INSTANT', { version: '1', servers: ['10.0.0.1:80'] }));
  for (const cluster of puts) await world.controller.submit({ kind: 'put', spec: cluster, origin: 'rest' });
  return world;
}

const next = (mode: Parameters<typeof spec>[0], options: Parameters<typeof spec>[1] = {}) =>
  spec(mode, { version: '2', servers: ['10.0.0.2:80'], ...options });

describe('commands', () => {
  test('start and PUT are in force when they are answered, with the id that was drawn', async () => {
    const world = await started();
    expect(world.dataPlane.chain()).toEqual(['id-1']);
    const put = { kind: 'put', spec: next('INSTANT'), origin: 'rest' } as const;
    expect(await world.controller.submit(put)).toEqual({ kind: 'accepted', id: 'id-2' });
    expect(world.dataPlane.chain()).toEqual(['id-2', 'id-1']);
    expect(world.dataPlane.tables.map(({ number }) => number)).toEqual([1, 2]);
  });

  test('the id asked for is taken; one in use is a conflict that changes nothing', async () => {
    const world = await started(next('INSTANT', { uuid: 'mine' }));
    const tables = world.dataPlane.tables.length;
    const put = { kind: 'put', spec: next('INSTANT', { uuid: 'mine' }), origin: 'rest' } as const;
    expect(await world.controller.submit(put)).toEqual({
      kind: 'refused',
      because: 'conflict',
      reason: 'The uuid mine is in use by version 2',
    });
    expect(world.dataPlane.tables).toHaveLength(tables);
  });

  test('DELETE: unknown id, last version, and one that goes', async () => {
    const world = await started(next('INSTANT'));
    const remove = (id: string) => world.controller.submit({ kind: 'delete', id });
    expect(await remove('nobody')).toMatchObject({ kind: 'refused', because: 'unknown-id' });
    expect(await remove('id-2')).toEqual({ kind: 'accepted', id: 'id-2' });
    expect(world.dataPlane.chain()).toEqual(['id-1']);
    expect(await remove('id-2')).toMatchObject({ kind: 'refused', because: 'unknown-id' });
    expect(await remove('id-1')).toMatchObject({ kind: 'refused', because: 'conflict' });
  });

  test('are worked through one after the other: of two with the same id one wins', async () => {
    const world = await started();
    const put = { kind: 'put', spec: next('INSTANT', { uuid: 'mine' }), origin: 'rest' } as const;
    const results = await Promise.all([1, 2, 3].map(() => world.controller.submit(put)));
    expect(results.map(({ kind }) => kind)).toEqual(['accepted', 'refused', 'refused']);
  });

  test('nothing is in force before it is durable', async () => {
    const world = await started();
    const { promise, resolve } = Promise.withResolvers<void>();
    world.store.gate = promise;
    const answer = world.controller.submit({ kind: 'put', spec: next('INSTANT'), origin: 'rest' });
    await settled();
    expect(world.dataPlane.chain()).toEqual(['id-1']);
    resolve();
    await answer;
    expect(world.dataPlane.chain()).toEqual(['id-2', 'id-1']);
  });

  test('a state that can not be kept refuses the command with the reason; what is in force stays', async () => {
    const world = await started();
    vi.spyOn(world.store, 'save').mockRejectedValueOnce(new Error('No space left'));
    const put = { kind: 'put', spec: next('INSTANT'), origin: 'rest' } as const;
    expect(await world.controller.submit(put)).toEqual({
      kind: 'refused',
      because: 'storage',
      reason: 'No space left',
    });
    expect(world.log.lines).toContain('WARNING The put is refused: No space left');
    expect(world.dataPlane.chain()).toEqual(['id-1']);
    expect(world.controller.list()).toHaveLength(1);
    expect(await world.controller.submit(put)).toMatchObject({ kind: 'accepted' });
  });

  test('after close they are refused, and no timer is left', async () => {
    const world = await started();
    world.controller.close();
    expect(await world.controller.submit({ kind: 'delete', id: 'id-1' })).toMatchObject({ because: 'internal' });
    expect(world.clock.pending).toBe(0);
  });
});

test('a new chain shares the routes that did not change', async () => {
  const world = await started(next('GRADUAL'));
  const [candidate, stable] = world.dataPlane.table.chain;
  await world.controller.submit({ kind: 'put', spec: next('INSTANT', { version: '3' }), origin: 'rest' });
  expect(world.dataPlane.table.chain[1]).toBe(candidate);
  expect(world.dataPlane.table.chain[2]).toBe(stable);
  await world.controller.submit({ kind: 'delete', id: 'id-1' });
  expect(world.dataPlane.table.chain[1]).toMatchObject({ id: 'id-2', released: true, onTrial: false });
});

describe('views', () => {
  test('show live versions, newest first, keys in the order of the wire', async () => {
    const world = await started(next('GRADUAL'));
    expect(JSON.stringify(world.controller.list())).toBe(
      '[{"cluster":{"servers":[{"hostname":"10.0.0.2","port":80}],"upgradeTransition":{"mode":"GRADUAL"},"uuid":"id-2","version":"2"}},' +
        '{"cluster":{"servers":[{"hostname":"10.0.0.1","port":80}],"upgradeTransition":{"mode":"INSTANT"},"uuid":"id-1","version":"1"}}]',
    );
    expect(world.controller.find('id-2')).toEqual(world.controller.list()[0]);
    world.dataPlane.of('id-2').inFlight = 1;
    await world.controller.submit({ kind: 'delete', id: 'id-2' });
    expect(world.controller.find('id-2')).toBeUndefined();
    expect(world.controller.list()).toHaveLength(1);
  });
});

describe('GRADUAL', () => {
  test('an answer raises the threshold before the outcome returns', async () => {
    const world = await started(next('GRADUAL', { percentagePerRequest: 10 }));
    expect(world.dataPlane.table.thresholds).toEqual([10, 0]);
    const { chain, number } = world.dataPlane.table;
    world.report('id-1', 'answered');
    expect(world.dataPlane.table).toMatchObject({ number: number + 1, thresholds: [20, 0] });
    world.report('id-2', 'answered');
    expect(world.dataPlane.table.thresholds).toEqual([30, 0]);
    expect(world.dataPlane.table.chain).toBe(chain);
    expect(world.store.noted?.versions[0]?.threshold).toBe(30);
  });

  test.each([
    ['a replay', { direct: false }],
    ['one that does not count', { counts: false }],
    ['one of another epoch', { epoch: 99 }],
    ['one of an unknown version', { versionId: 'gone' }],
  ])('%s raises nothing', async (_, more) => {
    const world = await started(next('GRADUAL'));
    const before = world.dataPlane.table;
    world.report('id-1', 'answered', more);
    expect(world.dataPlane.table).toBe(before);
  });

  test('a failed attempt raises nothing', async () => {
    const world = await started(next('GRADUAL'));
    const before = world.dataPlane.table;
    for (const kind of ['server-error', 'reset', 'cut', 'abandoned', 'response-timeout'] as const)
      world.report('id-1', kind);
    expect(world.dataPlane.table).toBe(before);
  });

  test('at 100 % it is released, and answers mean nothing any more', async () => {
    const world = await started(next('GRADUAL', { percentagePerRequest: 50 }));
    world.report('id-1', 'answered');
    world.report('id-1', 'answered');
    await settled();
    expect(world.phaseOf('id-2')).toBe('watching');
    const before = world.dataPlane.table;
    expect(before.chain[0]).toMatchObject({ id: 'id-2', released: true });
    world.report('id-1', 'answered');
    expect(world.dataPlane.table).toBe(before);
  });

  test('answers that come while a command is being stored are not lost', async () => {
    const world = await started(next('GRADUAL', { percentagePerRequest: 10 }));
    const { promise, resolve } = Promise.withResolvers<void>();
    world.store.gate = promise;
    const answer = world.controller.submit({ kind: 'put', spec: spec('INSTANT', { version: '0' }), origin: 'rest' });
    await settled();
    world.report('id-1', 'answered');
    world.report('id-1', 'answered');
    expect(world.dataPlane.table.thresholds).toEqual([10, 0]);
    resolve();
    await answer;
    await settled();
    expect(world.dataPlane.table.thresholds).toEqual([30, 0, 0]);
  });
});

describe('time', () => {
  test('the regret window: watching becomes stable, the replaced version standby', async () => {
    const world = await started(next('INSTANT', { regretWindowMs: 10_000 }));
    await world.clock.pass(9_000);
    expect(world.phaseOf('id-2')).toBe('watching');
    await world.clock.pass(2_000);
    expect(world.phaseOf('id-2')).toBe('stable');
    expect(world.phaseOf('id-1')).toBe('standby');
    expect(world.dataPlane.table.chain[0]).toMatchObject({ id: 'id-2', onTrial: false });
  });

  test('the regret window begins with the release, not with the PUT', async () => {
    const world = await started(next('SESSION', { sessionTimeoutS: 5, regretWindowMs: 10_000 }));
    await world.clock.pass(14_000);
    expect(world.phaseOf('id-2')).toBe('watching');
    await world.clock.pass(3_000);
    expect(world.phaseOf('id-2')).toBe('stable');
  });

  test('SESSION is released when no older session came for its timeout', async () => {
    const world = await started(next('SESSION', { sessionTimeoutS: 5 }));
    for (let i = 0; i < 4; i += 1) {
      await world.clock.pass(4_000);
      world.dataPlane.of('id-2').olderSessions += 1;
    }
    await world.clock.pass(4_000);
    expect(world.phaseOf('id-2')).toBe('releasing');
    await world.clock.pass(3_000);
    expect(world.phaseOf('id-2')).toBe('watching');
  });

  test('CONCURRENT is released after promoteAfter requests', async () => {
    const world = await started();
    world.dataPlane.of('id-2').attempts = 100;
    await world.controller.submit({
      kind: 'put',
      spec: next('CONCURRENT', { promoteAfterRequests: 10 }),
      origin: 'rest',
    });
    world.dataPlane.of('id-2').attempts = 109;
    await world.clock.pass(5_000);
    expect(world.phaseOf('id-2')).toBe('releasing');
    world.dataPlane.of('id-2').attempts = 110;
    await world.clock.pass(1_000);
    expect(world.phaseOf('id-2')).toBe('watching');
  });

  test.each(['inFlight', 'tunnels'] as const)('a deleted version drains until it has no %s', async (figure) => {
    const world = await started(next('INSTANT'));
    world.dataPlane.of('id-2')[figure] = 1;
    await world.controller.submit({ kind: 'delete', id: 'id-2' });
    await world.clock.pass(60_000);
    expect(world.phaseOf('id-2')).toBe('draining');
    world.dataPlane.of('id-2')[figure] = 0;
    await world.clock.pass(1_000);
    expect(world.phaseOf('id-2')).toBe('retired');
  });
});

test('a command is answered once its table is in force everywhere; until then nothing is found drained', async () => {
  const world = await started();
  const { promise: inForce, resolve: acknowledge } = Promise.withResolvers<void>();
  world.dataPlane.gate = inForce;
  let answered = false;
  const putting = world.controller.submit({ kind: 'put', spec: next('INSTANT'), origin: 'rest' }).then(() => {
    answered = true;
  });
  await world.clock.pass(500);
  expect([world.dataPlane.chain(), answered]).toEqual([['id-2', 'id-1'], false]);
  acknowledge();
  await putting;
  const { promise: gone, resolve: acknowledgeAgain } = Promise.withResolvers<void>();
  world.dataPlane.gate = gone;
  const deleting = world.controller.submit({ kind: 'delete', id: 'id-2' });
  await world.clock.pass(1000);
  // What a worker had in flight is known when it has the table.
  world.dataPlane.of('id-2').inFlight = 1;
  acknowledgeAgain();
  await deleting;
  await world.clock.pass(1000);
  expect([world.dataPlane.chain(), world.phaseOf('id-2')]).toEqual([['id-1'], 'draining']);
});
