import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KnownIds } from '../../../src/core/routing/known-ids.ts';

test('each id of a chain is found where it stands in a text, and no other', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.uuid(), { maxLength: 120 }), fc.uuid(), fc.string(), (ids, other, before) => {
      const known = new KnownIds(ids);
      for (const id of ids) expect(known.at(`${before}${id};`, before.length)).toBe(id);
      if (!ids.includes(other)) expect(known.at(other, 0)).toBeUndefined();
    }),
  );
});

test('ids that look alike at first are told apart, and a text that ends too soon is none of them', () => {
  const ids = Array.from({ length: 9 }, (_, n) => `952c8557-2088-11e4-87e3-60030${n}a8245e`);
  const known = new KnownIds(ids);
  expect(ids.map((id) => known.at(id, 0))).toEqual(ids);
  expect(known.at('952c8557-2088-11e4-87e3-600309a8245e', 0)).toBeUndefined();
  expect(known.at('952c8557-2088', 0)).toBeUndefined();
  expect(known.at('', 0)).toBeUndefined();
});
