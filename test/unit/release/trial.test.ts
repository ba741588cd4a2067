/** Versions on trial: evidence, verdict, hold, and the way back. */
import { describe, expect, test } from 'vitest';
import type { Mode } from '../../../src/core/config/model.ts';
import { Machine } from './machine.ts';
import { type SpecOptions, spec } from './specs.ts';

const MODES_WITH_TIME = ['SESSION', 'GRADUAL', 'CONCURRENT'] as const;

/** A candidate `v` over a stable version `old`. */
function trial(mode: Mode = 'GRADUAL', options: SpecOptions = {}): Machine {
  const machine = new Machine();
  machine.put('old', spec('INSTANT', { version: '1' }));
  machine.put('v', spec(mode, { version: '2', ...options }));
  return machine;
}

const probed = (olderAnswers: string | null, failures = 0) =>
  ({
    kind: 'probed',
    id: 'v',
    servers: 1,
    failures: Array.from({ length: failures }, () => 'refused'),
    olderAnswers,
  }) as const;

const served = (requests: number, failures = 0) => ({ requests, failures, unpaired: 0 });

function verdictOf(machine: Machine, id = 'v'): string | undefined {
  return machine.find(id)?.trial?.verdict.kind;
}

describe('guilty', () => {
  test.each(['releasing', 'watching'] as const)(
    'a version that is %s is taken back by blamed failures alone',
    (phase) => {
      const machine = trial(phase === 'releasing' ? 'GRADUAL' : 'INSTANT');
      machine.fail('v', 'blamed', 4);
      expect(machine.phases()).toBe(`v:${phase} old:stable`);
      machine.fail('v', 'blamed');
      expect(machine.phases()).toBe('v:failed old:stable');
      expect(machine.published()?.routes.map(({ id }) => id)).toEqual(['old']);
      expect(machine.find('v')).toMatchObject({ reason: 'It failed 5 requests in a row', trial: null });
      expect(machine.logged()[0]).toBe('WARNING Removing cluster from configuration - version: 2 [10.0.0.1:80]');
    },
  );

  test('unpaired failures prove nothing of the older version: it is probed first', () => {
    const machine = trial();
    machine.fail('v', 'unpaired', 5);
    expect(machine.phases()).toBe('v:releasing old:stable');
    expect(machine.effects).toMatchObject([{ kind: 'probe', id: 'v' }]);
    machine.happen(probed('old'));
    expect(machine.phases()).toBe('v:failed old:stable');
    expect(machine.state.ledger[0]).toMatchObject({ decision: 'failed', rule: 'consecutive' });
  });

  test('an older version that has just answered a request is proof enough', () => {
    const machine = trial();
    machine.fail('v', 'unpaired', 5);
    machine.measure('v', { olderAnswers: 'old' });
    expect(machine.phases()).toBe('v:failed old:stable');
  });

  test('with nothing to go back to it is an ERROR, once, and nothing is removed; each tick looks again', () => {
    const machine = trial();
    machine.fail('v', 'unpaired', 5);
    machine.happen(probed(null));
    expect(machine.logged()).toEqual([
      'ERROR Version 2 [10.0.0.1:80] is guilty by rule consecutive (It failed 5 requests in a row), and it stays: no older version answers',
    ]);
    machine.measure('v');
    expect(machine.effects).toMatchObject([{ kind: 'probe', id: 'v' }]);
    expect(machine.happen(probed(null))).toMatchObject({ kind: 'rejected', because: 'not-due' });
    expect(machine.phases()).toBe('v:releasing old:stable');
    machine.happen(probed('old'));
    expect(machine.phases()).toBe('v:failed old:stable');
  });

  test('no longer guilty when the probe comes: it stays, and a later guilt is said again', () => {
    const machine = trial();
    machine.fail('v', 'unpaired', 5);
    machine.happen(probed(null));
    machine.measure('v', { answers: 1 });
    expect(verdictOf(machine)).toBe('inconclusive');
    expect(machine.happen(probed('old'))).toMatchObject({ because: 'not-due' });
    machine.fail('v', 'unpaired', 5);
    machine.happen(probed(null));
    expect(machine.logged()).toHaveLength(1);
  });

  test('strict: the first failure is enough', () => {
    const strict = { ...spec('INSTANT').transition.verdict, preset: 'strict' } as const;
    const machine = trial('SESSION', { verdict: strict });
    machine.fail('v', 'blamed');
    expect(machine.state.ledger[0]).toMatchObject({ decision: 'failed', rule: 'strict' });
  });

  test('only a version on trial is removed', () => {
    const machine = trial('INSTANT');
    machine.happen({ kind: 'promote', id: 'v', reason: null });
    for (const id of ['v', 'old']) {
      expect(machine.happen({ kind: 'finding', id, finding: 'blamed', server: 's' })).toMatchObject({
        kind: 'rejected',
        because: 'unlisted',
      });
    }
  });

  test('findings of another epoch are no evidence', () => {
    const machine = trial();
    const before = machine.state;
    const epoch = (machine.find('v')?.epoch ?? 0) - 1;
    machine.happen({ kind: 'finding', id: 'v', epoch, finding: 'blamed', server: 's' });
    expect(machine.state).toBe(before);
  });

  test('what failed before the version answered in between is no row', () => {
    const machine = trial();
    for (let i = 0; i < 5; i += 1) {
      machine.fail('v', 'blamed');
      machine.measure('v', { answers: 1 });
    }
    expect(machine.phases()).toBe('v:releasing old:stable');
  });
});

describe('inconclusive holds', () => {
  test.each(MODES_WITH_TIME)('%s: nothing moves on until it is clean', (mode) => {
    const machine = trial(mode, { promoteAfterRequests: 10 });
    const move = {
      SESSION: { kind: 'quiet', id: 'v' },
      GRADUAL: { kind: 'answered', id: 'v', count: 100 },
      CONCURRENT: { kind: 'counted', id: 'v', requests: 10 },
    }[mode] as Parameters<Machine['happen']>[0];
    machine.fail('v', 'blamed');
    expect(verdictOf(machine)).toBe('inconclusive');
    expect(machine.logged()[0]).toMatch(/^INFO The release of version 2 \[10\.0\.0\.1:80\] is held: /);
    const before = machine.state;
    expect(machine.happen(move)).toMatchObject({ kind: 'rejected', because: 'not-due' });
    expect(machine.state).toBe(before);
    machine.fail('v', 'shared');
    expect(machine.logged()).toEqual([]);
    machine.measure('v', { answers: 5000 });
    expect(verdictOf(machine)).toBe('clean');
    expect(machine.logged()[0]).toMatch(/^INFO The release of version 2 \[10\.0\.0\.1:80\] goes on/);
    machine.happen(move);
    expect(machine.phases()).toBe('v:watching old:stable');
  });

  test('the regret window does not end', () => {
    const machine = trial('INSTANT');
    machine.fail('v', 'unpaired');
    expect(machine.happen({ kind: 'regret-over', id: 'v' })).toMatchObject({ because: 'not-due' });
    machine.measure('v', { answers: 5000 });
    machine.happen({ kind: 'regret-over', id: 'v' });
    expect(machine.phases()).toBe('v:stable old:standby');
  });

  test('what was answered while it was held does not count towards the threshold afterwards', () => {
    const machine = trial('GRADUAL', { percentagePerRequest: 1 });
    machine.fail('v', 'blamed');
    for (let i = 0; i < 50; i += 1) machine.happen({ kind: 'answered', id: 'v', count: 1 });
    machine.measure('v', { answers: 5000 });
    machine.happen({ kind: 'answered', id: 'v', count: 1 });
    expect(machine.find('v')?.threshold).toBe(2);
  });
});

describe('every version above the stable one has its own verdict', () => {
  function twoCandidates(): Machine {
    const machine = trial();
    machine.put('w', spec('GRADUAL', { version: '3' }));
    return machine;
  }

  test('the failures of one hold only that one', () => {
    const machine = twoCandidates();
    machine.fail('v', 'blamed');
    machine.happen({ kind: 'answered', id: 'w', count: 1 });
    expect(machine.find('w')).toMatchObject({ threshold: 2, trial: { verdict: { kind: 'clean' } } });
    expect(verdictOf(machine)).toBe('inconclusive');
  });

  test('an overtaken one keeps its verdict running, and is taken back from the middle', () => {
    const machine = twoCandidates();
    machine.fail('v', 'blamed', 5);
    expect(machine.phases()).toBe('w:releasing v:failed old:stable');
    expect(machine.published()?.routes.map(({ id }) => id)).toEqual(['w', 'old']);
  });

  test('the newest is held against the one below it, and against the next when that is gone', () => {
    const machine = twoCandidates();
    machine.measure('w', { older: { id: 'v', ...served(400, 4) } });
    expect(machine.find('w')?.trial?.baseline).toMatchObject({ source: 'release', requests: 400, failures: 4 });
    machine.fail('v', 'blamed', 5);
    machine.measure('w');
    expect(machine.find('w')?.trial?.baseline).toMatchObject({ source: 'assumed' });
    machine.measure('w', { older: { id: 'old', ...served(10) } });
    expect(machine.find('w')?.trial).toMatchObject({
      older: { id: 'old', requests: 10 },
      baseline: { source: 'assumed' },
    });
    machine.measure('w', { older: { id: 'old', ...served(300) } });
    expect(machine.find('w')?.trial?.older).toMatchObject({ id: 'old', requests: 310 });
  });
});

describe('the baseline', () => {
  test('is the older version meanwhile where it has enough requests, else before, else assumed', () => {
    const machine = new Machine();
    machine.put('old', spec('INSTANT', { version: '1' }));
    machine.happen({ kind: 'served', id: 'old', ...served(200, 2) });
    machine.put('v', spec('GRADUAL', { version: '2' }));
    machine.measure('v', { answers: 1 });
    expect(machine.find('v')?.trial?.baseline).toMatchObject({ source: 'before', requests: 200, failures: 2 });
    machine.measure('v', { older: { id: 'old', ...served(1000, 1) } });
    expect(machine.find('v')?.trial?.baseline).toMatchObject({
      source: 'release',
      requests: 1000,
      failures: 1,
      before: { requests: 200, failures: 2 },
    });
    expect(trial().find('v')?.trial?.baseline.source).toBe('assumed');
  });

  test('is not what the older version does during the release', () => {
    const machine = trial();
    const happened = machine.happen({ kind: 'served', id: 'old', ...served(500, 500) });
    expect(happened).toMatchObject({ kind: 'rejected', because: 'not-due' });
    expect(machine.find('old')?.recent).toEqual([]);
  });

  test('reaches past a candidate below, which has none of its own from before', () => {
    const machine = new Machine();
    machine.put('old', spec('INSTANT', { version: '1' }));
    machine.happen({ kind: 'served', id: 'old', ...served(1000, 10) });
    machine.put('v', spec('GRADUAL', { version: '2' }));
    machine.put('w', spec('GRADUAL', { version: '3' }));
    machine.measure('w');
    expect(machine.find('w')?.trial?.baseline).toMatchObject({ source: 'before', requests: 1000 });
  });
});

test('a trial is bounded, JSON, and ends with a new epoch when the version goes on serving', () => {
  const machine = trial('INSTANT');
  machine.fail('v', 'blamed');
  machine.measure('v', { answers: 100_000 });
  expect(JSON.parse(JSON.stringify(machine.state))).toEqual(machine.state);
  expect(JSON.stringify(machine.find('v')?.trial).length).toBeLessThan(2000);
  const epoch = machine.find('v')?.epoch ?? 0;
  machine.happen({ kind: 'regret-over', id: 'v' });
  expect(machine.find('v')).toMatchObject({ phase: 'stable', trial: null });
  expect(machine.find('v')?.epoch).toBeGreaterThan(epoch);
});

test('counts wait for no disk; decisions do', () => {
  const machine = trial('GRADUAL', { percentagePerRequest: 50 });
  const weight = (result: ReturnType<Machine['happen']>) => (result.kind === 'done' ? result.weight : 'rejected');
  expect(weight(machine.measure('v', { answers: 1 }))).toBe('counted');
  expect(weight(machine.happen({ kind: 'pause', id: 'v', reason: null }))).toBe('durable');
  expect(weight(machine.happen({ kind: 'resume', id: 'v', reason: null }))).toBe('durable');
  expect(weight(machine.step({ kind: 'forgiven', id: 'v', server: 's' }))).toBe('counted');
  expect(weight(machine.step({ kind: 'answered', id: 'v', count: 1 }))).toBe('durable');
});
