/** Versions that are given by containers: what the machine wants started and stopped, and when. */
import { describe, expect, test } from 'vitest';
import type { Effect } from '../../../src/core/release/effects.ts';
import { comesAnew, restore } from '../../../src/core/release/restore.ts';
import { Machine } from './machine.ts';
import { inContainers, launchedContainer, launchedNow, spec } from './specs.ts';

const ADDRESS: Readonly<Record<string, string>> = { a: '127.0.0.1:4001', b: '127.0.0.1:4002', c: '127.0.0.1:4003' };

function launch(m: Machine, id: string, server = ADDRESS[id] as string): void {
  m.run(id, launchedContainer(server));
}

const wanted = (m: Machine, kind: Effect['kind']): readonly string[] =>
  m.effects.flatMap((effect) => (effect.kind === kind && 'id' in effect ? [effect.id] : []));

/** `a` is stable, in a container. */
function stable(): Machine {
  const m = new Machine();
  m.put('a', inContainers('INSTANT', { version: '1' }));
  launch(m, 'a');
  return m;
}

/** `b` has been stable for a moment, and `a` drains. */
function replaced(): Machine {
  const m = stable();
  m.put('b', inContainers('INSTANT', { version: '2' }));
  launch(m, 'b');
  m.happen({ kind: 'regret-over', id: 'b' });
  return m;
}

describe('the first version', () => {
  test('is started, passes the gate, and is trusted then: nothing else serves', () => {
    const m = new Machine();
    m.put('a', inContainers('GRADUAL', { version: '1' }));
    expect(m.phases()).toBe('a:starting');
    expect(wanted(m, 'launch')).toEqual(['a']);
    m.step(launchedNow('a', launchedContainer('127.0.0.1:4001')));
    expect(m.phases()).toBe('a:starting');
    expect(wanted(m, 'prepare')).toEqual(['a']);
    expect(m.published()).toBeUndefined();
    m.happen({ kind: 'ready', id: 'a' });
    expect(m.phases()).toBe('a:stable');
    expect(m.published()?.routes.map(({ servers }) => servers.map(({ key }) => key))).toEqual([[ADDRESS.a]]);
  });

  test('of two that start, whichever is ready first serves; an older one leaves when it is too late', () => {
    const first = new Machine();
    first.put('a', inContainers('INSTANT', { version: '1' }));
    first.put('b', inContainers('GRADUAL', { version: '2' }));
    launch(first, 'a');
    expect(first.phases()).toBe('b:starting a:stable');
    launch(first, 'b');
    expect(first.phases()).toBe('b:releasing a:stable');
    const late = new Machine();
    late.put('a', inContainers('INSTANT', { version: '1' }));
    late.put('b', inContainers('GRADUAL', { version: '2' }));
    late.step(launchedNow('a', launchedContainer('127.0.0.1:4001')));
    launch(late, 'b');
    expect(late.phases()).toBe('b:stable a:draining');
    expect(late.published()?.routes.map(({ id }) => id)).toEqual(['b']);
  });

  test('that comes up again waits until it is ready, whatever is put meanwhile', () => {
    const m = stable();
    m.step(launchedNow('a', launchedContainer('127.0.0.1:5000')));
    m.put('low', spec('INSTANT', { version: '0.5' }));
    m.put('b', spec('GRADUAL', { version: '2' }));
    expect(m.phases()).toBe('b:releasing a:starting low:stable');
    m.happen({ kind: 'ready', id: 'a' });
    expect(m.phases()).toBe('b:releasing a:stable low:standby');
  });

  test('that was put below, and is found running when nothing else serves, passes the gate', () => {
    const m = stable();
    m.put('low', inContainers('INSTANT', { version: '0.5' }));
    m.step(launchedNow('a', launchedContainer('127.0.0.1:5000')));
    m.step({ kind: 'launched', id: 'low', containers: [launchedContainer('127.0.0.1:5001')], started: [] });
    expect(m.phases()).toBe('a:starting low:starting');
  });

  test('that comes up again, with nothing else there, passes the gate again, and the ledger has no release more', () => {
    const m = stable();
    const { ledger } = m.state;
    m.step(launchedNow('a', launchedContainer('127.0.0.1:5000')));
    expect(m.phases()).toBe('a:starting');
    expect(m.published()?.routes).toEqual([]);
    m.happen({ kind: 'ready', id: 'a' });
    expect(m.phases()).toBe('a:stable');
    expect(m.state.ledger).toEqual(ledger);
  });

  test('that can not be started has failed, with an ERROR', () => {
    const m = new Machine();
    m.put('a', inContainers('INSTANT', { version: '1' }));
    m.happen({ kind: 'launch-failed', id: 'a', reason: 'no such image', output: ['bye'] });
    expect(m.phases()).toBe('a:failed');
    expect(m.logged().join('\n')).toMatch(
      /^ERROR .*1 \[app:1\] could not be started, and nothing serves: no such image$/m,
    );
    expect(m.state.ledger[0]).toMatchObject({ rule: 'not-launched', output: ['bye'] });
  });
});

describe('a candidate', () => {
  test('passes the gate once it runs', () => {
    const m = stable();
    m.step({ kind: 'put', id: 'b', spec: inContainers('GRADUAL', { version: '2' }), origin: 'rest' });
    expect(wanted(m, 'prepare')).toEqual([]);
    m.step(launchedNow('b', launchedContainer('127.0.0.1:4002')));
    expect(m.phases()).toBe('b:starting a:stable');
    expect(m.effects.find(({ kind }) => kind === 'prepare')).toMatchObject({ servers: [{ port: 4002 }] });
    m.happen({ kind: 'ready', id: 'b' });
    expect(m.phases()).toBe('b:releasing a:stable');
  });

  test('whose container ends at the gate has failed, and is stopped when nothing of it is in flight', () => {
    const m = stable();
    m.step({ kind: 'put', id: 'b', spec: inContainers('INSTANT', { version: '2' }), origin: 'rest' });
    m.happen({ kind: 'container-down', id: 'b', reason: 'container "x" exited with code 3', output: ['why'] });
    expect(m.find('b')).toMatchObject({
      phase: 'failed',
      reason: 'It served nobody: container "x" exited with code 3',
    });
    expect(m.state.ledger[0]).toMatchObject({ rule: 'not-ready', output: ['why'] });
    expect(wanted(m, 'stop')).toEqual([]);
    m.happen({ kind: 'drained', id: 'b' });
    expect(wanted(m, 'stop')).toEqual(['b']);
  });

  test('that is deleted while it starts is stopped at once', () => {
    const m = stable();
    m.step({ kind: 'put', id: 'b', spec: inContainers('INSTANT', { version: '2' }), origin: 'rest' });
    m.happen({ kind: 'delete', id: 'b' });
    expect(m.phases()).toBe('b:retired a:stable');
    expect(wanted(m, 'stop')).toEqual(['b']);
  });

  test('that was taken back keeps the output which is read before it is stopped', () => {
    const m = stable();
    m.put('b', inContainers('INSTANT', { version: '2' }));
    launch(m, 'b');
    m.fail('b', 'blamed', 5);
    m.happen({ kind: 'drained', id: 'b' });
    m.happen({ kind: 'output', id: 'b', output: ['panic'] });
    expect(m.state.ledger[0]).toMatchObject({ decision: 'failed', output: ['panic'] });
  });
});

describe('the version that was replaced', () => {
  test('leaves the table before it is told to stop, and is stopped once it has drained', () => {
    const m = replaced();
    expect(m.phases()).toBe('b:stable a:draining');
    expect(m.published()?.routes.map(({ id }) => id)).toEqual(['b']);
    expect(wanted(m, 'stop')).toEqual([]);
    m.happen({ kind: 'drained', id: 'a' });
    expect(wanted(m, 'stop')).toEqual(['a']);
    expect(m.find('a')).toMatchObject({
      phase: 'retired',
      spec: { servers: [] },
      launch: { containers: [{ slot: '0' }] },
    });
  });

  test('stays as standby when it is given by servers', () => {
    const m = new Machine();
    m.put('a', spec('INSTANT', { version: '1' }));
    m.put('b', inContainers('INSTANT', { version: '2' }));
    launch(m, 'b');
    m.happen({ kind: 'regret-over', id: 'b' });
    expect(m.phases()).toBe('b:stable a:standby');
  });

  test('below the newest it is started too, serves when that is deleted, and is no route before it runs', () => {
    const m = stable();
    m.put('low', inContainers('INSTANT', { version: '0.5' }));
    expect(m.phases()).toBe('a:stable low:standby');
    expect(wanted(m, 'launch')).toEqual(['low']);
    expect(m.happen({ kind: 'delete', id: 'a' })).toMatchObject({ because: 'conflict' });
    launch(m, 'low', '127.0.0.1:4009');
    expect(m.published()?.routes.map(({ id }) => id)).toEqual(['a', 'low']);
    m.happen({ kind: 'delete', id: 'a' });
    expect(m.phases()).toBe('a:draining low:stable');
  });
});

describe('found elsewhere after a restart of its container', () => {
  test('the table has the new place, and the release goes on', () => {
    const m = stable();
    m.put('b', inContainers('GRADUAL', { version: '2' }));
    launch(m, 'b');
    m.happen({ kind: 'answered', id: 'b', count: 4 });
    launch(m, 'b', '127.0.0.1:5000');
    expect(m.phases()).toBe('b:releasing a:stable');
    expect(m.published()).toMatchObject({ routes: [{ servers: [{ port: 5000 }] }, {}], thresholds: [5, 0] });
  });

  test('at the gate: what it has found at the old place is too late', () => {
    const m = new Machine();
    m.put('a', inContainers('INSTANT', { version: '1' }));
    m.step(launchedNow('a', launchedContainer('127.0.0.1:4001')));
    const epoch = m.find('a')?.epoch ?? -1;
    m.step(launchedNow('a', launchedContainer('127.0.0.1:5000')));
    expect(m.step({ kind: 'ready', id: 'a', epoch })).toMatchObject({ because: 'stale' });
    m.step({ kind: 'ready', id: 'a' });
    expect(m.published()).toMatchObject({ routes: [{ servers: [{ port: 5000 }] }] });
  });

  test('where nothing has changed nothing happens', () => {
    const m = stable();
    const containers = [launchedContainer(ADDRESS.a as string)];
    expect(m.happen({ kind: 'launched', id: 'a', containers, started: [] })).toMatchObject({ because: 'not-due' });
  });
});

describe('rollback of a stable version', () => {
  test('goes to the standby at once where there is one', () => {
    const m = new Machine();
    m.put('a', spec('INSTANT', { version: '1' }));
    m.put('b', spec('INSTANT', { version: '2' }));
    m.happen({ kind: 'regret-over', id: 'b' });
    m.happen({ kind: 'rollback', id: 'b', reason: 'slow' });
    expect(m.phases()).toBe('b:failed a:stable');
    expect(m.find('b')?.reason).toBe('It was rolled back by hand: slow');
  });

  test('else starts the previous version again from its recorded image, and leaves when that is ready', () => {
    const m = replaced();
    m.happen({ kind: 'drained', id: 'a' });
    m.step({ kind: 'rollback', id: 'b', reason: null });
    expect(m.phases()).toBe('b:stable a:starting');
    const before = { containers: [{ image: { digest: 'app@sha256:1' } }] };
    expect(m.effects.find(({ kind }) => kind === 'launch')).toMatchObject({ id: 'a', before });
    expect(m.step({ kind: 'rollback', id: 'b', reason: null })).toMatchObject({ because: 'conflict' });
    launch(m, 'a', '127.0.0.1:6000');
    expect(m.phases()).toBe('b:failed a:stable');
    expect(m.published()?.routes.map(({ id }) => id)).toEqual(['a']);
  });

  test('is kept before it is done: what comes to serve instead must be known after a crash', () => {
    const m = replaced();
    m.happen({ kind: 'drained', id: 'a' });
    m.step({ kind: 'rollback', id: 'b', reason: null });
    m.step(launchedNow('a', launchedContainer('127.0.0.1:6000')));
    const before = m.state;
    m.happen({ kind: 'ready', id: 'a' });
    expect(m.phases()).toBe('b:failed a:stable');
    expect(comesAnew('ready', before, m.state)).toBe(false);
    const candidate = stable();
    candidate.put('b', inContainers('INSTANT', { version: '2' }));
    launch(candidate, 'b');
    const trial = candidate.state;
    candidate.fail('b', 'blamed', 5);
    expect(comesAnew('finding', trial, candidate.state)).toBe(true);
  });

  test('stays where it is when that can not be started, and says so where there is none', () => {
    const m = replaced();
    m.happen({ kind: 'drained', id: 'a' });
    m.step({ kind: 'rollback', id: 'b', reason: null });
    m.happen({ kind: 'launch-failed', id: 'a', reason: 'the registry is away', output: [] });
    expect(m.phases()).toBe('b:stable a:failed');
    expect(m.happen({ kind: 'rollback', id: 'b', reason: null })).toMatchObject({
      because: 'conflict',
      reason: expect.stringContaining('has no earlier version that could be started again'),
    });
  });
});

test('after a restart: what lives is looked for, what is over is stopped, what is at the gate is started first', () => {
  const m = replaced();
  m.happen({ kind: 'drained', id: 'a' });
  m.step({ kind: 'put', id: 'c', spec: inContainers('INSTANT', { version: '3' }), origin: 'rest' });
  m.effects = restore(JSON.parse(JSON.stringify(m.state)));
  expect(wanted(m, 'launch')).toEqual(['c', 'b']);
  expect(wanted(m, 'stop')).toEqual(['a']);
  expect(wanted(m, 'prepare')).toEqual([]);
});
