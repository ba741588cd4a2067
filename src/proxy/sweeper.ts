/**
 * Coarse deadlines: one timer for all connections of a data plane instead of one each. A deadline is a plain number on
 * the object that has it, so moving it costs nothing; it is noticed at most one period late.
 */
import type { Clock } from '../system/clock.ts';

export interface Timed {
  /** On the clock of `nowMs`; Infinity for none. */
  deadlineMs: number;
  /** The deadline has passed. Called again at the next sweep unless the deadline is moved or the object removed. */
  onDeadline(nowMs: number): void;
}

const SWEEP_MS = 50;
/** A sweep that comes so late tells that the process stood still. */
const STALL_MS = 500;

export class Sweeper {
  readonly #items = new Set<Timed>();
  readonly #clock: Clock;
  #cancel: (() => void) | null = null;
  #stalled = false;
  /** The time of the last sweep: cheap, and near enough to set deadlines by. Not to be used for measuring. */
  nowMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.nowMs = clock.nowMs();
  }

  add(item: Timed): void {
    this.#items.add(item);
    if (this.#cancel !== null) return;
    this.nowMs = this.#clock.nowMs();
    this.#cancel = this.#clock.every(SWEEP_MS, () => this.#sweep());
  }

  delete(item: Timed): void {
    this.#items.delete(item);
  }

  close(): void {
    this.#items.clear();
    this.#stop();
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    // What came while the process stood still has not been read yet: before it no deadline is judged.
    this.#stalled = !this.#stalled && nowMs - this.nowMs > STALL_MS;
    this.nowMs = nowMs;
    if (this.#stalled) return;
    for (const item of this.#items) {
      if (nowMs >= item.deadlineMs) item.onDeadline(nowMs);
    }
    if (this.#items.size === 0) this.#stop();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
