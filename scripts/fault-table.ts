/**
 * Measures the fault matrix: Cutover as it is built in each mode, and other proxies, all by the rows and the load of
 * `test/faults/`. Writes the table into `docs/reliability.md`, between its markers.
 *
 * `node scripts/fault-table.ts [--requests 2000] [--only nginx,INSTANT] [--rows "500 always"] [--print]`
 */
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MODES } from '../src/core/config/model.ts';
import { type Sorted, sort } from '../test/faults/judge.ts';
import { CLIENTS } from '../test/faults/load.ts';
import { MATRIX, type Row } from '../test/faults/matrix.ts';
import { type RowSize, runRow } from '../test/faults/run-row.ts';
import { caddy } from '../test/faults/subjects/caddy.ts';
import { cutoverProcess } from '../test/faults/subjects/cutover.ts';
import { haproxy } from '../test/faults/subjects/haproxy.ts';
import { nginx } from '../test/faults/subjects/nginx.ts';
import { type Subject, TIMEOUTS_S } from '../test/faults/subjects/subject.ts';
import { ensureCommands } from './debian.ts';
import { replaceMarked } from './marked.ts';

const DOCUMENT = join(import.meta.dirname, '../docs/reliability.md');

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string', default: '2000' },
    only: { type: 'string' },
    rows: { type: 'string' },
    print: { type: 'boolean', default: false },
  },
});

const SUBJECTS: readonly Subject[] = [...MODES.map(cutoverProcess), nginx, haproxy, caddy];
const subjects = SUBJECTS.filter(({ name }) => options.only === undefined || options.only.split(',').includes(name));
const rows = MATRIX.filter(({ name }) => options.rows === undefined || options.rows.split(',').includes(name));
const size: RowSize = { requests: Number(options.requests), limitMs: 20_000 };

ensureCommands(Object.assign({}, ...subjects.map(({ packages }) => packages)));
const lines: string[] = [];
for (const row of rows) lines.push(await measure(row));
const report = render(lines);
if (options.print) console.log(report);
else replaceMarked(DOCUMENT, 'fault-table', report);

async function measure(row: Row): Promise<string> {
  const cells: string[] = [];
  for (const subject of subjects) {
    const sorted = sort(await runRow(subject, row, size));
    cells.push(cellOf(row, sorted));
    console.error(`${row.name.padEnd(34)} ${subject.name.padEnd(10)} ${cells.at(-1)} of ${sorted.requests}`);
  }
  return `| ${row.name} | ${cells.join(' | ')} |`;
}

/** Lost requests; what the write policy keeps from being hidden; what looked whole and was not; what was done twice. */
function cellOf({ expected }: Row, { lost: failed, forbidden, doubled, requests }: Sorted): string {
  // Where nobody can answer, a whole answer that says so is all that can be had.
  const untold = [...failed, ...forbidden].filter(({ kind }) => kind !== 'error');
  const lost = expected.answers === 'whole' ? failed : untold;
  const wrong = lost.filter(({ kind }) => kind === 'wrong').length;
  const parts = [lost.length === 0 ? '0' : `**${lost.length}**`];
  if (forbidden.length > 0 && expected.answers === 'whole') parts.push(`+${forbidden.length}`);
  if (wrong > 0) parts.push(`(${wrong} as whole)`);
  if (doubled > 0) parts.push(`(${doubled} POSTs twice)`);
  if (requests < size.requests) parts.push(`of ${requests}`);
  return parts.join(' ');
}

function render(table: readonly string[]): string {
  const names = subjects.map(({ name }) => name);
  const versions = new Set(subjects.map((subject) => subject.version()));
  const [processor] = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  const command = ['node scripts/fault-table.ts', ...process.argv.slice(2)].join(' ');
  const { connect, response, idleBody } = TIMEOUTS_S;
  return `Measured ${new Date().toISOString().slice(0, 10)} by \`${command}\` on ${cpus().length} cores (${processor?.model.trim()}, ${memoryGiB} GiB, Linux ${release()}), with ${CLIENTS} keep-alive clients and about ${size.requests} requests in each cell; bounds for all: connection ${connect} s, head of the answer ${response} s, pause in a body ${idleBody} s. ${[...versions].join('; ')}.

| New version | ${names.join(' | ')} |
|---|${names.map(() => '---:|').join('')}
${table.join('\n')}`;
}
