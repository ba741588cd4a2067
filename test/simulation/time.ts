/** Time that a simulation moves by hand, with a wall clock that can be set, and clocks that end with their process. */
import type { Clock } from '../../src/system/clock.ts';

interface Timer {
  atMs: number;
  readonly periodMs: number | null;
  readonly callback: () => void;
}

const WALL_START_MS = 1_400_000_000_000;

export class SimulatedTime {
  nowMs = 0;
  /** How far the wall clock has been set off. */
  wallOffsetMs = 0;
  readonly #timers = new Set<Timer>();

  get wallMs(): number {
    return WALL_START_MS + this.nowMs + this.wallOffsetMs;
  }

  /** Lets time pass, timer by timer; promises settle in between, and `between` is called. */
  async pass(durationMs: number, between: () => void): Promise<void> {
    const untilMs = this.nowMs + durationMs;
    for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) {
      this.nowMs = timer.atMs;
      if (timer.periodMs === null) this.#timers.delete(timer);
      else timer.atMs += timer.periodMs;
      timer.callback();
      await settled();
      between();
    }
    this.nowMs = untilMs;
  }

  add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  #next(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && (first === undefined || timer.atMs < first.atMs)) first = timer;
    }
    return first;
  }
}

/** The clock of one process: when that ends, so do its timers. */
export class ProcessClock implements Clock {
  readonly #time: SimulatedTime;
  readonly #cancels = new Set<() => void>();

  constructor(time: SimulatedTime) {
    this.#time = time;
  }

  nowMs(): number {
    return this.#time.nowMs;
  }

  wallMs(): number {
    return this.#time.wallMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const cancel = this.#time.add({
      atMs: this.#time.nowMs + Math.max(0, delayMs),
      periodMs: null,
      callback: () => {
        this.#cancels.delete(cancel);
        callback();
      },
    });
    this.#cancels.add(cancel);
    return () => {
      this.#cancels.delete(cancel);
      cancel();
    };
  }

  every(periodMs: number, callback: () => void): () => void {
    const cancel = this.#time.add({ atMs: this.#time.nowMs + periodMs, periodMs, callback });
    this.#cancels.add(cancel);
    return cancel;
  }

  die(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }
}

/** Resolves when every promise that can settle has. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
