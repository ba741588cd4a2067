/**
 * Bytes that were lent and are to stay for a while, copied into few chunks: at first a small one, then as much again as there
 * is, so that neither many small pieces nor a few large ones cost more than they hold.
 */
import { type BufferPool, POOLED_BYTES_MAX } from './buffer-pool.ts';

/** Smaller chunks are not worth a place in the pool. */
const UNPOOLED_BYTES_MAX = 2 * 1024;
const CHUNK_BYTES_MIN = 256;

export class KeptBytes {
  readonly #pool: Pick<BufferPool, 'take' | 'give'>;
  /** Full ones, and the one that is being filled. */
  #chunks: Buffer[] = [];
  /** How much of the last chunk is filled. */
  #filled = 0;
  #bytes = 0;

  constructor(pool: Pick<BufferPool, 'take' | 'give'>) {
    this.#pool = pool;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: Buffer, from: number, to: number): void {
    while (from < to) {
      let chunk = this.#chunks.at(-1);
      if (chunk === undefined || this.#filled === chunk.length) {
        chunk = this.#chunkFor(Math.max(CHUNK_BYTES_MIN, to - from, this.#bytes));
        this.#chunks.push(chunk);
        this.#filled = 0;
      }
      const count = bytes.copy(chunk, this.#filled, from, to);
      this.#filled += count;
      this.#bytes += count;
      from += count;
    }
  }

  /** Lends everything again, piece by piece. */
  giveTo(take: (bytes: Buffer, from: number, to: number) => void): void {
    const last = this.#chunks.length - 1;
    for (const [index, chunk] of this.#chunks.entries()) take(chunk, 0, index === last ? this.#filled : chunk.length);
  }

  /** Lets go of everything. */
  clear(): void {
    for (const chunk of this.#chunks) this.#pool.give(chunk);
    this.#chunks = [];
    this.#filled = 0;
    this.#bytes = 0;
  }

  #chunkFor(wanted: number): Buffer {
    if (wanted <= UNPOOLED_BYTES_MAX) return Buffer.allocUnsafe(wanted);
    return this.#pool.take(Math.min(wanted, POOLED_BYTES_MAX));
  }
}
