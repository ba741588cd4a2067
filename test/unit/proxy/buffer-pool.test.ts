import { expect, test } from 'vitest';
import { BufferPool, POOLED_BYTES_MAX } from '../../../src/proxy/buffer-pool.ts';
import { KeptBytes } from '../../../src/proxy/kept-bytes.ts';

test('a buffer that was given back is lent again, to one at a time', () => {
  const pool = new BufferPool();
  const first = pool.take(10_000);
  expect(first.length).toBeGreaterThanOrEqual(10_000);
  expect(pool.take(10_000)).not.toBe(first);
  pool.give(first);
  expect(pool.take(10_000)).toBe(first);
});

test('never more than the largest size, however much is asked for', () => {
  expect(new BufferPool().take(1e9).length).toBe(POOLED_BYTES_MAX);
});

test('what lies ready is bounded, and what is not of the pool is not taken', () => {
  const pool = new BufferPool();
  const many = Array.from({ length: 200 }, () => pool.take(POOLED_BYTES_MAX));
  for (const buffer of many) pool.give(buffer);
  pool.give(Buffer.alloc(5000));
  const again = new Set(Array.from({ length: 200 }, () => pool.take(POOLED_BYTES_MAX)));
  expect([...again].filter((buffer) => many.includes(buffer)).length).toBe(64);
});

test('kept bytes go back to the pool when they are let go, and are nobody else’s until then', () => {
  const pool = new BufferPool();
  const kept = new KeptBytes(pool);
  kept.add(Buffer.alloc(200_000, 'a'), 0, 200_000);
  pool.take(POOLED_BYTES_MAX).fill('b');
  let text = '';
  kept.giveTo((bytes, from, to) => {
    text += bytes.toString('latin1', from, to);
  });
  expect(text).toBe('a'.repeat(200_000));
  const lent: Buffer[] = [];
  kept.giveTo((bytes) => {
    lent.push(bytes);
  });
  kept.clear();
  expect(lent).toContain(pool.take(POOLED_BYTES_MAX));
  expect(kept.bytes).toBe(0);
});
