/**
 * Steady load for many minutes while versions come and go (`test/soak/`). Prints a table; the exit code is 1 when a request failed,
 * memory or descriptors grew. With `--write` the table goes to `docs/reliability.md`, between its markers.
 *
 * `node scripts/soak.ts [--minutes 30] [--rate 500] [--clients 60] [--write]`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { outputOf } from '../bench/process.ts';
import { mebibytes, type SoakReport, soak, violationsOf } from '../test/soak/soak.ts';

const DOCUMENT = join(import.meta.dirname, '../docs/reliability.md');
const BEGIN = '<!-- soak: begin -->';
const END = '<!-- soak: end -->';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '500' },
    clients: { type: 'string', default: '60' },
    write: { type: 'boolean', default: false },
  },
});

// What was started ends with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const report = await soak({
  durationMs: Number(options.minutes) * 60_000,
  rate: Number(options.rate),
  clients: Number(options.clients),
  tell: (line) => console.error(line),
});
const table = tableOf(report);
console.log(table);
const violations = violationsOf(report, { memory: 0.1, descriptors: 0.1 });
for (const violation of violations) console.log(`VIOLATION: ${violation}`);
if (options.write) write(`${circumstances()}\n\n${table}`);
process.exitCode = violations.length === 0 ? 0 : 1;

function circumstances(): string {
  const [processor] = cpus();
  const command = ['node scripts/soak.ts', ...process.argv.slice(2)].join(' ');
  const commit = outputOf('git', ['-C', import.meta.dirname, 'describe', '--always', '--dirty']);
  const machine = `${cpus().length} cores (${processor?.model.trim()}, Linux ${release()})`;
  return `Measured ${new Date().toISOString().slice(0, 10)} by \`${command}\` on ${machine}: Cutover ${commit} on Node ${process.version}.`;
}

function write(text: string): void {
  const page = readFileSync(DOCUMENT, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} has no markers for the soak`);
  writeFileSync(DOCUMENT, `${page.slice(0, from + BEGIN.length)}\n${text}\n${page.slice(to)}`);
}

function tableOf(r: SoakReport): string {
  const rows = [
    ['Time', `${(r.durationMs / 60_000).toFixed(1)} min`],
    ['Requests answered whole', `${r.answered} (${Math.round(r.answered / (r.durationMs / 1000))} a second)`],
    ['Requests failed', String(r.failures.length)],
    [`Requests lost on the connections of ${r.workerDeaths} killed workers`, String(r.lost.length)],
    ['Control killed, times', String(r.controlDeaths)],
    ['Reloads, all processes but main replaced', String(r.reloads)],
    ['Requests given up by their clients', String(r.left)],
    ['Upgrades to the end', String(r.upgrades)],
    ['Bad versions taken back', String(r.rollbacks)],
    ['Rolled back or deleted by hand in mid-release', String(r.undone)],
    ['Never ready', String(r.refused)],
    ['Time of an answer, median and 99 %', `${r.p50Ms} ms, ${r.p99Ms} ms`],
    ['Memory, second and last fifth', `${mebibytes(r.second.rssBytes)} MiB, ${mebibytes(r.last.rssBytes)} MiB`],
    ['Descriptors, second and last fifth', `${r.second.descriptors}, ${r.last.descriptors}`],
    ['Descriptors without a client, before and after', r.idleDescriptors.join(', ')],
  ];
  return ['| What | Measured |', '|---|---:|', ...rows.map(([what, value]) => `| ${what} | ${value} |`)].join('\n');
}
