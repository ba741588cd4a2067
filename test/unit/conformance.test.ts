/** `docs/conformance.md` has each requirement once, in order, and the tests that it names are there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/conformance.md'), 'utf8');
const items = page.split(/^(?=\d+\. )/m).slice(1);

/** The titles that a file gives to its tests and groups, `%s` and the like included. */
function titlesOf(file: string): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const calls = text.matchAll(/\b(?:test|it|describe)(?:\.(?:for|each)\b[\s\S]*?\))?\(\s*(['"`])((?:(?!\1).)+)\1/g);
  return [...calls].map((match) => match[2] as string);
}

test('the requirements are numbered from 1 to 54', () => {
  expect(items.map((item) => Number.parseInt(item, 10))).toEqual(Array.from({ length: 54 }, (_, index) => index + 1));
});

describe.for(items.map((item) => [item.split(':')[0] as string, item] as const))('%s', ([, item]) => {
  const named = [...item.matchAll(/^ +- `(test\/[\w/.-]+\.test\.ts)`: (.+)$/gm)];

  test('names a test', () => {
    expect(named.length).toBeGreaterThan(0);
  });

  test.for(named.map((match) => [match[1] as string, match[2] as string] as const))('%s: %s', ([file, title]) => {
    expect(titlesOf(file)).toContain(title);
  });
});
