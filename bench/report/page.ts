/** The part of docs/performance.md that the bench writes: what must be reached, then each section with its picture. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { replaceMarked } from '../../scripts/marked.ts';
import { chart } from './chart.ts';
import type { Section, Target } from './section.ts';
import { table } from './table.ts';

const DOCS = join(import.meta.dirname, '../../docs');

export interface Circumstances {
  readonly command: string;
  readonly versions: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly tookMs: number;
}

export function writePage(sections: readonly Section[], circumstances: Circumstances): void {
  mkdirSync(join(DOCS, 'images'), { recursive: true });
  for (const { picture } of sections) {
    if (picture !== undefined) writeFileSync(join(DOCS, imageOf(picture.name)), chart(picture));
  }
  const targets = sections.flatMap((section) => section.targets);
  const parts = [
    measuredBy(circumstances),
    `## What must be reached\n\n${targetTable(targets)}`,
    ...sections.map(sectionText),
  ];
  replaceMarked(join(DOCS, 'performance.md'), 'bench', parts.join('\n\n'));
}

export function targetTable(targets: readonly Target[]): string {
  const rows = targets.map(({ what, limit, measured, isMet }) => [
    what,
    limit,
    measured,
    isMet ? 'met' : '**not met**',
  ]);
  return table(['Case', 'at most', 'measured', ''], rows);
}

function sectionText({ title, text, picture }: Section): string {
  const image = picture === undefined ? [] : [`![${picture.title}, ${picture.unit}](${imageOf(picture.name)})`];
  return [`## ${title}`, ...image, text].join('\n\n');
}

const imageOf = (name: string): string => `images/bench-${name}.svg`;

function measuredBy({ command, versions, rounds, seconds, tookMs }: Circumstances): string {
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${memoryGiB} GiB, ${type()} ${release()}`;
  const took = `${Math.round(tookMs / 60_000)} minutes`;
  return `Measured on ${new Date().toISOString().slice(0, 10)} by \`${command}\`, rounds: ${rounds} of ${seconds} s each, in ${took}.

- Machine: ${machine}
${versions.map((version) => `- ${version}`).join('\n')}`;
}
