import { describe, expect, test } from 'vitest';
import { type BaseRate, logAcceptance, logEvidence } from '../../../src/core/release/rate-test.ts';

const MARGIN = 0.05;
const known = (rate: number): BaseRate => ({ kind: 'known', rate });
const measured = (requests: number, failures: number): BaseRate => ({ kind: 'measured', requests, failures });

/** log n!, by its definition. */
function logFactorial(n: number): number {
  let sum = 0;
  for (let i = 2; i <= n; i += 1) sum += Math.log(i);
  return sum;
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

/** log of from (from+1) … (from+count-1). */
function logRising(from: number, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i += 1) sum += Math.log(from + i);
  return sum;
}

/** The logarithm of the chance of k failures of n, at a rate or from what a baseline leaves possible. */
function logChanceOf(k: number, n: number, base: BaseRate): number {
  if (base.kind === 'known') return logChoose(n, k) + k * Math.log(base.rate) + (n - k) * Math.log(1 - base.rate);
  const [a, b] = [base.failures + 0.7, base.requests - base.failures + 1];
  return logChoose(n, k) + logRising(a, k) + logRising(b, n - k) - logRising(a + b, n);
}

/** The mean of the statistic after n requests of a version that fails as the baseline does. */
function meanEvidence(n: number, base: BaseRate, margin = MARGIN): number {
  let mean = 0;
  for (let k = 0; k <= n; k += 1) {
    mean += Math.exp(logChanceOf(k, n, base) + logEvidence({ requests: n, failures: k }, base, margin));
  }
  return mean;
}

describe('the evidence', () => {
  test.each([
    known(0.005),
    known(0.05),
    known(0.3),
    measured(0, 0),
    measured(3, 1),
    measured(100, 0),
    measured(1000, 50),
    measured(20_000, 100),
  ])('is 1 on the average while the version fails as %j', (base) => {
    for (const n of [1, 2, 7, 40, 200]) expect(meanEvidence(n, base)).toBeCloseTo(1, 6);
    expect(meanEvidence(50, base, 0.2)).toBeCloseTo(1, 6);
  });

  test('of one failure: how much likelier it is at the higher rates', () => {
    const higher = 0.03 * 0.03 + 0.94 * 0.055 + 0.02 * 0.14 + 0.01 * 0.42;
    expect(logEvidence({ requests: 1, failures: 1 }, known(0.02), MARGIN)).toBeCloseTo(Math.log(higher / 0.02), 10);
    expect(logEvidence({ requests: 1, failures: 1 }, measured(98, 1), MARGIN)).toBeCloseTo(
      Math.log(higher / (1.7 / 99.7)),
      10,
    );
  });

  test('begins at nothing', () => {
    expect(logEvidence({ requests: 0, failures: 0 }, known(0.01), MARGIN)).toBeCloseTo(0, 10);
    expect(logEvidence({ requests: 0, failures: 0 }, measured(1000, 10), MARGIN)).toBeCloseTo(0, 10);
  });

  test('grows with failures and shrinks with answers', () => {
    for (const base of [known(0.005), measured(1000, 5), measured(300, 0)]) {
      for (let failures = 2; failures < 30; failures += 1) {
        const here = logEvidence({ requests: 300, failures }, base, MARGIN);
        expect(logEvidence({ requests: 301, failures: failures + 1 }, base, MARGIN)).toBeGreaterThan(here);
        expect(logEvidence({ requests: 301, failures }, base, MARGIN)).toBeLessThan(here);
      }
    }
  });

  test('is less against a baseline of few requests', () => {
    const sample = { requests: 200, failures: 10 };
    const [few, some, many] = [100, 1000, 100_000].map((n) => logEvidence(sample, measured(n, n / 100), MARGIN));
    expect(few).toBeLessThan(some as number);
    expect(some).toBeLessThan(many as number);
    expect(many).toBeCloseTo(logEvidence(sample, known(0.01), MARGIN), 1);
  });

  test('finds a small difference in the end and a large one soon', () => {
    expect(logEvidence({ requests: 10_000, failures: 200 }, known(0.01), MARGIN)).toBeGreaterThan(20);
    expect(logEvidence({ requests: 8, failures: 4 }, known(0.01), MARGIN)).toBeGreaterThan(8);
  });

  test('stays a number where rates and counts are extreme', () => {
    const samples = [0, 1, 500_000, 1_000_000].map((failures) => ({ requests: 1_000_000, failures }));
    const bases = [known(0.0001), known(0.5), measured(1, 1), measured(1000, 1000), measured(10_000_000, 0)];
    for (const base of bases) {
      for (const sample of samples) {
        expect(logEvidence(sample, base, 0.5)).not.toBeNaN();
        expect(logAcceptance(sample, base, 0.5)).not.toBeNaN();
      }
    }
  });
});

describe('acceptance', () => {
  test('is the likelihood of a rate that is worse by the margin', () => {
    const worth = logAcceptance({ requests: 100, failures: 2 }, known(0.01), MARGIN);
    expect(worth).toBeCloseTo(2 * Math.log(0.06 / 0.01) + 98 * Math.log(0.94 / 0.99), 10);
  });

  test('begins at nothing, falls with answers and rises with failures', () => {
    expect(logAcceptance({ requests: 0, failures: 0 }, known(0.01), MARGIN)).toBe(0);
    const at = (failures: number, requests: number) =>
      logAcceptance({ requests, failures }, measured(1000, 10), MARGIN);
    expect(at(2, 101)).toBeLessThan(at(2, 100));
    expect(at(3, 101)).toBeGreaterThan(at(2, 100));
  });

  test("measures by the upper end of what the baseline leaves possible: Wilson's bound", () => {
    // 10 of 1000: the one-sided 95 % bound is 1.666 %.
    const sample = { requests: 200, failures: 5 };
    const worth = logAcceptance(sample, measured(1000, 10), MARGIN);
    expect(worth).toBeCloseTo(logAcceptance(sample, known(0.016658), MARGIN), 3);
    // No failure of 100 leaves up to 2.6 %, and no request leaves everything.
    expect(logAcceptance(sample, measured(100, 0), MARGIN)).toBeCloseTo(
      logAcceptance(sample, known(0.026348), MARGIN),
      3,
    );
    expect(logAcceptance(sample, measured(0, 0), MARGIN)).toBeLessThan(-100);
  });
});
