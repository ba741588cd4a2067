/** How soon a process that ended is started again: at once, and ever later while it ends again and again. */

const FIRST_MS = 100;
const MAX_MS = 5_000;
/** Who has lived so long did not end for the reason of its start. */
const LONG_MS = 10_000;

export class BackOff {
  #delayMs = 0;
  #startedMs = Number.NEGATIVE_INFINITY;

  /** Notes a start. */
  started(nowMs: number): void {
    this.#startedMs = nowMs;
  }

  /** The delay after an end, milliseconds. */
  next(nowMs: number): number {
    const livedLong = nowMs - this.#startedMs >= LONG_MS;
    const delayMs = livedLong ? 0 : this.#delayMs;
    this.#delayMs = delayMs === 0 ? FIRST_MS : Math.min(delayMs * 2, MAX_MS);
    return delayMs;
  }
}
