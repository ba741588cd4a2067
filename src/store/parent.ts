/**
 * The state kept by the main process, in memory: with `"state": null` nothing outlives Cutover, but a control process that dies or is
 * replaced leaves its versions to the next one.
 */
import type { StorePort } from '../control/ports.ts';
import type { ReleaseState } from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';
import { documentText } from './document.ts';

/** How long counters may wait. */
const NOTE_MS = 750;

export class ParentStore implements StorePort {
  readonly keeps = 'everything';
  readonly #clock: Clock;
  /** Resolves when the main process has the document, or will have it whatever happens here. */
  readonly #deliver: (document: string) => Promise<void>;
  #noted: (() => ReleaseState) | null = null;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, deliver: (document: string) => Promise<void>) {
    this.#clock = clock;
    this.#deliver = deliver;
  }

  save(state: ReleaseState): Promise<void> {
    return this.#deliver(documentText(state, this.#clock.wallMs()));
  }

  note(current: () => ReleaseState): void {
    this.#noted = current;
    this.#cancel ??= this.#clock.after(NOTE_MS, () => void this.flush());
  }

  /** Hands over what was noted. Never rejects. */
  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    const current = this.#noted;
    this.#noted = null;
    if (current !== null) await this.save(current()).catch(() => {});
  }
}
