/** The figures of the bench: what is computed from rounds, and how it is shown. */
import { expect, it } from 'vitest';
import type { Result, Round } from '../../../bench/measure.ts';
import { chart } from '../../../bench/report/chart.ts';
import { ratioTarget } from '../../../bench/report/section.ts';
import { quantile, ratioOf } from '../../../bench/report/statistics.ts';
import { roundsTable } from '../../../bench/report/table.ts';

function result(name: string, cpuUs: readonly (number | null)[]): Result {
  const round = { requests: 1, perSecond: 1, p50Us: 1, p99Us: 1, p999Us: 1, memoryBytes: 1, upstreamRequests: 1 };
  return { name, rounds: cpuUs.map((value): Round | null => (value === null ? null : { ...round, cpuUs: value })) };
}

const cpu = (round: Round): number => round.cpuUs;

it('a quantile between two values is on the straight line', () => {
  expect(quantile([30, 10, 20], 0.5)).toBe(20);
  expect(quantile([10, 20], 0.75)).toBe(17.5);
  expect(quantile([10, 20, 30], 1)).toBe(30);
});

it('a ratio is that of neighbouring rounds, so a slow while of the machine cancels out', () => {
  const yardstick = result('HAProxy', [10, 40, 10]);
  expect(ratioOf(result('Cutover', [12, 48, 13]), yardstick, cpu)).toBeCloseTo(1.2);
});

it('rounds that a far peer left out count nowhere', () => {
  const yardstick = result('HAProxy', [10, 1000, 20]);
  const far = result('Caddy', [50, null, 100]);
  expect(ratioOf(far, yardstick, cpu)).toBe(5);
  expect(roundsTable([yardstick, far])).toMatch(/Caddy +\| +75\.0 \(50\.0–100\.0\) \| +5\.00 \|/);
});

it('a target is met up to its limit', () => {
  expect(ratioTarget('x', 1.25, { name: 'HAProxy', ratio: 1.25 }).isMet).toBe(true);
  expect(ratioTarget('x', 1.25, { name: 'HAProxy', ratio: 1.26 })).toMatchObject({
    limit: '1.25 × HAProxy',
    measured: '1.26 × HAProxy',
    isMet: false,
  });
});

it('bars are as long as their values', () => {
  const bars = [50, 100].map((value) => ({ name: `${value} < 200`, value, low: value, high: value, isOurs: false }));
  const svg = chart({ name: 'x', title: 'A & B', unit: 'µs', bars });
  const [short, long] = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  expect((long ?? 0) / (short ?? 1)).toBeCloseTo(2);
  expect(svg).toContain('A &amp; B, µs');
  expect(svg).toContain('50 &lt; 200');
});
