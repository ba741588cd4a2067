/** Every fault of the matrix in every mode, on real sockets under load. */
import { describe, expect, test } from 'vitest';
import { MODES, type Mode } from '../../src/core/config/model.ts';
import { reasonOf, sort } from './judge.ts';
import type { Result } from './load.ts';
import { type Expected, expectedIn, MATRIX } from './matrix.ts';
import { type RowReport, type RowSize, runRow } from './run-row.ts';
import { cutoverInProcess } from './subjects/cutover.ts';

const SIZE: RowSize =
  process.env.CUTOVER_TEST_FULL === '1' ? { requests: 5000, limitMs: 20_000 } : { requests: 600, limitMs: 3000 };

describe.for(MODES)('%s', (mode) => {
  test.for(MATRIX.map((row) => [row.name, row] as const))('%s', async ([, row]) => {
    const expected = expectedIn(mode, row);
    const report = await runRow(cutoverInProcess(mode), row, SIZE);
    if (expected.answers === 'whole') expectWhole(report, expected);
    else expectErrors(report, mode);
    expect(sort(report).doubled, 'POSTs that one version applied twice').toBe(0);
    if (mode !== 'CONCURRENT') {
      expect(report.repeated.filter(({ method }) => method === 'POST')).toEqual([]);
    }
    expect(report.candidateServes ? 'kept' : 'rolled back').toBe(expected.fate);
  });
});

function expectWhole(report: RowReport, { forbidden }: Expected): void {
  const sorted = sort(report);
  expect(sorted.lost.map(told), 'lost requests').toEqual([]);
  const allowed = forbidden === 'nothing' ? [] : forbidden === 'POST' ? ['POST'] : ['POST', 'POST and begun'];
  const beyond = sorted.forbidden.filter((result) => !allowed.includes(reasonOf(result) ?? ''));
  expect(beyond.map(told), 'failures that nothing forbids to hide').toEqual([]);
}

/** Nobody can answer: each request is told so, whole, and soon. */
function expectErrors({ results, repeated }: RowReport, mode: Mode): void {
  // Some GETs are asked twice of the older version, to know how much its own answers differ.
  const own = mode === 'CONCURRENT' ? repeated.filter(({ method }) => method !== 'GET') : repeated;
  const twice = own.filter((times) => Math.max(times.old, times.new) > 1);
  expect(twice, 'asked twice of one version').toEqual([]);
  expect(results.filter(({ kind }) => kind !== 'error').map(told)).toEqual([]);
  expect(Math.max(...results.map(({ tookMs }) => tookMs))).toBeLessThan(5000);
}

function told({ id, method, size, kind, version, text }: Result): string {
  return `${id} ${method} ${size}: ${kind} ${version} ${text}`;
}
