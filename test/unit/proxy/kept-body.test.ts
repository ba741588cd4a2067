import { expect, test } from 'vitest';
import { BufferPool } from '../../../src/proxy/buffer-pool.ts';
import { KeptBody } from '../../../src/proxy/kept-body.ts';

const ROOM = { take: () => true, give: () => {} };

function given(body: KeptBody): string {
  const pieces: string[] = [];
  body.giveTo({
    body: (bytes, from, to) => {
      pieces.push(bytes.toString('latin1', from, to));
      return true;
    },
    end: () => {},
  });
  return pieces.join('');
}

test('what is kept is a copy: the bytes were lent', () => {
  const body = new KeptBody(ROOM, new BufferPool());
  const lent = Buffer.from('first');
  body.add(lent, 0, 5);
  lent.fill('x');
  body.add(lent, 1, 3);
  expect(given(body)).toBe('firstxx');
});

test('pieces of any size come again whole, and the second time too', () => {
  const body = new KeptBody(ROOM, new BufferPool());
  let all = '';
  for (const size of [1, 1, 1023, 5, 64 * 1024, 200_000, 0, 3]) {
    const piece = Buffer.alloc(size, String.fromCharCode(97 + (all.length % 26)));
    all += piece.toString('latin1');
    body.add(piece, 0, size);
  }
  expect(given(body)).toBe(all);
  expect(given(body)).toBe(all);
  expect(body.bytes).toBe(all.length);
});

test('a body that comes an octet at a time is not kept in a buffer for each', () => {
  const body = new KeptBody(ROOM, new BufferPool());
  const octet = Buffer.from('a');
  for (let count = 0; count < 10_000; count += 1) body.add(octet, 0, 1);
  let buffers = 0;
  body.giveTo({
    body: () => {
      buffers += 1;
      return true;
    },
    end: () => {},
  });
  expect(buffers).toBeLessThan(10);
});

test('with no room left nothing is kept, and what was taken is given back', () => {
  let taken = 0;
  const budget = {
    take: (bytes: number) => {
      if (taken + bytes > 10) return false;
      taken += bytes;
      return true;
    },
    give: (bytes: number) => {
      taken -= bytes;
    },
  };
  const body = new KeptBody(budget, new BufferPool());
  body.add(Buffer.alloc(8), 0, 8);
  expect(body.whole).toBe(true);
  body.add(Buffer.alloc(8), 0, 8);
  expect(body.whole).toBe(false);
  expect(taken).toBe(0);
  expect(given(body)).toBe('');
});
