/** The awkward cases, each with its one answer. */
import { describe, expect, test } from 'vitest';
import { restore } from '../../../src/core/release/restore.ts';
import { Machine } from './machine.ts';
import { spec } from './specs.ts';

function machine(): Machine {
  const made = new Machine();
  made.put('a', spec('INSTANT', { version: '1' }));
  made.put('b', spec('GRADUAL', { version: '2' }));
  return made;
}

describe('a version that is PUT again', () => {
  test('with the same id, while it lives: a conflict, nothing changes', () => {
    const m = machine();
    const before = m.state;
    expect(m.put('b', spec('GRADUAL', { version: '2' }))).toMatchObject({ kind: 'rejected', because: 'conflict' });
    expect(m.state).toBe(before);
  });

  test('with the same id, while it drains: a conflict; once it is gone: a new release from the start', () => {
    const m = machine();
    m.happen({ kind: 'answered', id: 'b', count: 5 });
    m.happen({ kind: 'delete', id: 'b' });
    expect(m.put('b', spec('GRADUAL', { version: '2' }))).toMatchObject({ because: 'conflict' });
    m.happen({ kind: 'drained', id: 'b' });
    m.put('b', spec('GRADUAL', { version: '2' }));
    expect(m.find('b')).toMatchObject({ phase: 'releasing', threshold: 1, raises: 0 });
  });

  test('with the same spec under a new id: it ranks as the newer one and overtakes', () => {
    const m = machine();
    m.put('c', spec('GRADUAL', { version: '2' }));
    expect(m.phases()).toBe('c:releasing b:releasing a:stable');
  });

  test('after it failed: nothing of its old evidence is left', () => {
    const m = machine();
    m.fail('b', 'blamed', 5);
    m.put('b', spec('GRADUAL', { version: '2' }));
    expect(m.find('b')?.trial).toMatchObject({ verdict: { kind: 'clean' }, evidence: { blamed: 0 } });
    expect(m.find('b')?.exit).toBeNull();
  });
});

test('deleted in mid-release: the older version is left, the ledger says so', () => {
  const m = machine();
  m.fail('b', 'blamed', 2);
  m.happen({ kind: 'delete', id: 'b' });
  expect(m.phases()).toBe('b:draining a:stable');
  expect(m.state.ledger[0]).toMatchObject({ decision: 'retired', rule: 'delete', counts: { blamed: 2 } });
});

test('put below the newest in mid-release: it takes no traffic, is not judged, and the release goes on', () => {
  const m = machine();
  m.put('between', spec('INSTANT', { version: '1.5' }));
  expect(m.phases()).toBe('b:releasing between:standby a:stable');
  expect(m.find('between')?.trial).toBeNull();
  m.measure('b', { older: { id: 'a', requests: 400, failures: 0, unpaired: 0 } });
  expect(m.find('b')?.trial?.baseline.source).toBe('release');
  m.fail('b', 'blamed', 5);
  expect(m.phases()).toBe('b:failed between:watching a:stable');
});

describe('whose older version vanishes', () => {
  test('the only one: nothing is left to try it against, it is stable, whatever its verdict', () => {
    const m = machine();
    m.fail('b', 'unpaired', 5);
    m.happen({ kind: 'delete', id: 'a' });
    expect(m.phases()).toBe('b:stable a:draining');
    expect(m.state.ledger[0]).toMatchObject({
      decision: 'stable',
      rule: 'nothing-older',
      verdict: { kind: 'guilty' },
      against: null,
    });
  });

  test('one of two: the trial goes on against the other', () => {
    const m = machine();
    m.put('c', spec('GRADUAL', { version: '3' }));
    m.happen({ kind: 'delete', id: 'b' });
    expect(m.phases()).toBe('c:releasing b:draining a:stable');
    m.fail('c', 'blamed', 5);
    expect(m.phases()).toBe('c:failed b:draining a:stable');
  });
});

describe('in progress at restart', () => {
  /** What another process finds: the same document, and nothing in flight. */
  function restarted(m: Machine): Machine {
    const next = new Machine();
    next.state = JSON.parse(JSON.stringify(m.state));
    next.atMs = m.atMs + 60_000;
    next.effects = restore(next.state);
    return next;
  }

  test('starting: it is prepared again and released only then', () => {
    const m = new Machine();
    m.put('a', spec('INSTANT', { version: '1' }));
    m.step({ kind: 'put', id: 'b', spec: spec('INSTANT', { version: '2' }), origin: 'rest' });
    const again = restarted(m);
    expect(again.effects).toContainEqual(expect.objectContaining({ kind: 'prepare', id: 'b' }));
    expect(again.published()?.routes.map(({ id }) => id)).toEqual(['a']);
    again.happen({ kind: 'ready', id: 'b' });
    expect(again.phases()).toBe('b:watching a:stable');
  });

  test('releasing: it serves at once, with its threshold, its evidence, its verdict and its pause', () => {
    const m = machine();
    m.happen({ kind: 'answered', id: 'b', count: 9 });
    m.fail('b', 'blamed', 4);
    m.happen({ kind: 'pause', id: 'b', reason: null });
    const again = restarted(m);
    expect(again.published()).toMatchObject({
      routes: [{ id: 'b', released: false, onTrial: true }, { id: 'a' }],
      thresholds: [10, 0],
    });
    expect(again.find('b')?.trial).toEqual(m.find('b')?.trial);
    again.fail('b', 'blamed');
    expect(again.phases()).toBe('b:failed a:stable');
  });

  test('watching: it is watched on, and taken back like before', () => {
    const m = machine();
    m.happen({ kind: 'promote', id: 'b', reason: null });
    const again = restarted(m);
    expect(again.published()?.routes[0]).toMatchObject({ id: 'b', released: true, onTrial: true });
    again.fail('b', 'blamed', 5);
    expect(again.phases()).toBe('b:failed a:stable');
  });

  test.each([
    ['draining', 'retired', { kind: 'delete', id: 'b' }],
    ['failed', 'failed', { kind: 'rollback', id: 'b', reason: null }],
  ] as const)('%s: it is out, and over as soon as it is looked at', (_, last, end) => {
    const m = machine();
    m.happen(end);
    const again = restarted(m);
    expect(again.published()?.routes.map(({ id }) => id)).toEqual(['a']);
    again.happen({ kind: 'drained', id: 'b' });
    expect(again.find('b')).toMatchObject({ phase: last, exit: { over: true } });
  });

  test('what was decided stays decided', () => {
    const m = machine();
    m.fail('b', 'blamed', 5);
    const again = restarted(m);
    expect(again.phases()).toBe('b:failed a:stable');
    expect(again.state.ledger).toEqual(m.state.ledger);
  });
});
