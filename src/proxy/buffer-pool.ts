/**
 * Buffers that are used again. A new one for each piece of a long body is memory that the collector has to trace the heap
 * for: of the cost of a 1 MiB answer, more than half was that.
 */

/** Sizes that are lent; what needs more or less takes the next larger one, and never more than the largest. */
const SIZES = [4 * 1024, 16 * 1024, 64 * 1024] as const;
export const POOLED_BYTES_MAX = 64 * 1024;
/** What lies ready of each size. */
const FREE_BYTES_MAX = 4 * 1024 * 1024;

export class BufferPool {
  readonly #free: readonly Buffer[][] = SIZES.map(() => []);

  /** A buffer of at least `bytes` octets, or of the largest size. Its content is undefined. */
  take(bytes: number): Buffer {
    let index = 0;
    while (index < SIZES.length - 1 && (SIZES[index] as number) < bytes) index += 1;
    return this.#free[index]?.pop() ?? Buffer.allocUnsafeSlow(SIZES[index] as number);
  }

  /** Takes one back that nobody reads or writes any more. */
  give(buffer: Buffer): void {
    const index = SIZES.indexOf(buffer.length as (typeof SIZES)[number]);
    const free = this.#free[index];
    if (free !== undefined && free.length * buffer.length < FREE_BYTES_MAX) free.push(buffer);
  }
}
