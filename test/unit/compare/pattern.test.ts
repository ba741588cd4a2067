/** Patterns find what JavaScript's regular expressions find, and never take long. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pattern } from '../../../src/core/compare/pattern.ts';

const cut = (source: string, text: string) => new Pattern(source).cutFrom(text, { steps: 10_000_000 });

test.each([
  ['\\d+ ms', 'took 12 ms, then 7 ms', 'took , then '],
  ['"time":"[^"]*",?', '{"time":"12:00","a":1}', '{"a":1}'],
  ['{"t":\\d+}', 'x{"t":5}y', 'xy'],
  ['<!--.*?-->', 'a<!-- 1 -->b<!-- 2 -->c', 'abc'],
  ['<!--.*-->', 'a<!-- 1 -->b<!-- 2 -->c', 'ac'],
  ['^a|a$', 'aba', 'b'],
  ['\\bid=\\w{2,3}\\b', 'id=ab gid=ab id=abcd id=abc', ' gid=ab id=abcd '],
  ['(?:ab|a)(c|bcd)?', 'abcd', 'd'],
  ['[^\\S\\n]+', 'a \t\nb', 'a\nb'],
  ['[\\x61-\\u0063]', 'abcd', 'd'],
  ['a{2}', 'aaaaa', 'a'],
  ['x*', 'axxb', 'ab'],
  ['', 'ab', 'ab'],
  ['é', 'café', 'caf'],
])('%s cut out of %j leaves %j', (source, text, rest) => {
  expect(cut(source, text)).toBe(rest);
  expect(text.replace(new RegExp(source, 'g'), '')).toBe(rest);
});

test.each([
  ['(a', 'a "(" is not closed'],
  ['a)', 'a ")" closes nothing'],
  ['[a', 'a "[" is not closed'],
  ['[b-a]', 'a range in "[...]" is out of order'],
  ['*a', 'there is nothing to repeat'],
  ['a**', 'there is nothing to repeat'],
  ['a{3,2}', 'a count is out of order'],
  ['a{2000}', 'a count is above 1000'],
  ['((a{50}){50}){50}', 'its counts make it too large'],
  ['(a)\\1', '"\\1" is not supported'],
  ['(?<=a)b', '"(?" other than "(?:" is not supported'],
  ['\\p{L}', '"\\p" is not supported'],
  ['a\\', 'it ends in a backslash'],
  ['\\x1', '2 hex digits are missing'],
  ['a'.repeat(201), 'it has more than 200 characters'],
  [`${'('.repeat(60)}${')'.repeat(60)}`, 'its groups are nested too deeply'],
])('%s is refused: %s', (source, why) => {
  expect(() => new Pattern(source)).toThrow(why);
});

describe('against the real ones', () => {
  const atom = fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '\\d', '\\w', '\\s', '\\b', '^', '$');
  const source: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      atom,
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
      fc
        .tuple(
          fc.constantFrom('a', 'b', '[ab]', '(a|bc)', '(ab|a)', '.'),
          fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}?'),
        )
        .map(([a, b]) => a + b),
    ),
  })).node;

  test('the same is cut out', () => {
    fc.assert(
      fc.property(
        source,
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', ' ', '\n'), maxLength: 30 }),
        (pattern, text) => {
          expect(cut(pattern, text)).toBe(text.replace(new RegExp(pattern, 'g'), ''));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

test.each(['(a+)+$', '(a|a)*b', 'a*a*a*a*a*b', '(a|b|ab)*c'])(
  '%s on a long text costs what it may and no more',
  (source) => {
    const allowance = { steps: 100_000 };
    expect(new Pattern(source).cutFrom('a'.repeat(64 * 1024), allowance)).toBeNull();
    expect(allowance.steps).toBeGreaterThan(-1000);
  },
);
