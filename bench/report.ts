/** Rounds become a table: medians, with the smallest and largest value beside them. */
import { cpus, release, type } from 'node:os';
import type { Load } from './wrk.ts';

export interface Round extends Load {
  /** Processor time of all processes of the proxy, per request. */
  readonly cpuUs: number;
}

export interface Result {
  readonly peer: string;
  readonly rounds: readonly Round[];
}

export interface CaseResult {
  readonly title: string;
  readonly command: string;
  /** The first is the yardstick. */
  readonly results: readonly Result[];
}

const COLUMNS = ['', 'CPU per request, µs', 'ratio', 'requests/s', 'p50, ms', 'p99, ms'];

/** A Markdown table that reads well on a terminal too. */
export function table({ results }: CaseResult): string {
  const [yardstick] = results;
  const rows = results.map(({ peer, rounds }) => [
    peer,
    spread(rounds, (round) => round.cpuUs, 1),
    yardstick === undefined ? '' : cpuRatio(yardstick.rounds, rounds).toFixed(2),
    spread(rounds, (round) => round.perSecond, 0),
    spread(rounds, (round) => round.p50Us / 1000, 2),
    spread(rounds, (round) => round.p99Us / 1000, 2),
  ]);
  const widths = COLUMNS.map((_title, index) =>
    Math.max(...[COLUMNS, ...rows].map((row) => row[index]?.length ?? 0), 3),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => pad(cell, widths[index], index)).join(' | ')} |`;
  const rule = `|${widths.map((width, index) => (index === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(COLUMNS), rule, ...rows.map(line)].join('\n');
}

/** The median of the ratios of neighbouring rounds: what slows the machine for a while slows both. */
function cpuRatio(yardstick: readonly Round[], rounds: readonly Round[]): number {
  return median(rounds.map((round, index) => round.cpuUs / (yardstick[index]?.cpuUs ?? Number.NaN)));
}

function spread(rounds: readonly Round[], pick: (round: Round) => number, digits: number): string {
  const values = rounds.map(pick);
  const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)].map((v) => v.toFixed(digits));
  return `${middle} (${low} to ${high})`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

function pad(cell: string, width = 0, column = 0): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

export interface Circumstances {
  readonly date: string;
  readonly versions: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
}

/** The page of docs that keeps the last measurement. */
export function page(cases: readonly CaseResult[], { date, versions, rounds, seconds }: Circumstances): string {
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${type()} ${release()}`;
  const sections = cases.map((result) => `## ${result.title}\n\n\`${result.command}\`\n\n${table(result)}`);
  return `# Performance

Written by \`make bench\`, which repeats it. Last measured on ${date}.

${sections.join('\n\n')}

Medians of ${rounds} rounds of ${seconds} s each, in parentheses the smallest and the largest. The rounds of the proxies
take turns, after a warm-up, so that a machine that is busy for a while is so for all of them. The ratio is the median
of the CPU ratios of neighbouring rounds. CPU per request is the user and system time of all processes of the proxy, from
\`/proc\`, over the requests that wrk counted; a round with any failed request does not count, it ends the bench. Before
it is measured, each proxy proves that it forwards methods, targets, fields, statuses and bodies unchanged.

wrk, the proxies and the application (nginx with one worker) share one machine and its loopback.

- Machine: ${machine}
${versions.map((version) => `- ${version}`).join('\n')}
`;
}
