import { describe, expect, test } from 'vitest';
import { NO_FIGURES } from '../../../src/core/release/ledger.ts';
import type { VersionPhase } from '../../../src/core/release/state.ts';
import { type Happening, Machine } from './machine.ts';
import { launchedContainer, launchedNow, spec } from './specs.ts';

const WATCHED = { kind: 'regret-over' } as const;

/** A machine whose version `v` is in this phase, over a stable version `old` where something older serves. */
function machineIn(phase: VersionPhase | 'absent'): Machine {
  const machine = new Machine();
  machine.put('old', spec('INSTANT', { version: '1' }));
  if (phase === 'absent') return machine;
  const put: Happening = { kind: 'put', id: 'v', spec: spec('INSTANT', { version: '2' }), origin: 'rest' };
  if (phase === 'standby') machine.put('v', spec('INSTANT', { version: '0' }));
  else if (phase === 'releasing') machine.put('v', spec('GRADUAL', { version: '2' }));
  else if (phase === 'starting') machine.step(put);
  else machine.happen(put);
  if (phase === 'stable') machine.happen({ ...WATCHED, id: 'v' });
  if (phase === 'failed') machine.happen(failedProbe('v'));
  if (phase === 'draining' || phase === 'retired') machine.happen({ kind: 'delete', id: 'v' });
  if (phase === 'retired') machine.happen({ kind: 'drained', id: 'v' });
  return machine;
}

const failedProbe = (id: string): Happening => ({
  kind: 'probed',
  id,
  servers: 1,
  failures: ['dial tcp 10.0.0.1:80: connection refused'],
  olderAnswers: 'old',
});

const EVENTS: readonly Happening[] = [
  { kind: 'put', id: 'v', spec: spec('INSTANT', { version: '2' }), origin: 'rest' },
  { kind: 'delete', id: 'v' },
  { kind: 'ready', id: 'v' },
  { kind: 'answered', id: 'v', count: 1 },
  { kind: 'quiet', id: 'v' },
  { kind: 'counted', id: 'v', requests: 10 },
  { kind: 'unready', id: 'v', reason: 'its server was not ready' },
  { kind: 'finding', id: 'v', finding: 'blamed', server: '10.0.0.1:80' },
  { kind: 'measured', id: 'v', answers: 1, figures: NO_FIGURES, older: null, olderAnswers: null },
  { kind: 'served', id: 'v', requests: 1, failures: 0, unpaired: 0 },
  { kind: 'promote', id: 'v', reason: null },
  { kind: 'pause', id: 'v', reason: null },
  { kind: 'resume', id: 'v', reason: null },
  { kind: 'rollback', id: 'v', reason: null },
  { kind: 'drain-over', id: 'v', what: 'exchanges' },
  { kind: 'forgiven', id: 'v', server: '10.0.0.1:80' },
  failedProbe('v'),
  { ...WATCHED, id: 'v' },
  { kind: 'drained', id: 'v' },
  launchedNow('v', launchedContainer('10.0.0.9:80')),
  { kind: 'launch-failed', id: 'v', reason: 'no such image', output: [] },
  { kind: 'container-down', id: 'v', reason: 'it exited', output: [] },
  { kind: 'output', id: 'v', output: ['bye'] },
  { kind: 'seen', id: 'v', digests: ['sha256:1'] },
];

/** These belong to a version, not to an epoch of it. */
const OF_CONTAINERS = ['launched', 'launch-failed', 'container-down', 'output', 'seen'];

const CONTROLS = ['promote', 'pause', 'resume', 'rollback'];
const ON_TRIAL = ['delete', 'launched', 'forgiven', 'probed', 'finding', 'measured', ...CONTROLS];
const LEAVING = ['output', 'drained', 'drain-over', 'finding', 'measured'];

const LISTED: Readonly<Record<VersionPhase | 'absent', readonly string[]>> = {
  absent: ['put'],
  starting: ['delete', 'ready', 'rollback', 'unready', 'launched', 'launch-failed', 'container-down'],
  releasing: [...ON_TRIAL, 'answered', 'quiet', 'counted'],
  watching: [...ON_TRIAL, 'regret-over', 'seen'],
  stable: ['delete', 'served', 'seen', 'launched', 'rollback'],
  standby: ['delete', 'served', 'launched', 'launch-failed'],
  draining: LEAVING,
  failed: [...LEAVING, 'put'],
  retired: ['put', 'output'],
};

describe('the table', () => {
  for (const [phase, listed] of Object.entries(LISTED) as [VersionPhase | 'absent', readonly string[]][]) {
    for (const event of EVENTS) {
      if (listed.includes(event.kind)) continue;
      test(`${event.kind} while ${phase} is rejected and changes nothing`, () => {
        const machine = machineIn(phase);
        const before = machine.state;
        const result = machine.step(event);
        const of: Readonly<Record<string, string>> = { put: 'conflict', delete: 'unknown-id' };
        const control = (phase as string) === 'absent' ? 'unknown-id' : 'conflict';
        const because = CONTROLS.includes(event.kind) ? control : (of[event.kind] ?? 'unlisted');
        expect(result).toMatchObject({ kind: 'rejected', because });
        expect(machine.state).toBe(before);
      });
    }
    test(`while ${phase}, each listed event is known`, () => {
      for (const event of EVENTS.filter(({ kind }) => listed.includes(kind))) {
        const result = machineIn(phase).step(event);
        if (result.kind === 'rejected') expect(result.because).toBe(event.kind === 'resume' ? 'conflict' : 'not-due');
      }
    });
  }

  test.each(
    EVENTS.filter(
      ({ kind }) => !['put', 'delete', 'drained', 'drain-over', ...CONTROLS, ...OF_CONTAINERS].includes(kind),
    ),
  )('$kind of another epoch is stale and changes nothing', (event) => {
    for (const phase of ['starting', 'releasing', 'watching'] as const) {
      const machine = machineIn(phase);
      const before = machine.state;
      const result = machine.step({ ...event, epoch: (machine.find('v')?.epoch ?? 0) - 1 } as Happening);
      expect(result).toMatchObject({
        kind: 'rejected',
        because: LISTED[phase].includes(event.kind) ? 'stale' : 'unlisted',
      });
      expect(machine.state).toBe(before);
    }
  });
});

describe('PUT', () => {
  test('with nothing serving, the version is trusted at once', () => {
    const machine = new Machine();
    machine.step({ kind: 'put', id: 'a', spec: spec('GRADUAL'), origin: 'file' });
    expect(machine.phases()).toBe('a:stable');
    expect(machine.published()?.routes).toMatchObject([{ id: 'a', released: true, onTrial: false }]);
    expect(machine.logged()).toEqual([]);
  });

  test('shows at INFO what was received, as the thesis does', () => {
    const machine = machineIn('absent');
    const cluster = spec('SESSION', { version: '3.9.2', servers: ['192.168.50.40:80'] });
    machine.put('v', { ...cluster, shownTransition: { mode: 'SESSION', sessionTimeout: 60 } });
    expect(machine.logged()[0]).toBe(
      [
        'INFO Received new cluster configuration:',
        '{',
        '  "cluster": {',
        '    "servers": [',
        '      {',
        '        "hostname": "192.168.50.40",',
        '        "port": 80',
        '      }',
        '    ],',
        '    "version": "3.9.2",',
        '    "upgradeTransition": {',
        '      "mode": "SESSION",',
        '      "sessionTimeout": 60',
        '    }',
        '  }',
        '}',
      ].join('\n'),
    );
  });

  test('INSTANT releases at once, is watched, and is stable after its regret window; the old version becomes standby', () => {
    const machine = machineIn('watching');
    expect(machine.phases()).toBe('v:watching old:stable');
    expect(machine.published()?.routes).toMatchObject([
      { id: 'v', released: true, onTrial: true },
      { id: 'old', released: true, onTrial: false },
    ]);
    machine.happen({ ...WATCHED, id: 'v' });
    expect(machine.phases()).toBe('v:stable old:standby');
    expect(machine.published()?.routes).toMatchObject([
      { id: 'v', onTrial: false },
      { id: 'old', onTrial: false, dormant: false },
    ]);
  });

  test.each(['SESSION', 'GRADUAL', 'CONCURRENT'] as const)('%s takes its time', (mode) => {
    const machine = machineIn('absent');
    machine.put('v', spec(mode, { version: '2', percentagePerRequest: 2 }));
    expect(machine.phases()).toBe('v:releasing old:stable');
    expect(machine.published()).toMatchObject({
      routes: [{ id: 'v', released: false, onTrial: true, mode }, { id: 'old' }],
      thresholds: [mode === 'GRADUAL' ? 2 : 0, 0],
    });
  });

  test('below the newest it is standby, with a WARNING that it takes no new traffic', () => {
    const machine = machineIn('standby');
    expect(machine.phases()).toBe('old:stable v:standby');
    expect(machine.logged()).toContainEqual(
      'WARNING Version 0 [10.0.0.1:80] takes no new traffic: it ranks below the newest version 1 [10.0.0.1:80]',
    );
  });

  test('a version that ranks alike is the newer one', () => {
    const machine = machineIn('absent');
    machine.put('v', spec('INSTANT', { version: '1.0' }));
    expect(machine.phases()).toBe('v:watching old:stable');
  });

  test('CONCURRENT without methods warns that writes are duplicated', () => {
    const machine = machineIn('absent');
    machine.put('v', spec('CONCURRENT', { version: '2', versions: 3 }));
    expect(machine.logged().filter((line) => line.startsWith('WARNING'))).toEqual([
      expect.stringContaining('writes are duplicated to 3 versions'),
    ]);
    machine.put('w', spec('CONCURRENT', { version: '3', duplicatedMethods: ['GET'] }));
    expect(machine.logged().filter((line) => line.startsWith('WARNING'))).toEqual([]);
  });

  test('the id of a failed or retired version may be used again', () => {
    for (const phase of ['failed', 'retired'] as const) {
      const machine = machineIn(phase);
      const epoch = machine.find('v')?.epoch ?? 0;
      machine.put('v', spec('INSTANT', { version: '5' }));
      expect(machine.phases()).toBe('v:watching old:stable');
      expect(machine.find('v')?.epoch).toBeGreaterThan(epoch);
    }
  });

  test('the last hundred finished versions are remembered', () => {
    const machine = machineIn('absent');
    for (let i = 0; i < 105; i += 1) {
      machine.put(`v${i}`, spec('INSTANT', { version: '2' }));
      machine.happen(failedProbe(`v${i}`));
    }
    expect(machine.state.versions).toHaveLength(101);
    expect(machine.find('v4')).toBeUndefined();
    expect(machine.find('v5')?.phase).toBe('failed');
  });
});

describe('the state', () => {
  test('is one JSON document', () => {
    for (const phase of Object.keys(LISTED) as VersionPhase[]) {
      const { state } = machineIn(phase);
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    }
  });
});

describe('releases move on', () => {
  test('GRADUAL: every answer raises the threshold, and 100 % releases', () => {
    const machine = machineIn('absent');
    machine.put('v', spec('GRADUAL', { version: '2', percentagePerRequest: 30 }));
    machine.happen({ kind: 'answered', id: 'v', count: 1 });
    expect(machine.effects).toEqual([{ kind: 'raise', id: 'v', threshold: 60 }]);
    machine.happen({ kind: 'answered', id: 'v', count: 1 });
    machine.happen({ kind: 'answered', id: 'v', count: 1 });
    expect(machine.find('v')).toMatchObject({ phase: 'watching', threshold: 100, raises: 3 });
    expect(machine.published()?.routes[0]).toMatchObject({ id: 'v', released: true });
  });

  test('GRADUAL: decimals do not drift', () => {
    const machine = machineIn('absent');
    machine.put('v', spec('GRADUAL', { version: '2', percentagePerRequest: 0.1 }));
    for (let i = 0; i < 29; i += 1) machine.happen({ kind: 'answered', id: 'v', count: 1 });
    expect(machine.find('v')?.threshold).toBe(3);
    machine.happen({ kind: 'answered', id: 'v', count: 970 });
    expect(machine.find('v')?.phase).toBe('watching');
  });

  test('GRADUAL at 100 % per request is released at once', () => {
    const machine = machineIn('absent');
    machine.put('v', spec('GRADUAL', { version: '2', percentagePerRequest: 100 }));
    expect(machine.phases()).toBe('v:watching old:stable');
  });

  test('SESSION is released by quiet, CONCURRENT by enough requests, neither by the events of another mode', () => {
    const machine = machineIn('absent');
    machine.put('v', spec('SESSION', { version: '2' }));
    expect(machine.happen({ kind: 'answered', id: 'v', count: 1 })).toMatchObject({ because: 'not-due' });
    expect(machine.happen({ kind: 'counted', id: 'v', requests: 99 })).toMatchObject({ because: 'not-due' });
    machine.happen({ kind: 'quiet', id: 'v' });
    expect(machine.phases()).toBe('v:watching old:stable');

    machine.put('w', spec('CONCURRENT', { version: '3', promoteAfterRequests: 10 }));
    expect(machine.happen({ kind: 'quiet', id: 'w' })).toMatchObject({ because: 'not-due' });
    expect(machine.happen({ kind: 'counted', id: 'w', requests: 9 })).toMatchObject({ because: 'not-due' });
    machine.happen({ kind: 'counted', id: 'w', requests: 10 });
    expect(machine.phases()).toBe('w:watching v:watching old:stable');
  });

  test('CONCURRENT without promoteAfter is never released by requests', () => {
    const machine = machineIn('absent');
    machine.put('v', spec('CONCURRENT', { version: '2' }));
    expect(machine.happen({ kind: 'counted', id: 'v', requests: 1e9 })).toMatchObject({ because: 'not-due' });
  });
});

test('the epoch changes when a trial begins and ends, not within it', () => {
  const machine = machineIn('absent');
  const epochs: (number | undefined)[] = [];
  const note = () => epochs.push(machine.find('v')?.epoch);
  machine.step({ kind: 'put', id: 'v', spec: spec('SESSION', { version: '2' }), origin: 'rest' });
  note();
  machine.happen({ kind: 'ready', id: 'v' });
  note();
  machine.happen({ kind: 'quiet', id: 'v' });
  note();
  machine.happen({ ...WATCHED, id: 'v' });
  note();
  expect(epochs).toEqual([3, 3, 3, 4]);
  expect(machine.published()?.routes[0]?.epoch).toBe(4);
});

describe('removal', () => {
  const probe = (failures: number, servers: number, olderAnswers: string | null = 'old'): Happening => ({
    kind: 'probed',
    id: 'v',
    servers,
    failures: Array.from({ length: failures }, () => 'dial tcp 10.0.0.1:80: connection refused'),
    olderAnswers,
  });

  test.each(['releasing', 'watching'] as const)('more than half of the servers of a version that is %s', (phase) => {
    const machine = machineIn(phase);
    machine.happen(probe(2, 3));
    expect(machine.phases()).toBe('v:failed old:stable');
    expect(machine.find('v')?.reason).toContain('2 of its 3 servers are ejected');
    expect(machine.published()?.routes.map(({ id }) => id)).toEqual(['old']);
    expect(machine.logged()).toContainEqual('WARNING Removing cluster from configuration - version: 2 [10.0.0.1:80]');
  });

  test('the log names all servers', () => {
    const machine = machineIn('absent');
    machine.put('v', spec('INSTANT', { version: '3.9.2', servers: ['192.168.50.40:80', '192.168.50.41:80'] }));
    machine.happen(probe(2, 2));
    expect(machine.logged()).toContainEqual(
      'WARNING Removing cluster from configuration - version: 3.9.2 [192.168.50.40:80, 192.168.50.41:80]',
    );
  });

  test.each([
    ['half of its servers', probe(1, 2)],
    ['none of its servers', probe(0, 1)],
    ['all of them, but nothing older answers', probe(2, 2, null)],
  ])('nothing happens when the probe fails on %s', (_, event) => {
    const machine = machineIn('watching');
    const before = machine.state;
    expect(machine.happen(event)).toMatchObject({ kind: 'rejected', because: 'not-due' });
    expect(machine.state).toBe(before);
  });
});
