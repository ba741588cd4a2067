/**
 * A hash of 64 bits over a stream of bytes, whatever pieces it comes in. It tells answers apart that differ by accident; it is no
 * defence against someone who wants two bodies to look alike. Two lanes of 32 bits, as a number of 64 would be no number.
 */
export class StreamHash {
  #low = 0x811c9dc5 | 0;
  #high = 0x9747b28c | 0;

  update(bytes: Uint8Array, from: number, to: number): void {
    let low = this.#low;
    let high = this.#high;
    for (let index = from; index < to; index += 1) {
      const byte = bytes[index] as number;
      // FNV-1a (low) and a lane with another multiplier whose high bits come down again: for a given byte each step can be undone,
      // so that a difference once made is lost only by chance.
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul(high ^ byte, 0x5bd1e995);
      high ^= high >>> 15;
    }
    this.#low = low;
    this.#high = high;
  }

  /** 16 hex digits. */
  text(): string {
    return hex(this.#high) + hex(this.#low);
  }
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}
