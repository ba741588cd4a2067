import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCandidate, isLive, type ReleaseState, serves, type VersionState } from '../../../src/core/release/state.ts';
import { fail, happenings } from './happenings.ts';
import { Machine } from './machine.ts';
import { spec } from './specs.ts';

const gradual = (version: string) => spec('GRADUAL', { version });
const instant = (version: string) => spec('INSTANT', { version });

function machine(...puts: readonly [string, ReturnType<typeof spec>][]): Machine {
  const made = new Machine();
  made.put('a', instant('1'));
  for (const [id, cluster] of puts) made.put(id, cluster);
  return made;
}

describe('a PUT during a release', () => {
  test('overtakes it: it keeps its place, and its threshold is frozen', () => {
    const m = machine(['b', gradual('2')]);
    m.happen({ kind: 'answered', id: 'b', count: 9 });
    m.put('c', gradual('3'));
    expect(m.phases()).toBe('c:releasing b:releasing a:stable');
    expect(m.published()?.thresholds).toEqual([1, 10, 0]);
    expect(m.happen({ kind: 'answered', id: 'b', count: 1 })).toMatchObject({ kind: 'rejected', because: 'not-due' });
    m.happen({ kind: 'answered', id: 'c', count: 1 });
    expect(m.state.versions.map(({ threshold }) => threshold)).toEqual([2, 10, 0]);
  });

  test.each(['delete', 'fail'])('goes on where it stood when the newer version is gone (%s)', (how) => {
    const m = machine(['b', gradual('2')], ['c', gradual('3')]);
    m.happen(how === 'fail' ? fail('c') : { kind: 'delete', id: 'c' });
    m.happen({ kind: 'answered', id: 'b', count: 1 });
    expect(m.find('b')).toMatchObject({ phase: 'releasing', threshold: 2 });
  });

  test('an overtaken SESSION stands still too; an overtaken watch goes on', () => {
    const m = machine(['b', spec('SESSION', { version: '2' })], ['c', gradual('3')]);
    expect(m.happen({ kind: 'quiet', id: 'b' })).toMatchObject({ because: 'not-due' });
    const n = machine(['b', instant('2')], ['c', gradual('3')]);
    n.happen({ kind: 'regret-over', id: 'b' });
    expect(n.phases()).toBe('c:releasing b:stable a:standby');
  });

  test('when the newest is stable, everything older is standby, overtaken releases too', () => {
    const m = machine(['b', gradual('2')], ['c', instant('3')]);
    m.happen({ kind: 'regret-over', id: 'c' });
    expect(m.phases()).toBe('c:stable b:standby a:standby');
    expect(m.published()?.routes.every((route) => route.released && !route.onTrial && !route.dormant)).toBe(true);
  });
});

describe('a PUT between a release and the stable version', () => {
  test('is dormant: it would else take what the candidate passes on', () => {
    const m = machine(['c', gradual('3')], ['b', instant('2')]);
    expect(m.phases()).toBe('c:releasing b:standby a:stable');
    expect(m.published()?.routes.map(({ id, dormant }) => [id, dormant])).toEqual([
      ['c', false],
      ['b', true],
      ['a', false],
    ]);
  });

  test.each(['delete', 'fail'])('begins its own release when it comes to be the newest (%s)', (how) => {
    const m = machine(['c', gradual('3')], ['b', gradual('2')], ['b2', instant('2.1')]);
    m.happen(how === 'fail' ? fail('c') : { kind: 'delete', id: 'c' });
    expect(m.phases()).toContain('b2:watching b:standby a:stable');
    expect(m.logged()).toContainEqual('NOTICE Version 2.1 [10.0.0.1:80] is the newest now: its release begins');
    m.happen({ kind: 'delete', id: 'b2' });
    expect(m.phases()).toContain('b:releasing a:stable');
  });

  test('is standby like any other once the newer version is stable', () => {
    const m = machine(['c', instant('3')], ['b', instant('2')]);
    m.happen({ kind: 'regret-over', id: 'c' });
    expect(m.phases()).toBe('c:stable b:standby a:standby');
    expect(m.published()?.routes[1]).toMatchObject({ id: 'b', dormant: false });
  });
});

describe('DELETE', () => {
  test('of a candidate leaves the table at once and drains; its neighbours stay', () => {
    const m = machine(['b', gradual('2')]);
    m.happen({ kind: 'delete', id: 'b' });
    expect(m.phases()).toBe('b:draining a:stable');
    expect(m.published()?.routes.map(({ id }) => id)).toEqual(['a']);
    m.happen({ kind: 'drained', id: 'b' });
    expect(m.phases()).toBe('b:retired a:stable');
  });

  test('of the stable version: the newest trusted standby is stable, the candidate stays on trial', () => {
    const m = machine(['b', instant('2')]);
    m.happen({ kind: 'regret-over', id: 'b' });
    m.put('c', gradual('3'));
    m.happen({ kind: 'delete', id: 'b' });
    expect(m.phases()).toBe('c:releasing b:draining a:stable');
  });

  test('of the stable version under its only candidate: nothing is left to try it against, it is stable', () => {
    const m = machine(['b', gradual('2')]);
    m.happen({ kind: 'delete', id: 'a' });
    expect(m.phases()).toBe('b:stable a:draining');
    expect(m.published()?.routes).toMatchObject([{ id: 'b', released: true, onTrial: false }]);
  });

  test('of the stable version under two candidates: the older one is stable, the newer one stays on trial', () => {
    const m = machine(['b', gradual('2')], ['c', gradual('3')]);
    m.happen({ kind: 'delete', id: 'a' });
    expect(m.phases()).toBe('c:releasing b:stable a:draining');
  });

  test('of the stable version over an untried one and a trusted one: the trusted one is stable, the untried one is released', () => {
    const m = machine(['c', instant('3')]);
    m.happen({ kind: 'regret-over', id: 'c' });
    m.put('b', gradual('2'));
    m.happen({ kind: 'delete', id: 'c' });
    expect(m.phases()).toBe('c:draining b:releasing a:stable');
  });

  test('of the stable version over untried ones only: the newest of them is stable', () => {
    const m = new Machine();
    m.put('c', instant('3'));
    m.put('a', instant('1'));
    m.put('b', instant('2'));
    m.happen({ kind: 'delete', id: 'c' });
    expect(m.phases()).toBe('c:draining b:stable a:standby');
  });

  test('of the last version that serves is refused, and nothing changes', () => {
    const m = machine(['b', gradual('2')]);
    m.happen({ kind: 'delete', id: 'b' });
    const before = m.state;
    expect(m.happen({ kind: 'delete', id: 'a' })).toMatchObject({
      kind: 'rejected',
      because: 'conflict',
      reason: 'Version 1 [10.0.0.1:80] is the last one that serves',
    });
    expect(m.state).toBe(before);
  });
});

/** A trial for candidates and for nobody else, an exit for what has left. */
function expectWhole({ versions, ledger }: ReleaseState): void {
  for (const version of versions) {
    expect(version.trial !== null, version.phase).toBe(isCandidate(version));
    expect(version.exit === null, version.phase).toBe(isLive(version));
  }
  for (const entry of ledger) expect(entry.decidedMs).toBeGreaterThanOrEqual(entry.begunMs);
}

function expectOrder(versions: readonly VersionState[]): void {
  const live = versions.filter(isLive);
  const serving = versions.filter(serves);
  if (serving.length === 0) return;
  const stable = serving.filter(({ phase }) => phase === 'stable');
  expect(stable).toHaveLength(1);
  expect(stable[0]).toBe(serving.find(({ trusted }) => trusted));
  const rank = serving.indexOf(stable[0] as VersionState);
  expect(serving.slice(rank + 1).every(({ phase }) => phase === 'standby')).toBe(true);
  expect(serving.slice(0, rank).every((version) => isCandidate(version) || version.phase === 'standby')).toBe(true);
  expect(live[0]?.phase).not.toBe('standby');
}

test('whatever happens: one stable version, the newest trusted one; below it standbys; the newest is never a standby; something serves', () => {
  fc.assert(
    fc.property(happenings, (list) => {
      const m = machine();
      for (const event of list) {
        const before = m.state;
        const result = m.happen(event);
        if (result.kind === 'rejected') expect(m.state).toBe(before);
        expect(m.state.versions.some(serves)).toBe(true);
        expectOrder(m.state.versions);
        expectWhole(m.state);
        const published = result.kind === 'done' ? m.published() : undefined;
        if (published !== undefined) {
          expect(published.routes.map((route) => route.id)).toEqual(
            m.state.versions.filter(serves).map((version) => version.id),
          );
        }
      }
    }),
  );
});
