/**
 * How a worker raises a GRADUAL threshold by itself: with each answer at once, so that the very next request meets it, as it would
 * in one process. Control counts the same answers a moment later by the same function; what it says of its count
 * says how many of this worker's it has seen. It allows this to the only worker alone, and no further than the threshold is durable
 * ahead of its use.
 */
import { thresholdAfter } from '../core/release/ramp.ts';
import type { Route } from '../core/routing/table.ts';
import type { WorkerRise } from './messages.ts';

export class OwnRise {
  #granted: WorkerRise | null = null;
  #events = 0;
  /** Control may have stopped the ramp for what happened until here. */
  #doubtUntil = 0;

  /** Answers and findings since `restart`. */
  get events(): number {
    return this.#events;
  }

  /** Another control begins to count with those that it has not been told of yet. */
  restart(untold: number): void {
    this.#granted = null;
    this.#events = untold;
    this.#doubtUntil = untold;
  }

  grant(rise: WorkerRise | null): void {
    this.#granted = rise;
  }

  answered(): void {
    this.#events += 1;
  }

  /** A failure was found out: only control knows whether the threshold still rises. */
  found(): void {
    this.#events += 1;
    this.#doubtUntil = this.#events;
  }

  /** Percent; null where it is not for this worker to say. The last step, to 100, is control's: it releases the version. */
  thresholdOf({ id, epoch, percentagePerRequest }: Route): number | null {
    const rise = this.#granted;
    if (rise === null || rise.versionId !== id || rise.epoch !== epoch || rise.seen < this.#doubtUntil) return null;
    const threshold = thresholdAfter(percentagePerRequest, rise.raises + this.#events - rise.seen);
    return threshold < 100 && threshold <= rise.ceiling ? threshold : null;
  }
}
