/** The tests that `docs/reliability.md` names are there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MATRIX } from '../faults/matrix.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8');
const named = [...page.matchAll(/`(test\/[\w/.-]+\.test\.ts)`: (.+?)(?:\. | \|)/g)].map((match) => [
  match[1] as string,
  (match[2] as string).trim(),
]);

test('some are named', () => {
  expect(named.length).toBeGreaterThan(35);
});

test.for(named)('%s: %s', ([file, title]) => {
  expect(readFileSync(join(ROOT, file as string), 'utf8')).toContain(title);
});

test('the table has the rows of the matrix', () => {
  const table = page.slice(page.indexOf('fault-table: begin'), page.indexOf('fault-table: end'));
  const rows = [...table.matchAll(/^\| (.+?) \|/gm)].map((match) => match[1]);
  expect(rows.slice(1)).toEqual(MATRIX.map(({ name }) => name));
});
