/** The bound on what the exchanges of one process keep and hold together (`limits.bufferBytes`). */
import type { Counters } from '../core/counters.ts';

export class BufferBudget {
  readonly #bytesMax: number;
  readonly #counters: Pick<Counters, 'buffersFull'>;
  #usedBytes = 0;

  constructor(bytesMax: number, counters: Pick<Counters, 'buffersFull'>) {
    this.#bytesMax = bytesMax;
    this.#counters = counters;
  }

  /** Takes room for so many bytes, or says that there is none and takes nothing. */
  take(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#bytesMax) {
      this.#counters.buffersFull += 1;
      return false;
    }
    this.#usedBytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }
}
