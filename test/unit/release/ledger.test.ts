/** The written history of releases. */
import { describe, expect, test } from 'vitest';
import { type KeptDifference, NOTHING_COMPARED } from '../../../src/core/release/divergence.ts';
import { NO_FIGURES } from '../../../src/core/release/ledger.ts';
import { type Happening, Machine } from './machine.ts';
import { spec } from './specs.ts';

const COMPARE = {
  headers: 'all',
  ignoreHeaders: [],
  ignoreJson: [],
  ignoreBody: [],
  sampleFirst: 0,
  sample: 0,
} as const;
const DIFFERENCE: KeptDifference = { against: '1', method: 'GET', path: '/', differing: [], noise: false };

function released(mode: 'GRADUAL' | 'INSTANT' = 'INSTANT'): Machine {
  const machine = new Machine();
  machine.put('old', spec('INSTANT', { version: '1' }));
  machine.put('v', spec(mode, { version: '2' }));
  return machine;
}

const ends: readonly (readonly [string, Happening, object])[] = [
  ['regret window', { kind: 'regret-over', id: 'v' }, { decision: 'stable', rule: 'regret-window' }],
  ['promotion', { kind: 'promote', id: 'v', reason: null }, { decision: 'stable', rule: 'promote' }],
  ['rollback', { kind: 'rollback', id: 'v', reason: null }, { decision: 'failed', rule: 'rollback' }],
  ['DELETE', { kind: 'delete', id: 'v' }, { decision: 'retired', rule: 'delete' }],
  ['DELETE of the older one', { kind: 'delete', id: 'old' }, { decision: 'stable', rule: 'nothing-older' }],
  [
    'a probe',
    { kind: 'probed', id: 'v', servers: 1, failures: ['refused'], olderAnswers: 'old' },
    { decision: 'failed', rule: 'dead' },
  ],
];

test.each(ends)('a release that ends by %s has one entry and one line', (_, event, expected) => {
  const machine = released();
  machine.measure('v', {
    answers: 7,
    figures: { requests: 9, replays: 2, absorbed: 2, notReplayable: 1, budgetRefused: 3 },
  });
  machine.fail('v', 'shared');
  const { begunMs, verdict, evidence, baseline } = machine.find('v')?.trial ?? {};
  machine.happen(event);
  expect(machine.state.ledger).toEqual([
    {
      id: 'v',
      service: 'default',
      version: '2',
      mode: 'INSTANT',
      epoch: expect.any(Number),
      against: '1',
      begunMs,
      decidedMs: machine.atMs,
      reason: expect.any(String),
      verdict,
      evidence,
      baseline,
      counts: {
        requests: 9,
        replays: 2,
        absorbed: 2,
        blamed: 0,
        shared: 1,
        unpaired: 0,
        notReplayable: 1,
        budgetRefused: 3,
      },
      comparison: null,
      output: [],
      ...expected,
      ...(event.id === 'old' && { against: null }),
    },
  ]);
  expect(machine.logged().filter((text) => text.includes('is over'))).toHaveLength(1);
});

test('the line says what was decided, by what rule, on what evidence', () => {
  const machine = released();
  machine.measure('v', { figures: { ...NO_FIGURES, requests: 12, replays: 5, absorbed: 5 } });
  machine.fail('v', 'blamed', 5);
  expect(machine.logged()).toContainEqual(
    'WARNING Release of version 2 [10.0.0.1:80] is over: failed by rule consecutive: It failed 5 requests in a row; ' +
      '12 requests, 5 replays, 5 absorbed, 5 blamed, 0 shared, 0 unpaired, 0 not replayable, 0 refused by the budget; ' +
      '0.5 % is assumed of the older version',
  );
  const good = released();
  good.measure('v', { older: { id: 'old', requests: 400, failures: 3, unpaired: 0 } });
  good.happen({ kind: 'regret-over', id: 'v' });
  expect(good.logged()[0]).toMatch(
    /^NOTICE Release of version 2 .* stable by rule regret-window: Its regret window.*; the older version failed 3 of 400 meanwhile$/,
  );
});

test('a release that a newer stable version overtakes ends as standby', () => {
  const machine = released('GRADUAL');
  machine.put('w', spec('INSTANT', { version: '3' }));
  machine.happen({ kind: 'regret-over', id: 'w' });
  expect(machine.state.ledger).toMatchObject([
    { id: 'v', decision: 'standby', rule: 'overtaken' },
    { id: 'w', decision: 'stable', rule: 'regret-window', against: '2' },
  ]);
});

test('what is trusted at once, or takes no new traffic, has no release', () => {
  const machine = new Machine();
  machine.put('old', spec('INSTANT', { version: '1' }));
  machine.put('below', spec('GRADUAL', { version: '0' }));
  machine.happen({ kind: 'delete', id: 'below' });
  expect(machine.state.ledger).toEqual([]);
});

describe('after the decision', () => {
  test.each([
    { kind: 'rollback', id: 'v', reason: null },
    { kind: 'delete', id: 'v' },
  ] as const)('what was in flight is counted, and judged no more ($kind)', (end) => {
    const machine = released();
    machine.happen(end);
    const { evidence } = machine.state.ledger[0] ?? {};
    machine.fail('v', 'blamed', 9);
    machine.measure('v', { answers: 3, figures: { ...NO_FIGURES, requests: 4, absorbed: 9 } });
    expect(machine.state.ledger[0]).toMatchObject({ evidence, counts: { requests: 4, absorbed: 9, blamed: 9 } });
    expect(machine.effects).toEqual([]);
  });

  test.each<Happening>([
    { kind: 'rollback', id: 'v', reason: null },
    { kind: 'delete', id: 'v' },
  ])('answers that the older version ends late are compared, also when the version has drained ($kind)', (end) => {
    const machine = new Machine();
    machine.put('old', spec('INSTANT', { version: '1' }));
    machine.put('v', spec('CONCURRENT', { version: '2', compare: COMPARE }));
    const counts = { ...NOTHING_COMPARED.counts, compared: 2, different: 1 };
    machine.happen({ kind: 'compared', id: 'v', counts });
    machine.happen(end);
    const { phase } = machine.find('v') ?? {};
    machine.happen({ kind: 'compared', id: 'v', counts });
    machine.happen({ kind: 'drained', id: 'v' });
    machine.happen({ kind: 'compared', id: 'v', counts });
    machine.happen({ kind: 'difference', id: 'v', difference: DIFFERENCE });
    expect(machine.state.ledger[0]?.comparison).toEqual({
      counts: { ...counts, compared: 6, different: 3 },
      differences: [DIFFERENCE],
    });
    expect(machine.effects).toEqual([]);
    expect(machine.find('v')?.phase).toBe(phase === 'draining' ? 'retired' : 'failed');
    for (let n = 0; n < 20; n += 1) machine.happen({ kind: 'difference', id: 'v', difference: DIFFERENCE });
    expect(machine.state.ledger[0]?.comparison?.differences).toHaveLength(10);
    const { state } = machine;
    machine.happen({ kind: 'difference', id: 'v', difference: DIFFERENCE });
    expect(machine.state).toBe(state);
  });

  test('a release that compares nothing stays so', () => {
    const machine = released();
    machine.happen({ kind: 'rollback', id: 'v', reason: null });
    const { state } = machine;
    machine.happen({ kind: 'compared', id: 'v', counts: { ...NOTHING_COMPARED.counts, compared: 1 } });
    expect(machine.state).toBe(state);
  });

  test('a version that was stable in between has no release to count for', () => {
    const machine = released();
    machine.happen({ kind: 'promote', id: 'v', reason: null });
    const { ledger } = machine.state;
    machine.happen({ kind: 'delete', id: 'v' });
    machine.measure('v', { figures: { ...NO_FIGURES, requests: 4 } });
    expect(machine.state.ledger).toBe(ledger);
  });

  test('an id that is used again counts for its new release', () => {
    const machine = released();
    machine.happen({ kind: 'rollback', id: 'v', reason: null });
    machine.put('v', spec('GRADUAL', { version: '2' }));
    machine.fail('v', 'blamed');
    expect(machine.state.ledger).toMatchObject([{ counts: { blamed: 0 } }]);
    expect(machine.find('v')?.trial?.counts.blamed).toBe(1);
    machine.happen({ kind: 'rollback', id: 'v', reason: null });
    expect(machine.state.ledger).toMatchObject([{ counts: { blamed: 1 } }, { counts: { blamed: 0 } }]);
  });
});

test('the last hundred releases are remembered, the latest first', () => {
  const machine = released();
  for (let i = 0; i < 110; i += 1) {
    machine.put(`v${i}`, spec('INSTANT', { version: '2' }));
    machine.happen({ kind: 'rollback', id: `v${i}`, reason: null });
  }
  expect(machine.state.ledger).toHaveLength(100);
  expect(machine.state.ledger[0]?.id).toBe('v109');
  expect(machine.state.ledger.at(-1)?.id).toBe('v10');
});
