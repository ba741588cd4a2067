import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Recent, servedLately, withServed } from '../../../src/core/release/recent.ts';

const add = (recent: Recent, requests: number, failures = 0): Recent =>
  withServed(recent, { requests, failures, unpaired: failures });

test('what is old leaves, once a thousand younger requests are there', () => {
  let recent = add([], 100, 100);
  for (let i = 0; i < 9; i += 1) recent = add(recent, 100);
  expect(servedLately(recent)).toEqual({ requests: 1000, failures: 100, unpaired: 100 });
  recent = add(recent, 99);
  expect(servedLately(recent).failures).toBe(100);
  recent = add(recent, 1);
  expect(servedLately(recent)).toEqual({ requests: 1000, failures: 0, unpaired: 0 });
});

test('it stays small, and says as much as it can', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 60 }), (counts) => {
      const recent = counts.reduce<Recent>((before, count) => add(before, count), []);
      const total = counts.reduce((sum, count) => sum + count, 0);
      expect(recent.length).toBeLessThanOrEqual(11);
      expect(servedLately(recent).requests).toBeGreaterThanOrEqual(Math.min(total, 1000));
      expect(servedLately(recent.slice(0, -1)).requests).toBeLessThan(1000);
    }),
  );
});
