import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketOf, bucketOfUuidAt } from '../../../src/core/routing/bucket.ts';
import { isUuidAt } from '../../../src/core/routing/uuid.ts';

test.each([
  ['a37a290f-2088-11e4-b3a6-600308a8245e', 1],
  ['a37a2633-2088-11e4-b3a6-600308a8245e', 2],
  ['952c8557-2088-11e4-87e3-600308a8245e', 3],
  ['10671a7f-2087-11e4-bf9e-600308a8245e', 4],
  ['73f9e08a-2089-11e4-b5af-600308a8245e', 10],
  ['106719e4-2087-11e4-bf9e-600308a8245e', 80],
])("the thesis's program puts %s in bucket %i", (id, bucket) => {
  expect(bucketOf(id)).toBe(bucket);
});

test('the halves compute what 64-bit arithmetic does, for any latin1 text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      let hash = 0xcbf29ce484222325n;
      for (const byte of bytes) hash = BigInt.asUintN(64, hash * 0x100000001b3n) ^ BigInt(byte);
      expect(bucketOf(Buffer.from(bytes).toString('latin1'))).toBe(Number(hash % 100n));
    }),
  );
});

test('a UUID within a text has the bucket that it has alone, in lower case', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.string(), fc.boolean(), (id, before, upper) => {
      const text = `${before}${upper ? id.toUpperCase() : id}; b=2`;
      expect(bucketOfUuidAt(text, before.length)).toBe(bucketOf(id));
    }),
  );
});

test('what is no UUID has none of their buckets', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.nat({ max: 35 }), fc.nat({ max: 255 }), (id, place, code) => {
      const text = id.slice(0, place) + String.fromCharCode(code) + id.slice(place + 1);
      expect(bucketOfUuidAt(text, 0) >= 0).toBe(isUuidAt(text, 0));
    }),
  );
  expect(bucketOfUuidAt('a37a290f-2088-11e4-b3a6-600308a8245', 0)).toBe(-1);
});
