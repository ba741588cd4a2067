/** How often the verdict errs, and how soon it finds what it should: bounded here, at length with CUTOVER_TEST_FULL. */
import { describe, expect, test } from 'vitest';
import { type Baseline, NO_EVIDENCE, withAnswers, withFinding } from '../../../src/core/release/evidence.ts';
import { judge } from '../../../src/core/release/verdict.ts';
import {
  chanceOfGuilt,
  type Known,
  type Release,
  requestsToTheEnd,
  seeded,
  shareFoundGuilty,
} from './many-releases.ts';
import { PATIENT } from './specs.ts';

const full = process.env.CUTOVER_TEST_FULL !== undefined;
const RUNS = full ? 4000 : 250;
const timeout = full ? 900_000 : 60_000;

/** The promise is 1 %; of few runs, one in a hundred may show more by chance alone. */
const FALSE_ALARMS_MAX = full ? 0.01 : 0.024;

const RATES = [0, 0.001, 0.005, 0.01, 0.02, 0.05];
const KNOWN: readonly Known[] = ['before', 'before and during', 'during'];

const alike = (rate: number, known: Known, failures: Release['failures']): Release => ({
  candidateRate: rate,
  olderRate: rate,
  known,
  failures,
  requests: 10_000,
});

describe('both versions fail alike: under 1 % of releases of 10 000 requests are taken back', () => {
  test.each(KNOWN)('baseline known %s', { timeout }, (known) => {
    for (const rate of RATES) {
      for (const failures of ['hidden', 'seen'] as const) {
        const share = shareFoundGuilty(alike(rate, known, failures), RUNS);
        expect(share, `${rate} ${failures}`).toBeLessThanOrEqual(FALSE_ALARMS_MAX);
      }
    }
  });

  test('baseline assumed, where it is no lower than the truth', { timeout }, () => {
    for (const rate of [0, 0.001, 0.005]) {
      for (const failures of ['hidden', 'seen'] as const) {
        const share = shareFoundGuilty(alike(rate, 'assumed', failures), RUNS);
        expect(share, `${rate} ${failures}`).toBeLessThanOrEqual(FALSE_ALARMS_MAX);
      }
    }
  });
});

describe('a version that fails 5 points more is caught in 95 % of releases', () => {
  const worse = (olderRate: number, known: Known, requests: number): Release => ({
    candidateRate: olderRate + 0.05,
    olderRate,
    known,
    failures: 'hidden',
    requests,
  });

  test.each([
    [0, 'before', 200],
    [0.0005, 'before', 200],
    [0.001, 'before', 200],
    [0.01, 'before', 400],
    [0, 'assumed', 200],
    [0.0005, 'assumed', 200],
    [0.001, 'assumed', 200],
  ] as const)('older rate %d known %s: within %d requests', { timeout }, (rate, known, requests) => {
    const release = worse(rate, known, requests);
    const chance = chanceOfGuilt(release);
    expect(chance).toBeGreaterThanOrEqual(0.95);
    // What was worked out is what is played; the consecutive rule adds next to nothing.
    expect(Math.abs(shareFoundGuilty(release, 1000) - chance)).toBeLessThan(0.02);
  });

  test.each([
    [0, 200],
    [0.001, 200],
    [0.01, 400],
  ] as const)('older rate %d known before and during: within %d requests', { timeout }, (rate, requests) => {
    expect(shareFoundGuilty(worse(rate, 'before and during', requests), 1000)).toBeGreaterThanOrEqual(0.95);
  });

  test.each([
    [0, 200, 0.62],
    [0.001, 200, 0.56],
    [0.01, 400, 0.81],
  ] as const)(
    'known during alone, more is not to be had: %d within %d requests',
    { timeout },
    (rate, requests, share) => {
      expect(shareFoundGuilty(worse(rate, 'during', requests), 4000)).toBeGreaterThanOrEqual(share);
    },
  );

  test('one that goes bad after ten thousand good requests is caught as well', { timeout }, () => {
    const chance = seeded(3);
    const known: Baseline = { requests: 1000, failures: 1, unpaired: 0, source: 'before' };
    let caught = 0;
    for (let run = 0; run < 200; run += 1) {
      let evidence = withAnswers(NO_EVIDENCE, 10_000);
      for (let n = 0; n < 250 && judge(evidence, known, PATIENT).kind !== 'guilty'; n += 1) {
        evidence = chance() < 0.15 ? withFinding(evidence, 'blamed') : withAnswers(evidence, 1);
      }
      if (judge(evidence, known, PATIENT).kind === 'guilty') caught += 1;
    }
    expect(caught).toBeGreaterThanOrEqual(190);
  });
});

describe('a ramp that is held goes on', () => {
  test.each([0.001, 0.01, 0.02, 0.05])('GRADUAL, both versions fail at a rate of %d', { timeout }, (rate) => {
    const chance = seeded(4);
    let reached = 0;
    const runs = full ? 1000 : 100;
    for (let run = 0; run < runs; run += 1) if (requestsToTheEnd(rate, chance) !== null) reached += 1;
    expect(reached / runs).toBeGreaterThanOrEqual(0.99);
  });
});
