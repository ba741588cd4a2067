/** Whoever waits for a version that is starting: told when it has left that phase, or when the waiting takes too long. */
import type { ReleaseState } from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';

interface Waiter {
  readonly id: string;
  readonly done: () => void;
}

export class Arrivals {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the version is no longer starting, at the latest after `waitMs`. */
  async of(state: ReleaseState, id: string, waitMs: number): Promise<void> {
    if (!isStarting(state, id)) return;
    await new Promise<void>((resolve) => {
      const stop = this.#clock.after(waitMs, () => waiter.done());
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
      if (!isStarting(state, waiter.id)) waiter.done();
    }
  }

  close(): void {
    for (const waiter of this.#waiters) waiter.done();
  }
}

function isStarting(state: ReleaseState, id: string): boolean {
  return state.versions.find((version) => version.id === id)?.phase === 'starting';
}
