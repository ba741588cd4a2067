/** Versions that leave: deleted, failed, in time and too late. */
import { describe, expect, test } from 'vitest';
import { type Happening, Machine } from './machine.ts';
import { spec } from './specs.ts';

const ENDS: readonly Happening[] = [
  { kind: 'delete', id: 'v' },
  { kind: 'rollback', id: 'v', reason: null },
];

function leaving(end: Happening): Machine {
  const machine = new Machine();
  machine.put('old', spec('INSTANT', { version: '1' }));
  machine.put('v', spec('INSTANT', { version: '2' }));
  machine.happen(end);
  return machine;
}

describe.each(ENDS)('after $kind', (end) => {
  const phase = end.kind === 'delete' ? 'draining' : 'failed';

  test('it is out of the table at once, and drains', () => {
    const machine = leaving(end);
    expect(machine.find('v')).toMatchObject({ phase, exit: { cut: [], over: false } });
    expect(machine.published()).toMatchObject({ routes: [{ id: 'old' }], cut: [] });
  });

  test('what takes too long is ordered to be cut, exchanges and tunnels each once', () => {
    const machine = leaving(end);
    machine.happen({ kind: 'drain-over', id: 'v', what: 'exchanges' });
    expect(machine.published()?.cut).toEqual([{ versionId: 'v', what: 'exchanges' }]);
    expect(machine.logged()).toEqual([
      'WARNING Version 2 [10.0.0.1:80] has not drained in time: its exchanges in flight are cut',
    ]);
    expect(machine.happen({ kind: 'drain-over', id: 'v', what: 'exchanges' })).toMatchObject({ because: 'not-due' });
    machine.happen({ kind: 'drain-over', id: 'v', what: 'tunnels' });
    expect(machine.published()?.cut).toEqual([
      { versionId: 'v', what: 'exchanges' },
      { versionId: 'v', what: 'tunnels' },
    ]);
  });

  test('idle, it is over: a deleted version is retired, a failed one stays failed', () => {
    const machine = leaving(end);
    machine.happen({ kind: 'drain-over', id: 'v', what: 'exchanges' });
    machine.happen({ kind: 'drained', id: 'v' });
    const last = end.kind === 'delete' ? 'retired' : 'failed';
    expect(machine.find('v')).toMatchObject({ phase: last, exit: { cut: [], over: true } });
    expect(machine.step({ kind: 'drained', id: 'v' }).kind).toBe('rejected');
    machine.put('w', spec('INSTANT', { version: '3' }));
    expect(machine.published()?.cut).toEqual([]);
  });
});

test('a version deleted before it served has nothing to drain', () => {
  const machine = new Machine();
  machine.put('old', spec('INSTANT', { version: '1' }));
  machine.step({ kind: 'put', id: 'v', spec: spec('INSTANT', { version: '2' }), origin: 'rest' });
  machine.step({ kind: 'delete', id: 'v' });
  expect(machine.find('v')).toMatchObject({ phase: 'retired', exit: { over: true } });
});
