import { expect, test } from 'vitest';
import { ParserPool } from '../../../src/proxy/http1/parser-pool.ts';
import { limits } from '../http/replay.ts';

test('a parser that was given back is lent again, to one at a time', () => {
  const pool = new ParserPool(limits);
  const first = pool.take();
  expect(pool.take()).not.toBe(first);
  pool.give(first);
  expect(pool.take()).toBe(first);
});

test('what lies ready is bounded', () => {
  const pool = new ParserPool(limits);
  const many = new Set(Array.from({ length: 1000 }, () => pool.take()));
  for (const parser of many) pool.give(parser);
  const again = Array.from({ length: 1000 }, () => pool.take());
  expect(again.filter((parser) => many.has(parser)).length).toBe(256);
});
