/** Rounds become a table: medians, with the smallest and largest value beside them. It reads well on a terminal too. */
import type { Result } from '../measure.ts';
import type { Picture } from './chart.ts';
import { medianOf, type Pick, ratioOf, valuesOf } from './statistics.ts';

const COLUMNS = [
  '',
  'CPU per request, µs',
  'ratio',
  'requests/s',
  'ratio',
  'p50, ms',
  'p99, ms',
  'p99.9, ms',
  'memory, MiB',
];
export const MIB = 1_048_576;

/** The first result is the yardstick of the ratios. */
export function roundsTable(results: readonly Result[]): string {
  const [yardstick] = results;
  const rows = results.map((result) => [
    result.name,
    spread(result, (round) => round.cpuUs, 1),
    ratio(result, yardstick, (round) => round.cpuUs),
    spread(result, (round) => round.perSecond, 0),
    ratio(result, yardstick, (round) => round.perSecond),
    medianOf(result, (round) => round.p50Us / 1000).toFixed(2),
    spread(result, (round) => round.p99Us / 1000, 2),
    medianOf(result, (round) => round.p999Us / 1000).toFixed(2),
    medianOf(result, (round) => round.memoryBytes / MIB).toFixed(0),
  ]);
  return table(COLUMNS, rows);
}

/** The first column is text, the others are figures. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((_title, index) =>
    Math.max(...[columns, ...rows].map((row) => (row[index] ?? '').length), 3),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, index) => (index === 0 ? (cells[index] ?? '').padEnd(width) : (cells[index] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `|${widths.map((width, index) => (index === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}

/** The processor time of a request as bars. */
export function cpuPicture(name: string, title: string, results: readonly Result[]): Picture {
  const bars = results.map((result) => {
    const values = valuesOf(result, (round) => round.cpuUs);
    return {
      name: result.name,
      value: medianOf(result, (round) => round.cpuUs),
      low: Math.min(...values),
      high: Math.max(...values),
      isOurs: result.name.startsWith('Cutover'),
    };
  });
  return { name, title, unit: 'µs of processor time per request', bars };
}

function ratio(result: Result, yardstick: Result | undefined, pick: Pick): string {
  return yardstick === undefined ? '' : ratioOf(result, yardstick, pick).toFixed(2);
}

function spread(result: Result, pick: Pick, digits: number): string {
  const values = valuesOf(result, pick);
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
  return `${medianOf(result, pick).toFixed(digits)} (${low}–${high})`;
}
