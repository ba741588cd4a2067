/**
 * A hash of 64 bits over a stream of bytes, whatever pieces it comes in. It tells answers apart that differ by accident; it is no
 * defence against someone who wants two bodies to look alike. Two lanes of 32 bits, which is what JavaScript calculates fast
 * with, each mixed as in MurmurHash3 (Appleby 2011), four bytes at a time.
 */
export class StreamHash {
  #low = 0x811c9dc5 | 0;
  #high = 0x9747b28c | 0;
  /** Bytes that don't make a word yet, the first one lowest, and how many bits they have. */
  #rest = 0;
  #restBits = 0;
  #length = 0;

  update(bytes: Uint8Array, from: number, to: number): void {
    this.#length += to - from;
    let index = from;
    while (this.#restBits > 0 && index < to) this.#addByte(bytes[index++] as number);
    let low = this.#low;
    let high = this.#high;
    for (; index + 4 <= to; index += 4) {
      const word =
        (bytes[index] as number) |
        ((bytes[index + 1] as number) << 8) |
        ((bytes[index + 2] as number) << 16) |
        ((bytes[index + 3] as number) << 24);
      low = mixLow(low, word);
      high = mixHigh(high, word);
    }
    this.#low = low;
    this.#high = high;
    while (index < to) this.#addByte(bytes[index++] as number);
  }

  /** 16 hex digits. */
  text(): string {
    const low = mixLow(mixLow(this.#low, this.#rest), this.#length | 0);
    const high = mixHigh(mixHigh(this.#high, this.#rest), this.#length | 0);
    return hex(high) + hex(low);
  }

  #addByte(byte: number): void {
    this.#rest |= byte << this.#restBits;
    this.#restBits += 8;
    if (this.#restBits < 32) return;
    this.#low = mixLow(this.#low, this.#rest);
    this.#high = mixHigh(this.#high, this.#rest);
    this.#rest = 0;
    this.#restBits = 0;
  }
}

// For a given word each of these can be undone, so that two lanes that differ once meet again only by chance.

function mixLow(lane: number, word: number): number {
  const spread = Math.imul(word, 0xcc9e2d51);
  const mixed = lane ^ Math.imul((spread << 15) | (spread >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function mixHigh(lane: number, word: number): number {
  const spread = Math.imul(word, 0x239b961b);
  const mixed = lane ^ Math.imul((spread << 16) | (spread >>> 16), 0xab0e9789);
  return (Math.imul((mixed << 17) | (mixed >>> 15), 5) + 0x561ccd1b) | 0;
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}
