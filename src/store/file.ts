/**
 * The state on disk: one document, replaced whole. It is written to a file beside it, synced, renamed, and the folder synced,
 * so that after a crash at any moment either the old document is there or the new one.
 *
 * One write is under way at a time; what is asked for meanwhile is written next, the latest state for all who wait.
 */
import { dirname } from 'node:path';
import type { StorePort } from '../control/ports.ts';
import { EMPTY_STATE, type ReleaseState } from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';
import { causeOf, type Files } from '../system/files.ts';
import type { Log } from '../system/log.ts';
import { documentText } from './document.ts';

export interface FileStoreParts {
  /** With all links followed. */
  readonly path: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long counters may wait; with the write itself they are durable within a second. */
const NOTE_MS = 750;
/** How soon a failed write is tried again. */
const RETRY_MS = 1000;
/** Far more than any sensible state; what is written must be read again at the next start. */
const DOCUMENT_CHARACTERS_MAX = 64 * 1024 * 1024;

interface Pending {
  state: ReleaseState;
  readonly written: PromiseWithResolvers<void>;
}

/** Where the document is written before it is renamed. */
export function temporaryPath(path: string): string {
  return `${path}.tmp`;
}

export class FileStore implements StorePort {
  readonly keeps = 'everything';
  readonly #parts: FileStoreParts;
  /** What is to be written next. */
  #pending: Pending | null = null;
  /** Settles when nothing is being written. */
  #writing: Promise<void> | null = null;
  #noted: (() => ReleaseState) | null = null;
  #cancelNote: (() => void) | null = null;
  /** What is known to be kept. */
  #kept: ReleaseState | null;
  #failing = false;
  #closed = false;

  /** @param kept the state in the document now, or null when there is none */
  constructor(parts: FileStoreParts, kept: ReleaseState | null) {
    this.#parts = parts;
    this.#kept = kept;
  }

  save(state: ReleaseState): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('The state is closed'));
    this.#pending ??= { state, written: Promise.withResolvers() };
    this.#pending.state = state;
    const { promise } = this.#pending.written;
    this.#writing ??= this.#writeAll();
    return promise;
  }

  note(current: () => ReleaseState): void {
    this.#noted = current;
    this.#writeNoteIn(NOTE_MS);
  }

  /** Writes what was noted. Whoever saves from now on is refused. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    this.#cancelNote?.();
    await this.#writeNote();
    this.#cancelNote?.();
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#pending; next !== null; next = this.#pending) {
      this.#pending = null;
      await this.#write(next.state).then(next.written.resolve, next.written.reject);
    }
    this.#writing = null;
  }

  #writeNoteIn(delayMs: number): void {
    if (this.#cancelNote !== null) return;
    this.#cancelNote = this.#parts.clock.after(delayMs, () => {
      this.#cancelNote = null;
      // What is being saved may not be in force yet: the counters are asked for once it is.
      if (this.#writing !== null) this.#writeNoteIn(NOTE_MS);
      else void this.#writeNote();
    });
  }

  /** Writes the state as it is now. Never rejects. */
  #writeNote(): Promise<void> {
    if (this.#noted === null) return Promise.resolve();
    const current = this.#noted;
    this.#noted = null;
    const written = Promise.withResolvers<void>();
    written.promise.catch(() => {
      this.#noted = current;
    });
    this.#pending = { state: current(), written };
    this.#writing = this.#writeAll();
    return this.#writing;
  }

  async #write(state: ReleaseState): Promise<void> {
    const { path, files, clock } = this.#parts;
    const temporary = temporaryPath(path);
    let renamed = false;
    try {
      const text = documentText(state, clock.wallMs());
      if (text.length > DOCUMENT_CHARACTERS_MAX) throw new Error(`more than ${DOCUMENT_CHARACTERS_MAX} characters`);
      await files.writeNew(temporary, text);
      await files.rename(temporary, path);
      renamed = true;
      await files.syncFolder(dirname(path));
      this.#succeeded(state);
    } catch (error) {
      if (!renamed) await files.remove(temporary).catch(() => {});
      throw this.#failed(error);
    }
  }

  #succeeded(state: ReleaseState): void {
    this.#kept = state;
    if (!this.#failing) return;
    this.#failing = false;
    this.#parts.log.write('NOTICE', 'store', `The state ${JSON.stringify(this.#parts.path)} is written again`);
  }

  #failed(error: unknown): Error {
    const { path, log } = this.#parts;
    const reason = `Writing the state ${JSON.stringify(path)} failed: ${causeOf(error)}`;
    if (!this.#failing) log.write('ERROR', 'store', `${reason}; changes are refused until it succeeds`);
    this.#failing = true;
    // The rename may have been done, and what is refused must not be found at the next start.
    if (this.#kept !== null) this.#noted ??= () => this.#kept ?? EMPTY_STATE;
    if (!this.#closed) this.#writeNoteIn(RETRY_MS);
    return new Error(reason);
  }
}
