/** Parts of a JSON text, named and left out. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJsonPath, withoutParts } from '../../../src/core/compare/json-path.ts';

const without = (text: string, ...paths: readonly string[]) =>
  withoutParts(
    text,
    paths.map((path) => parseJsonPath(path) ?? []),
  );

test.each([
  ['$.time', ['time']],
  ['$.a.b', ['a', 'b']],
  ['$.items[*].id', ['items', null, 'id']],
  ['$[0].*', [0, null]],
  ['$[\'a b\']["c.d"]', ['a b', 'c.d']],
  ['$.größe', ['größe']],
])('%s', (text, path) => {
  expect(parseJsonPath(text)).toEqual(path);
});

test.each(['', '$', 'time', '$time', '$..id', '$.a[?(@.b)]', '$.a[1:2]', '$.a[', '$.', '$.a b', '$[-1]'])(
  '%j is no path',
  (text) => {
    expect(parseJsonPath(text)).toBeNull();
  },
);

test.each([
  ['{"time":1,"a":2}', ['$.time'], '{"a":2}'],
  ['{"b":1,"a":2}', [], '{"a":2,"b":1}'],
  ['{ "a" : [ {"id":1,"n":2}, {"id":3} ] }', ['$.a[*].id'], '{"a":[{"n":2},{}]}'],
  ['[1,2,3]', ['$[1]'], '[1,3]'],
  ['{"a":{"x":1},"b":{"x":1}}', ['$.*.x'], '{"a":{},"b":{}}'],
  ['{"1":true}', ['$[1]'], '{"1":true}'],
  ['{"__proto__":{"a":1},"b":null}', ['$.b'], '{"__proto__":{"a":1}}'],
  ['"text"', ['$.a'], '"text"'],
])('%s without %j is %s', (text, paths, rest) => {
  expect(without(text, ...paths)).toBe(rest);
});

test.each(['', '{', '{"a":1}x', '['.repeat(1000) + ']'.repeat(1000)])('no JSON that is looked at: %j', (text) => {
  expect(without(text, '$.a')).toBeNull();
});

test('what is ignored never matters, what is not always does', () => {
  const member = fc.constantFrom('a', 'b', 'time');
  const value = fc.jsonValue({ maxDepth: 2 });
  fc.assert(
    fc.property(fc.dictionary(member, value), value, value, (object, one, other) => {
      const text = (time: unknown) => JSON.stringify({ ...object, time });
      expect(without(text(one), '$.time')).toBe(without(text(other), '$.time'));
      const same = without(JSON.stringify([one])) === without(JSON.stringify([other]));
      expect(without(text(one), '$.a') === without(text(other), '$.a')).toBe(same);
    }),
  );
});
