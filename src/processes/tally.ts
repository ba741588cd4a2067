/**
 * What all workers have counted, added up. It never falls: what a worker has counted stays when the worker ends, and main keeps
 * the sum for the next control.
 */
import type { CounterValues } from '../core/counters.ts';
import type { Clock } from '../system/clock.ts';

export interface TallyState {
  /** Since when, milliseconds since the Unix epoch. */
  readonly sinceMs: number;
  readonly values: CounterValues;
}

/** How late main may be. */
const KEEP_MS = 1000;

export class Tally {
  readonly #sinceMs: number;
  readonly #values: Record<string, number>;
  readonly #keep: (state: TallyState) => void;
  readonly #stop: () => void;
  #hasGrown = false;

  /** @param zero what there is to be counted, and what a control before this one has left of it */
  constructor(zero: TallyState, parts: { readonly clock: Clock; readonly keep: (state: TallyState) => void }) {
    this.#sinceMs = zero.sinceMs;
    this.#values = { ...zero.values };
    this.#keep = parts.keep;
    this.#stop = parts.clock.every(KEEP_MS, () => this.#keepSoon());
  }

  get state(): TallyState {
    return { sinceMs: this.#sinceMs, values: this.#values };
  }

  add(growth: CounterValues): void {
    for (const [name, by] of Object.entries(growth)) {
      this.#values[name] = (this.#values[name] ?? 0) + by;
      this.#hasGrown = true;
    }
  }

  /** Keeps the last of it. */
  close(): void {
    this.#stop();
    this.#keepSoon();
  }

  #keepSoon(): void {
    if (this.#hasGrown) this.#keep(this.state);
    this.#hasGrown = false;
  }
}
