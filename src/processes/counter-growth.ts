/** By how much a worker's counters have grown since it was last asked; most of them have not. */
import { type Counters, type CounterValues, valuesOf } from '../core/counters.ts';

export class CounterGrowth {
  #told: CounterValues = {};

  /** Null when nothing has. */
  take(counters: Readonly<Counters>): CounterValues | null {
    const now = valuesOf(counters);
    const growth: Record<string, number> = {};
    let hasGrown = false;
    for (const [name, value] of Object.entries(now)) {
      const by = value - (this.#told[name] ?? 0);
      if (by === 0) continue;
      growth[name] = by;
      hasGrown = true;
    }
    this.#told = now;
    return hasGrown ? growth : null;
  }
}
