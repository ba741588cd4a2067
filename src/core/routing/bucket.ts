/**
 * The bucket that GRADUAL puts a client in, as the thesis's own program computes it: FNV-1 with 64 bits over the text,
 * modulo 100. The hash is kept as two 32-bit halves: a product of doubles would lose its low bits, and a BigInt would allocate on every
 * request.
 */

import { isWeightOfUuid, UUID_LENGTH, weightInUuid } from './uuid.ts';

const TWO_32 = 0x1_0000_0000;
/** FNV's 64-bit offset basis, 0xcbf29ce484222325. */
const BASIS_HIGH = 0xcbf29ce4 | 0;
const BASIS_LOW = 0x84222325 | 0;
/** FNV's 64-bit prime is 2^40 + 0x1b3. */
const PRIME_LOW = 0x1b3;

/** The bucket of a latin1 text, 0 to 99. */
export function bucketOf(text: string): number {
  let high = BASIS_HIGH;
  let low = BASIS_LOW;
  for (let i = 0; i < text.length; i += 1) {
    high = nextHigh(high, low);
    low = nextLow(low, text.charCodeAt(i) & 0xff);
  }
  return bucketFor(high, low);
}

/** The bucket of the UUID that stands at `from` in a latin1 text, as if it were in lower case; -1: none stands there. */
export function bucketOfUuidAt(text: string, from: number): number {
  const to = from + UUID_LENGTH;
  if (to > text.length) return -1;
  let high = BASIS_HIGH;
  let low = BASIS_LOW;
  let weight = 0;
  for (let i = from; i < to; i += 1) {
    const code = text.charCodeAt(i);
    weight += weightInUuid(code);
    high = nextHigh(high, low);
    low = nextLow(low, code | LOWER);
  }
  return isWeightOfUuid(weight, text, from) ? bucketFor(high, low) : -1;
}

/** Makes a letter lower-case, and leaves digits and dashes as they are. */
const LOWER = 0x20;

/** 2^40 times the low half falls into the high half as `low << 8`; in halves of 16 bits each product stays below 2^26. */
function nextHigh(high: number, low: number): number {
  const carry = ((low >>> 16) * PRIME_LOW + (((low & 0xffff) * PRIME_LOW) >>> 16)) >>> 16;
  return (Math.imul(high, PRIME_LOW) + (low << 8) + carry) | 0;
}

function nextLow(low: number, octet: number): number {
  return Math.imul(low, PRIME_LOW) ^ octet;
}

function bucketFor(high: number, low: number): number {
  return (((high >>> 0) % 100) * (TWO_32 % 100) + ((low >>> 0) % 100)) % 100;
}
