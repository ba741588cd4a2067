/**
 * Writes the tables of docs/verdict.md: how often the verdict errs and how soon it finds what it should, by playing releases. Takes
 * some minutes; `node scripts/error-rates.ts RUNS` plays fewer than the usual number a cell.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  chanceOfGuilt,
  guiltyAfter,
  type Known,
  type Release,
  requestsToTheEnd,
  seeded,
  shareFoundGuilty,
} from '../test/unit/release/many-releases.ts';

const DOCUMENT = join(import.meta.dirname, '../docs/verdict.md');
const [BEGIN, END] = ['<!-- tables of scripts/error-rates.ts -->', '<!-- end of the tables -->'];
const RUNS = Number(process.argv[2] ?? 4000);

const text = readFileSync(DOCUMENT, 'utf8');
const [head, tail] = [text.split(BEGIN)[0] ?? '', text.split(END)[1] ?? ''];
const tables = [falseAlarms(), caught(), howSoon(), ramps()].join('\n\n');
writeFileSync(DOCUMENT, `${head}${BEGIN}\n\n${tables}\n\n${END}${tail}`);

function falseAlarms(): string {
  const rates = [0, 0.001, 0.005, 0.01, 0.02, 0.05];
  const rows: string[][] = [];
  for (const known of ['before', 'before and during', 'during', 'assumed'] as const) {
    for (const failures of ['hidden', 'seen'] as const) {
      const cells = rates.map((rate) => {
        // Half a percent is assumed: above that, it is wrong.
        if (known === 'assumed' && rate > 0.005) return '–';
        const release = { candidateRate: rate, olderRate: rate, known, failures, requests: 10_000 };
        return percent(shareFoundGuilty(release, RUNS), 2);
      });
      rows.push([known, failures, ...cells]);
      console.log(rows.at(-1)?.join(' '));
    }
  }
  const title = `**Taken back though both versions fail alike**: share of ${RUNS} releases of 10 000 requests, by the failure rate.`;
  return table(title, ['Known', 'Failures', ...rates.map((rate) => percent(rate, 1))], rows);
}

function caught(): string {
  const rows: string[][] = [];
  for (const [olderRate, requests] of [
    [0, 200],
    [0.001, 200],
    [0.01, 400],
  ] as const) {
    const release = (known: Known): Release => {
      return { candidateRate: olderRate + 0.05, olderRate, known, failures: 'hidden', requests };
    };
    const cells = [
      percent(chanceOfGuilt(release('before')), 1),
      percent(shareFoundGuilty(release('before and during'), 4 * RUNS), 1),
      percent(shareFoundGuilty(release('during'), 4 * RUNS), 1),
      olderRate > 0.005 ? '–' : percent(chanceOfGuilt(release('assumed')), 1),
    ];
    rows.push([percent(olderRate, 1), String(requests), ...cells]);
  }
  const title =
    '**Caught when it fails 5 points more**, within so many requests of its own; before and assumed are worked out exactly, for the rate rule alone.';
  return table(title, ['Older version', 'Requests', 'before', 'before and during', 'during', 'assumed'], rows);
}

function howSoon(): string {
  const more = [0.01, 0.02, 0.05, 0.1, 0.3, 0.9];
  const rows = [0.001, 0.01, 0.05].map((olderRate) => [
    percent(olderRate, 1),
    ...more.map((difference) => {
      const rates = { candidateRate: olderRate + difference, olderRate };
      const release = { ...rates, known: 'before and during', failures: 'hidden', requests: 10_000 } as const;
      return median(RUNS / 4, (chance) => guiltyAfter(release, chance));
    }),
  ]);
  const title =
    '**How soon**: requests of its own after which half (95 %) of the versions that fail so many points more are found guilty, of 10 000 at most; known before and during.';
  return table(title, ['Older version', ...more.map((difference) => `+${Math.round(100 * difference)}`)], rows);
}

function ramps(): string {
  const rates = [0.001, 0.01, 0.02, 0.05];
  const cells = rates.map((rate) => median(RUNS / 4, (chance) => requestsToTheEnd(rate, chance)));
  const title =
    '**A ramp goes on**: requests to both versions until half (95 %) of GRADUAL releases by 1 % a request are through, when both versions fail alike.';
  return table(title, ['Failure rate', ...rates.map((rate) => percent(rate, 1))], [['Requests', ...cells]]);
}

/** `half (95 %)` of what is played; where that does not come to an end, `never`. */
function median(runs: number, play: (chance: () => number) => number | null): string {
  const chance = seeded(1);
  const counts = Array.from({ length: runs }, () => play(chance) ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const at = (share: number): string => {
    const count = counts[Math.ceil(share * runs) - 1] ?? Number.POSITIVE_INFINITY;
    return count === Number.POSITIVE_INFINITY ? 'never' : String(count);
  };
  return `${at(0.5)} (${at(0.95)})`;
}

function table(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [title, '', line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n');
}

function percent(share: number, digits: number): string {
  return `${(100 * share).toFixed(digits)} %`;
}
