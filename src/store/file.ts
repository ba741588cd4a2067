/**
 * The state on disk: a document that is replaced whole, and a journal beside it, so that who waits for a save waits for one write
 * in place. The document follows within a second, and nobody waits for it. Where there is no journal, or the document can't be
 * written, a save is the document's.
 *
 * One save is under way at a time; what is asked for meanwhile is written next, the latest state for all who wait. While a
 * document is being written that nobody waits for, saves go on: their records stand after it and after the one before.
 */
import type { StorePort } from '../control/ports.ts';
import type { ReleaseState } from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';
import { causeOf, type Files } from '../system/files.ts';
import type { Log } from '../system/log.ts';
import { DocumentFile } from './document-file.ts';
import { Journal, journalPath } from './journal.ts';

export interface FileStoreParts {
  /** With all links followed. */
  readonly path: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long counters and the document may wait; with the write itself they are there within a second. */
const NOTE_MS = 750;
/** How soon a failed write is tried again. */
const RETRY_MS = 1000;

interface Pending {
  state: ReleaseState;
  readonly written: PromiseWithResolvers<void>;
}

export class FileStore implements StorePort {
  readonly keeps = 'everything';
  readonly #parts: FileStoreParts;
  readonly #document: DocumentFile;
  /** Null until there is a document to follow, and from when it can't be written. */
  #journal: Journal | null = null;
  #journalRefused = false;
  /** What is to be saved next. */
  #pending: Pending | null = null;
  /** Settles when nothing is being saved. */
  #saving: Promise<void> | null = null;
  /** Settles when the document that nobody waits for is written, or is not. */
  #following: Promise<void> | null = null;
  #noted: (() => ReleaseState) | null = null;
  /** The document may not be what is kept. */
  #isBehind: boolean;
  /** It should have been written, and is once the save under way is done. */
  #isDue = false;
  #cancelTimer: (() => void) | null = null;
  /** What is known to be kept. */
  #kept: ReleaseState | null;
  #failing = false;
  #closed = false;

  /**
   * @param kept the state that was found, or null when there was none
   * @param where it was found
   */
  constructor(parts: FileStoreParts, kept: ReleaseState | null, where: 'document' | 'journal' = 'document') {
    this.#parts = parts;
    this.#document = new DocumentFile(parts);
    this.#kept = kept;
    this.#isBehind = where === 'journal';
    if (this.#isBehind) this.#followIn(NOTE_MS);
  }

  save(state: ReleaseState): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('The state is closed'));
    this.#pending ??= { state, written: Promise.withResolvers() };
    this.#pending.state = state;
    const { promise } = this.#pending.written;
    this.#saving ??= this.#saveAll();
    return promise;
  }

  note(current: () => ReleaseState): void {
    if (this.#closed) return;
    this.#noted = current;
    this.#followIn(NOTE_MS);
  }

  /** Writes what was noted. Whoever saves from now on is refused. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#saving;
    await this.#following;
    this.#cancelTimer?.();
    await this.#follow();
    this.#cancelTimer?.();
    this.#journal?.close();
    // The document has it all.
    if (!this.#isBehind) await this.#parts.files.remove(journalPath(this.#parts.path)).catch(() => {});
  }

  async #saveAll(): Promise<void> {
    for (;;) {
      const next = this.#pending;
      this.#pending = null;
      if (next !== null) await this.#save(next.state).then(next.written.resolve, next.written.reject);
      else if (this.#lacksJournal) await this.#makeJournal();
      else break;
      if (this.#isDue) void this.#follow('kept');
    }
    this.#saving = null;
  }

  async #save(state: ReleaseState): Promise<void> {
    if (!(await this.#writeRecord(state))) {
      await this.#following;
      return this.#writeDocument(state);
    }
    this.#kept = state;
    this.#isBehind = true;
    this.#followIn(NOTE_MS);
  }

  // ---- the journal

  /** False when the document has to be written. Never rejects. */
  async #writeRecord(state: ReleaseState): Promise<boolean> {
    const { possible } = this.#document;
    if (this.#journal === null || this.#failing || possible.length === 0) return false;
    try {
      if (await this.#journal.write(this.#document.textOf(state), possible)) return true;
      this.#journal.close();
      this.#journal = null;
    } catch (error) {
      this.#refuseJournal(error);
    }
    return false;
  }

  /** Its place is taken only while the document that was written last is what is kept. */
  get #lacksJournal(): boolean {
    const isSettled = this.#following === null && !this.#isBehind && !this.#failing;
    return isSettled && this.#journal === null && !this.#journalRefused && !this.#closed;
  }

  async #makeJournal(): Promise<void> {
    const { path, files } = this.#parts;
    try {
      this.#journal = await Journal.make(files, path, this.#document.bytes);
      this.#journalRefused = this.#journal === null;
    } catch (error) {
      this.#refuseJournal(error);
      await files.remove(journalPath(path)).catch(() => {});
    }
  }

  #refuseJournal(error: unknown): void {
    const { path, log } = this.#parts;
    const reason = `Writing the journal ${JSON.stringify(journalPath(path))} failed: ${causeOf(error)}`;
    log.write('WARNING', 'store', `${reason}; until the next start each change waits for the whole document`);
    this.#journal?.close();
    this.#journal = null;
    this.#journalRefused = true;
  }

  // ---- the document

  #followIn(delayMs: number): void {
    if (this.#cancelTimer !== null) return;
    this.#cancelTimer = this.#parts.clock.after(delayMs, () => {
      this.#cancelTimer = null;
      // What is being saved may not be in force yet: the counters are asked for once it is.
      this.#isDue = this.#saving !== null;
      if (this.#saving !== null || this.#following !== null) this.#followIn(NOTE_MS);
      else void this.#follow();
    });
  }

  /**
   * Writes the document that nobody waits for, of the counters as they are now where some were noted. No save may be under way
   * when it begins. Never rejects.
   *
   * @param what with `kept`: what was saved last, and the counters later
   */
  #follow(what: 'kept' | 'noted' = 'noted'): Promise<void> {
    this.#isDue = false;
    const noted = what === 'noted' ? this.#noted : null;
    const state = noted !== null ? noted() : this.#isBehind ? this.#kept : null;
    if (state === null || this.#following !== null) return Promise.resolve();
    if (noted !== null) this.#noted = null;
    this.#isBehind = false;
    const written = this.#writeDocument(state).catch(() => {
      this.#noted ??= noted;
    });
    this.#following = written.then(() => {
      this.#following = null;
      if (this.#lacksJournal) this.#saving ??= this.#saveAll();
    });
    return this.#following;
  }

  async #writeDocument(state: ReleaseState): Promise<void> {
    const before = this.#kept;
    try {
      await this.#document.write(state);
    } catch (error) {
      throw this.#failed(error);
    }
    // Else a record is later.
    if (this.#kept === before) {
      this.#kept = state;
      this.#isBehind = false;
    }
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
    this.#isBehind = true;
    if (!this.#closed) this.#followIn(RETRY_MS);
    return new Error(reason);
  }
}
