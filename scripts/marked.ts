/** Documents whose tables are measured: the part between two markers is written by a program, the rest by people. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Puts `text` between `<!-- name: begin -->` and `<!-- name: end -->`. */
export function replaceMarked(file: string, name: string, text: string): void {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const before = readFileSync(file, 'utf8');
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no markers for ${name}`);
  writeFileSync(file, `${before.slice(0, from + begin.length)}\n${text}\n${before.slice(to)}`);
}
