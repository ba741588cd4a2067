/** Whoever waits for a version that is starting: told when it serves or never will, or when the waiting takes too long. */
import { isArriving, type ReleaseState } from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';

interface Waiter {
  readonly id: string;
  readonly done: () => void;
}

export class Arrivals {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is decided whether the version serves, at the latest after `waitMs` (null: however long it takes). */
  async of(state: ReleaseState, id: string, waitMs: number | null): Promise<void> {
    if (this.#closed || !isWaitedFor(state, id)) return;
    await new Promise<void>((resolve) => {
      const stop = waitMs === null ? () => {} : this.#clock.after(waitMs, () => waiter.done());
      const waiter: Waiter = {
        id,
        done: () => {
          stop();
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** The state has changed, and what it wants done is done. */
  look(state: ReleaseState): void {
    for (const waiter of this.#waiters) {
      if (!isWaitedFor(state, waiter.id)) waiter.done();
    }
  }

  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.done();
  }
}

function isWaitedFor(state: ReleaseState, id: string): boolean {
  const version = state.versions.find((one) => one.id === id);
  return version !== undefined && isArriving(version);
}
