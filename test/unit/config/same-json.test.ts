import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sameJson } from '../../../src/core/config/same-json.ts';

/** The same value with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

/** JSON with the keys in order; `__proto__` can't be told apart in a literal of it. */
const text = (value: unknown): string =>
  JSON.stringify(value, (_key, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

const json = fc.jsonValue({ maxDepth: 3, noUnicodeString: true }).map((value) => JSON.parse(JSON.stringify(value)));

test('a value is the same as itself, its keys in whatever order', () => {
  fc.assert(fc.property(json, (value) => sameJson(value, reversed(value))));
});

test('two values are the same when their ordered texts are', () => {
  fc.assert(fc.property(json, json, (a, b) => sameJson(a, b) === (text(a) === text(b))));
});

test.for([
  [[], {}],
  [null, {}],
  [{ a: 1 }, { b: 1 }],
  [{ a: 1 }, { a: 1, b: 1 }],
  [
    [1, 2],
    [2, 1],
  ],
  [['1'], '1'],
  [{ a: undefined }, { b: 1 }],
])('%j differs from %j', ([a, b]) => {
  expect(sameJson(a, b)).toBe(false);
  expect(sameJson(b, a)).toBe(false);
});
