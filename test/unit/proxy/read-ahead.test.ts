/** However finely a client cuts what it sends ahead, what is held of it is whole, and costs about its size. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ReadAhead } from '../../../src/proxy/http1/read-ahead.ts';

const pieceSizes = fc.array(fc.oneof(fc.nat(20), fc.nat(5000), fc.nat(70_000)), { maxLength: 40 });

/** Buffers of these sizes, every byte with a value of its own place. */
function buffersOf(sizes: readonly number[]): Buffer[] {
  let next = 0;
  return sizes.map((size) => Buffer.from(Array.from({ length: size }, () => (next++ * 7) & 0xff)));
}

describe('bytes that are read ahead', () => {
  it('are all there, in order, and then gone', () => {
    fc.assert(
      fc.property(pieceSizes, (sizes) => {
        const ahead = new ReadAhead();
        const buffers = buffersOf(sizes);
        for (const buffer of buffers) {
          const lent = Buffer.from(buffer);
          ahead.add(lent);
          lent.fill(0xee);
        }
        const all = Buffer.concat(buffers);
        expect(ahead.length).toBe(all.length);
        expect(ahead.take().equals(all)).toBe(true);
        expect(ahead.length).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('stay as they were taken when more comes', () => {
    const ahead = new ReadAhead();
    for (const text of ['first, ', 'second']) ahead.add(Buffer.from(text));
    const taken = ahead.take();
    for (const text of ['third, ', 'fourth']) ahead.add(Buffer.from(text));
    expect(taken.toString()).toBe('first, second');
    expect(ahead.take().toString()).toBe('third, fourth');
  });

  it('cost a few allocations, however small the reads are', () => {
    const ahead = new ReadAhead();
    const one = Buffer.from('x');
    const allocate = vi.spyOn(Buffer, 'allocUnsafeSlow');
    for (let n = 0; n < 65_536; n += 1) ahead.add(one);
    expect(allocate.mock.calls.length).toBeLessThan(20);
    allocate.mockRestore();
    expect(ahead.length).toBe(65_536);
  });
});
