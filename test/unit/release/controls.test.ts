/** What a person decides about a release, in every phase. */
import { describe, expect, test } from 'vitest';
import { NO_FIGURES } from '../../../src/core/release/ledger.ts';
import type { VersionPhase } from '../../../src/core/release/state.ts';
import { type Happening, Machine } from './machine.ts';
import { spec } from './specs.ts';

type Control = 'promote' | 'pause' | 'resume' | 'rollback';
const control = (kind: Control, reason: string | null = null): Happening => ({ kind, id: 'v', reason });

function machineIn(phase: VersionPhase): Machine {
  const machine = new Machine();
  machine.put('old', spec('INSTANT', { version: '1' }));
  const mode = phase === 'releasing' ? 'GRADUAL' : 'INSTANT';
  const put: Happening = {
    kind: 'put',
    id: 'v',
    spec: spec(mode, { version: phase === 'standby' ? '0' : '2' }),
    origin: 'rest',
  };
  if (phase === 'starting') machine.step(put);
  else machine.happen(put);
  if (phase === 'stable') machine.happen({ kind: 'regret-over', id: 'v' });
  if (phase === 'failed') machine.fail('v', 'blamed', 5);
  if (phase === 'draining' || phase === 'retired') machine.happen({ kind: 'delete', id: 'v' });
  if (phase === 'retired') machine.happen({ kind: 'drained', id: 'v' });
  expect(machine.find('v')?.phase).toBe(phase);
  return machine;
}

const REFUSED = /^Version [02] \[10\.0\.0\.1:80\] (has failed|is (starting|stable|standby|draining|retired)): only /;

/** The phase it leads to, or the reason of the refusal. */
const RESULTS: Readonly<Record<VersionPhase, Readonly<Record<Control, VersionPhase | RegExp>>>> = {
  starting: { promote: REFUSED, pause: REFUSED, resume: REFUSED, rollback: 'failed' },
  releasing: { promote: 'watching', pause: 'releasing', resume: /is not paused$/, rollback: 'failed' },
  watching: { promote: 'stable', pause: 'watching', resume: /is not paused$/, rollback: 'failed' },
  stable: { promote: REFUSED, pause: REFUSED, resume: REFUSED, rollback: 'failed' },
  standby: { promote: REFUSED, pause: REFUSED, resume: REFUSED, rollback: REFUSED },
  draining: { promote: REFUSED, pause: REFUSED, resume: REFUSED, rollback: REFUSED },
  failed: { promote: REFUSED, pause: REFUSED, resume: REFUSED, rollback: REFUSED },
  retired: { promote: REFUSED, pause: REFUSED, resume: REFUSED, rollback: REFUSED },
};

describe.each(Object.entries(RESULTS) as [VersionPhase, (typeof RESULTS)['stable']][])('while %s', (phase, results) => {
  test.each(Object.entries(results) as [Control, VersionPhase | RegExp][])('%s', (kind, expected) => {
    const machine = machineIn(phase);
    const before = machine.state;
    const result = machine.happen(control(kind));
    if (typeof expected === 'string') {
      expect(result.kind).toBe('done');
      expect(machine.find('v')?.phase).toBe(expected);
    } else {
      expect(result).toMatchObject({ kind: 'rejected', because: 'conflict', reason: expect.stringMatching(expected) });
      expect(machine.state).toBe(before);
    }
  });
});

test.each(['promote', 'pause', 'resume', 'rollback'] as const)('%s of an unknown id', (kind) => {
  const happened = new Machine().happen({ kind, id: 'nobody', reason: null });
  expect(happened).toMatchObject({ because: 'unknown-id', reason: 'No cluster has the id nobody' });
});

describe('promote', () => {
  test('releases, then trusts; the reason is kept', () => {
    const machine = machineIn('releasing');
    machine.happen(control('promote', 'looks fine'));
    expect(machine.find('v')).toMatchObject({ phase: 'watching', reason: 'It was promoted by hand: looks fine' });
    expect(machine.published()?.routes[0]).toMatchObject({ released: true, onTrial: true });
    machine.happen(control('promote'));
    expect(machine.phases()).toBe('v:stable old:standby');
    expect(machine.state.ledger[0]).toMatchObject({ decision: 'stable', rule: 'promote' });
  });

  test('goes before the verdict and ends a pause', () => {
    const machine = machineIn('releasing');
    machine.fail('v', 'blamed');
    machine.happen(control('pause'));
    machine.happen(control('promote'));
    expect(machine.find('v')).toMatchObject({
      phase: 'watching',
      trial: { paused: false, verdict: { kind: 'inconclusive' } },
    });
  });
});

describe('pause', () => {
  test('freezes the ramp until it is resumed', () => {
    const machine = machineIn('releasing');
    machine.happen(control('pause', 'lunch'));
    expect(machine.logged()).toEqual(['NOTICE The release of version 2 [10.0.0.1:80] is paused by hand: lunch']);
    expect(machine.happen(control('pause'))).toMatchObject({
      because: 'conflict',
      reason: expect.stringMatching(/is paused already$/),
    });
    expect(machine.happen({ kind: 'answered', id: 'v', count: 1 })).toMatchObject({ because: 'not-due' });
    machine.happen(control('resume'));
    machine.happen({ kind: 'answered', id: 'v', count: 1 });
    expect(machine.find('v')?.threshold).toBe(2);
  });

  test.each([
    ['SESSION', { kind: 'quiet', id: 'v' }],
    ['CONCURRENT', { kind: 'counted', id: 'v', requests: 9 }],
    ['INSTANT', { kind: 'regret-over', id: 'v' }],
  ] as const)('%s does not end meanwhile', (mode, event) => {
    const machine = new Machine();
    machine.put('old', spec('INSTANT', { version: '1' }));
    machine.put('v', spec(mode, { version: '2', promoteAfterRequests: 5 }));
    machine.happen(control('pause'));
    expect(machine.happen(event)).toMatchObject({ because: 'not-due' });
    machine.happen(control('resume'));
    expect(machine.happen(event)).toMatchObject({ kind: 'done' });
  });

  test('leaves the verdict running', () => {
    const machine = machineIn('releasing');
    machine.happen(control('pause'));
    machine.fail('v', 'blamed', 5);
    expect(machine.phases()).toBe('v:failed old:stable');
  });
});

test('rollback fails the candidate, and the older version is left', () => {
  const machine = machineIn('watching');
  machine.happen(control('rollback', 'ugly colours'));
  expect(machine.phases()).toBe('v:failed old:stable');
  expect(machine.find('v')?.reason).toBe('It was rolled back by hand: ugly colours');
  expect(machine.state.ledger[0]).toMatchObject({ decision: 'failed', rule: 'rollback' });
});

test('rollback of a stable version has an entry of its own in the ledger, and the log has its line with the reason', () => {
  const machine = machineIn('stable');
  const { sinceMs } = machine.find('v') ?? {};
  machine.happen(control('rollback', 'ugly colours'));
  expect(machine.phases()).toBe('v:failed old:stable');
  const entry = { decision: 'failed', rule: 'rollback', reason: 'It was rolled back by hand: ugly colours' };
  expect(machine.state.ledger).toMatchObject([
    { ...entry, against: '1', begunMs: sinceMs, decidedMs: machine.atMs },
    { decision: 'stable', rule: 'regret-window' },
  ]);
  expect(machine.logged()).toContainEqual(
    expect.stringMatching(/^WARNING Release of .* failed by rule rollback: It was rolled back by hand: ugly colours;/),
  );
  machine.measure('v', { figures: { ...NO_FIGURES, requests: 2 } });
  expect(machine.state.ledger.map(({ counts }) => counts.requests)).toEqual([2, 0]);
});

test.each([
  ['failed', 'has failed: only a version on trial or the stable one can be rolled back'],
  ['standby', 'is standby: only a version on trial or the stable one can be rolled back'],
] as const)('the refusal to roll back a version that is %s says which can be', (phase, reason) => {
  expect(machineIn(phase).happen(control('rollback'))).toMatchObject({ reason: expect.stringContaining(reason) });
});

test('rollback of a version that is starting: it has served nobody and is removed from nowhere', () => {
  const machine = machineIn('starting');
  machine.happen(control('rollback'));
  expect(machine.phases()).toBe('v:failed old:stable');
  expect(machine.logged().some((text) => text.includes('Removing cluster'))).toBe(false);
  expect(machine.published()).toBeUndefined();
});
