/**
 * Buffers that are used again. A new one for each piece of a long body is memory that the collector has to trace the heap
 * for: of the cost of a 1 MiB answer, more than half was that.
 */

/** Sizes that are lent; what needs more or less takes the next larger one, and never more than the largest. */
const SIZES = [4 * 1024, 16 * 1024, 64 * 1024] as const;
export const POOLED_BYTES_MAX = 64 * 1024;
/** What lies ready of each size. */
const FREE_BYTES_MAX = 4 * 1024 * 1024;
/**
 * What a long body is read into: the larger, the fewer calls, and the fewer times its reader is woken. There are no more than so
 * many, however many slow readers; beyond them it is a buffer of the largest size above.
 */
export const BODY_BYTES = 512 * 1024;
export const BODY_BUFFERS_MAX = 32;

export class BufferPool {
  readonly #free: readonly Buffer[][] = SIZES.map(() => []);
  readonly #freeForBodies: Buffer[] = [];
  #outForBodies = 0;

  /** A buffer of at least `bytes` octets, or of the largest size. Its content is undefined. */
  take(bytes: number): Buffer {
    let index = 0;
    while (index < SIZES.length - 1 && (SIZES[index] as number) < bytes) index += 1;
    return this.#free[index]?.pop() ?? Buffer.allocUnsafeSlow(SIZES[index] as number);
  }

  /** A buffer to read the pieces of a long body into. */
  takeForBody(): Buffer {
    if (this.#outForBodies >= BODY_BUFFERS_MAX) return this.take(POOLED_BYTES_MAX);
    this.#outForBodies += 1;
    return this.#freeForBodies.pop() ?? Buffer.allocUnsafeSlow(BODY_BYTES);
  }

  /** Takes one back that nobody reads or writes any more. */
  give(buffer: Buffer): void {
    if (buffer.length === BODY_BYTES) {
      this.#outForBodies -= 1;
      this.#freeForBodies.push(buffer);
      return;
    }
    const index = SIZES.indexOf(buffer.length as (typeof SIZES)[number]);
    const free = this.#free[index];
    if (free !== undefined && free.length * buffer.length < FREE_BYTES_MAX) free.push(buffer);
  }
}
