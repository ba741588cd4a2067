/**
 * The bound on attempts that add load (retry budgets as in linkerd and Envoy): a share of the exchanges in flight, and a
 * few in any case, so that a service that fails altogether is not asked many times over.
 */

/** Attempts that are always allowed, however few exchanges are in flight. */
const ALWAYS = 3;

export class ReplayBudget {
  readonly #share: number;
  #active = 0;
  #extra = 0;

  /** @param share of the exchanges in flight, in [0, 1] */
  constructor(share: number) {
    this.#share = share;
  }

  /** An exchange has begun. */
  enter(): void {
    this.#active += 1;
  }

  /** An exchange is over, and with it the extra attempts it was allowed. */
  leave(extra: number): void {
    this.#active -= 1;
    this.#extra -= extra;
  }

  /** Allows one more attempt that adds load, or refuses it. */
  take(): boolean {
    if (this.#extra >= Math.max(ALWAYS, this.#active * this.#share)) return false;
    this.#extra += 1;
    return true;
  }
}
