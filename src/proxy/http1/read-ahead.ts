/**
 * Bytes of a connection that have been read and can't be used yet. Many small reads are joined in a buffer that doubles, so
 * that each byte is copied a few times at most, however finely a client cuts what it sends.
 */

/** When so many are held, no more should be read. */
const BYTES_MAX = 64 * 1024;
const NOTHING = Buffer.alloc(0);

export class ReadAhead {
  /** The used part of `#room`. */
  #bytes: Buffer = NOTHING;
  #room = NOTHING;

  /** How many bytes are held. */
  get length(): number {
    return this.#bytes.length;
  }

  get isFull(): boolean {
    return this.length > BYTES_MAX;
  }

  /** Holds a copy of these bytes behind those that are held. */
  add(bytes: Buffer): void {
    const held = this.#bytes;
    const length = held.length + bytes.length;
    if (length > this.#room.length) {
      this.#room = Buffer.allocUnsafeSlow(held.length === 0 ? length : length * 2);
      held.copy(this.#room);
    }
    bytes.copy(this.#room, held.length);
    this.#bytes = this.#room.subarray(0, length);
  }

  /** Gives up everything that is held; the buffer is the taker's own. */
  take(): Buffer {
    const bytes = this.#bytes;
    this.#bytes = NOTHING;
    this.#room = NOTHING;
    return bytes;
  }
}
