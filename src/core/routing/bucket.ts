/**
 * The bucket that GRADUAL puts a client in, as the thesis's own program computes it: FNV-1 with 64 bits over the text,
 * modulo 100. The hash is kept as two 32-bit halves, and multiplied in pieces that stay whole numbers of 32 bits: a product of
 * doubles would lose its low bits, and a BigInt would allocate on every request.
 */

import { UUID_LENGTH } from './uuid.ts';

const TWO_32 = 0x1_0000_0000;
/** FNV's 64-bit offset basis, 0xcbf29ce484222325. */
const BASIS_HIGH = 0xcbf29ce4 | 0;
const BASIS_LOW = 0x84222325 | 0;
/** FNV's 64-bit prime is 2^40 + 0x1b3. */
const PRIME_LOW = 0x1b3;

/** The bucket of a latin1 text, 0 to 99. */
export function bucketOf(text: string): number {
  return hash(text, { from: 0, to: text.length, fold: 0 });
}

/** The bucket of the UUID that stands at `from`, as if it were in lower case. */
export function bucketOfUuidAt(text: string, from: number): number {
  return hash(text, { from, to: from + UUID_LENGTH, fold: LOWER });
}

/** Makes a letter lower-case, and leaves digits and dashes as they are. */
const LOWER = 0x20;

function hash(text: string, { from, to, fold }: { from: number; to: number; fold: number }): number {
  let high = BASIS_HIGH;
  let low = BASIS_LOW;
  for (let i = from; i < to; i += 1) {
    // In halves of 16 bits each product stays below 2^26. 2^40 times the low half falls into the high half as `low << 8`.
    const first = (low & 0xffff) * PRIME_LOW;
    const second = (low >>> 16) * PRIME_LOW + (first >>> 16);
    high = (Math.imul(high, PRIME_LOW) + (low << 8) + (second >>> 16)) | 0;
    low = ((second << 16) | (first & 0xffff)) ^ ((text.charCodeAt(i) & 0xff) | fold);
  }
  return (((high >>> 0) % 100) * (TWO_32 % 100) + ((low >>> 0) % 100)) % 100;
}
