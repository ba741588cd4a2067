/** What came of the last try of what is tried until it succeeds, and how long to wait before the next one: ever longer. */
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 30_000;

interface Try {
  /** One line. */
  readonly reason: string;
  readonly nextMs: number;
}

export class Tries {
  readonly #tries = new Map<string, Try>();

  /** True for a cause that was not told the last time. */
  isNews(id: string, reason: string): boolean {
    const before = this.#tries.get(id);
    this.#tries.set(id, { reason, nextMs: before?.nextMs ?? RETRY_FIRST_MS });
    return before?.reason !== reason;
  }

  /** The wait before the next try; that after it will be twice as long. */
  takeDelayMs(id: string): number {
    const { reason = '', nextMs = RETRY_FIRST_MS } = this.#tries.get(id) ?? {};
    this.#tries.set(id, { reason, nextMs: Math.min(2 * nextMs, RETRY_MAX_MS) });
    return nextMs;
  }

  /** It begins anew. */
  forget(id: string): void {
    this.#tries.delete(id);
  }

  keepOnly(isWanted: (id: string) => boolean): void {
    for (const id of this.#tries.keys()) if (!isWanted(id)) this.#tries.delete(id);
  }
}
