/** A PUT is answered when its version serves (or never will), or after a while: whichever is first. */
import type { ReleaseState } from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';

export class PutWait {
  readonly #clock: Clock;
  readonly #boundMs: number;
  readonly #waiting = new Map<() => void, string>();

  constructor(clock: Clock, boundMs: number) {
    this.#clock = clock;
    this.#boundMs = boundMs;
  }

  /** Resolves when the version is `starting` no longer, or after the bound. */
  whileStarting(state: ReleaseState, id: string): Promise<void> {
    if (!isStarting(state, id)) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(this.#boundMs, () => over());
    const over = () => {
      cancel();
      this.#waiting.delete(over);
      resolve();
    };
    this.#waiting.set(over, id);
    return promise;
  }

  /** To be told of each new state. */
  look(state: ReleaseState): void {
    for (const [over, id] of this.#waiting) if (!isStarting(state, id)) over();
  }

  /** Nobody waits any more. */
  close(): void {
    for (const over of this.#waiting.keys()) over();
  }
}

function isStarting({ versions }: ReleaseState, id: string): boolean {
  return versions.find((version) => version.id === id)?.phase === 'starting';
}
