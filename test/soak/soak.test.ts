/** A short soak; `make soak MINUTES=30` is a long one. */
import { expect, test } from 'vitest';
import { soak, violationsOf } from './soak.ts';

const full = process.env.CUTOVER_TEST_FULL !== undefined;
const durationMs = full ? 600_000 : 20_000;

/** A fresh process still grows for some minutes, and in a fifth of a short run there is a release or none. What is left in the end is told apart. */
const GROWTH = full ? { memory: 0.1, descriptors: 0.1 } : { memory: 0.3, descriptors: 1 };

test('under load, versions come and go, and Cutover itself: no request fails, memory and descriptors stay', async () => {
  const report = await soak({ durationMs, rate: 500, clients: 60, tell: (line) => console.info(line) });
  expect(report.failures.slice(0, 10)).toEqual([]);
  expect(violationsOf(report, GROWTH)).toEqual([]);
  expect(report.answered).toBeGreaterThan(500);
  const { upgrades, rollbacks, workerDeaths, controlDeaths, reloads } = report;
  for (const count of [upgrades, rollbacks, workerDeaths, controlDeaths]) expect(count).toBeGreaterThan(0);
  // One of each kind.
  expect(reloads).toBeGreaterThan(1);
});
