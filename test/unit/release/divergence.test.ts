/** What differences say of a version on trial. */
import { describe, expect, test } from 'vitest';
import type { ComparisonCounts } from '../../../src/core/messages.ts';
import { type KeptDifference, NOTHING_COMPARED } from '../../../src/core/release/divergence.ts';
import { Machine } from './machine.ts';
import { PATIENT, spec } from './specs.ts';

const COMPARE = { headers: 'all', ignoreHeaders: [], ignoreJson: [], ignoreBody: [], sampleFirst: 0 } as const;

function releasing(divergence: number | null, sample = 0.01): Machine {
  const machine = new Machine();
  machine.put('old', spec('INSTANT', { version: '1' }));
  const verdict = { ...PATIENT, divergence };
  machine.put('new', spec('CONCURRENT', { version: '2', verdict, compare: { ...COMPARE, sample } }));
  return machine;
}

function compared(machine: Machine, counts: Partial<ComparisonCounts>): string | undefined {
  machine.happen({ kind: 'compared', id: 'new', counts: { ...NOTHING_COMPARED.counts, ...counts } });
  return machine.find('new')?.phase;
}

describe('the rule', () => {
  test.each<[string, number | null, Partial<ComparisonCounts>, string]>([
    ['off by default', null, { compared: 1000, different: 1000, noiseCompared: 60 }, 'releasing'],
    ['every answer differs', 0.02, { compared: 50, different: 50, noiseCompared: 50 }, 'failed'],
    ['too few were compared', 0.02, { compared: 49, different: 49, noiseCompared: 50 }, 'releasing'],
    ['the noise is hardly known', 0.02, { compared: 500, different: 500, noiseCompared: 19 }, 'releasing'],
    ['no more than allowed', 0.5, { compared: 1000, different: 500, noiseCompared: 1000 }, 'releasing'],
    ['clearly more', 0.3, { compared: 1000, different: 500, noiseCompared: 1000 }, 'failed'],
    ['all of it noise', 0.02, { compared: 1000, different: 1000, noiseCompared: 50, noiseDifferent: 50 }, 'releasing'],
    ['half of it noise', 0.02, { compared: 1000, different: 520, noiseCompared: 60, noiseDifferent: 27 }, 'releasing'],
    ['more than the noise', 0.02, { compared: 1000, different: 900, noiseCompared: 60, noiseDifferent: 27 }, 'failed'],
  ])('%s', (_, divergence, counts, phase) => {
    expect(compared(releasing(divergence), counts)).toBe(phase);
  });

  test('without a sample the noise counts as none', () => {
    expect(compared(releasing(0.02, 0), { compared: 50, different: 50 })).toBe('failed');
  });

  test('counts add up, and the ledger says why', () => {
    const machine = releasing(0.02);
    for (let n = 0; n < 4; n += 1) compared(machine, { compared: 10, different: 10, noiseCompared: 10 });
    expect(machine.find('new')?.phase).toBe('releasing');
    compared(machine, { compared: 10, different: 10, noiseCompared: 10 });
    expect(machine.state.ledger[0]).toMatchObject({
      rule: 'divergence',
      reason:
        'It answered 50 of 50 compared requests (100 %) differently from the older version, which differs from itself in ' +
        '0 of 50 (0 %): more than 2 % above that',
      comparison: { counts: { compared: 50, different: 50, noiseCompared: 50, noiseDifferent: 0 } },
    });
    expect(machine.logged().join()).toContain('; 50 of 50 compared answers differ, noise 0 of 50');
  });
});

test('the first ten differences are kept, and the first ten of the noise', () => {
  const machine = releasing(null);
  for (let n = 0; n < 30; n += 1) {
    const differing = [{ what: 'status', name: null, older: '200', newer: '404' }] as const;
    const difference: KeptDifference = { against: '1', method: 'GET', path: `/${n}`, differing, noise: n % 3 === 0 };
    machine.happen({ kind: 'difference', id: 'new', difference });
  }
  const kept = machine.find('new')?.trial?.comparison.differences ?? [];
  expect(kept.map(({ path }) => path).slice(0, 4)).toEqual(['/0', '/1', '/2', '/3']);
  expect([kept.length, kept.filter(({ noise }) => noise).length]).toEqual([20, 10]);
});

test('a comparison of another epoch counts for nothing', () => {
  const machine = releasing(0.02);
  const counts = { ...NOTHING_COMPARED.counts, compared: 100, different: 100, noiseCompared: 50 };
  machine.happen({ kind: 'compared', id: 'new', counts, epoch: 1 });
  expect(machine.find('new')?.trial?.comparison).toEqual(NOTHING_COMPARED);
});
