/** The disk of a world: full, slow, or dying in the middle of a step. */
import type { Chance } from '../kit/chance.ts';
import { FakeDisk } from '../kit/fake-disk.ts';
import type { SimulatedTime } from './time.ts';

/** By then what could not be written has been written. */
const RETRIED_MS = 2500;
/** What a step of a slow one takes at most. */
export const SLOW_STEP_MS = 60;

export class SimulatedDisk {
  readonly #chance: Chance;
  readonly #time: SimulatedTime;
  #files = FakeDisk.holding({});
  #failedMs = Number.NEGATIVE_INFINITY;
  #slowMs = Number.NEGATIVE_INFINITY;

  constructor(parts: { readonly chance: Chance; readonly time: SimulatedTime }) {
    this.#chance = parts.chance;
    this.#time = parts.time;
  }

  /** What is on it. */
  get files(): FakeDisk {
    return this.#files;
  }

  get isWell(): boolean {
    return this.#files.failing.size === 0 && this.#files.slowly === null;
  }

  /** It is well, and has been for so long that nothing waits to be written. */
  get hasCaughtUp(): boolean {
    return this.isWell && !this.isDead && this.#time.nowMs - this.#failedMs > RETRIED_MS;
  }

  /** What was begun while it was slow may be under way still. */
  get wasSlow(): boolean {
    return this.#time.nowMs - this.#slowMs < RETRIED_MS;
  }

  get isDead(): boolean {
    return this.#files.dead;
  }

  /** How it is doing, noted for later; to be called often. */
  look(): void {
    if (!this.isWell) this.#failedMs = this.#time.nowMs;
    if (this.#files.slowly !== null) this.#slowMs = this.#time.nowMs;
  }

  /** Has no room for steps of this kind. */
  fill(step: 'create' | 'write' | 'sync' | 'rename' | 'overwrite'): void {
    this.#files.failing.set(step, 'ENOSPC');
  }

  slowDown(): void {
    this.#slowMs = this.#time.nowMs;
    this.#files.slowly = () =>
      new Promise((resolve) => {
        const atMs = this.#time.nowMs + this.#chance.below(SLOW_STEP_MS);
        this.#time.add({ atMs, periodMs: null, callback: resolve });
      });
  }

  recover(): void {
    this.#files.failing.clear();
    this.#files.slowly = null;
  }

  /** After so many further steps nothing of it ever ends. */
  dieAfter(steps: number): void {
    this.#files.diesAfter = this.#files.steps.length + steps;
  }

  /** Recovers, and does not die either. */
  heal(): void {
    this.recover();
    this.#files.diesAfter = Number.POSITIVE_INFINITY;
  }

  /** The machine has stopped at once: one of the states that the disk may be in then. */
  crash(): void {
    this.#files = this.#chance.pick(this.#files.survivors());
  }
}
