/**
 * The document on disk, replaced whole. It is written to a file beside it, synced, renamed, and the folder synced, so that after
 * a crash at any moment either the old document is there or the new one.
 */
import { dirname } from 'node:path';
import type { ReleaseState } from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';
import type { Files } from '../system/files.ts';
import { documentText } from './document.ts';
import { digestOf } from './journal.ts';

export interface DocumentFileParts {
  /** With all links followed. */
  readonly path: string;
  readonly files: Files;
  readonly clock: Clock;
}

/** Far more than any sensible state; what is written must be read again at the next start. */
const DOCUMENT_CHARACTERS_MAX = 64 * 1024 * 1024;

/** Where the document is written before it is renamed. */
export function temporaryPath(path: string): string {
  return `${path}.tmp`;
}

export class DocumentFile {
  readonly #parts: DocumentFileParts;
  #possible: readonly string[] = [];
  #bytes = 0;
  #writtenMs = 0;

  constructor(parts: DocumentFileParts) {
    this.#parts = parts;
  }

  /**
   * The digests of the documents of which a start would find one now: the one that was written last, and one that is being
   * written. None when it is not known, since nothing was written yet, or the last write failed half-way.
   */
  get possible(): readonly string[] {
    return this.#possible;
  }

  /** Size of the one that was written last. */
  get bytes(): number {
    return this.#bytes;
  }

  textOf(state: ReleaseState): string {
    // Whatever the clock does, no two documents are alike: a record of the journal belongs to one of them.
    this.#writtenMs = Math.max(this.#writtenMs + 1, this.#parts.clock.wallMs());
    return documentText(state, this.#writtenMs);
  }

  /** One at a time. Rejects with an error of the system; the old document is there then, unless it was the last step that failed. */
  async write(state: ReleaseState): Promise<void> {
    const { path, files } = this.#parts;
    const temporary = temporaryPath(path);
    const text = this.textOf(state);
    if (text.length > DOCUMENT_CHARACTERS_MAX) throw new Error(`more than ${DOCUMENT_CHARACTERS_MAX} characters`);
    const before = this.#possible;
    const digest = digestOf(text);
    this.#possible = [...before, digest];
    try {
      await files.writeNew(temporary, text);
      await files.rename(temporary, path);
    } catch (error) {
      this.#possible = before;
      await files.remove(temporary).catch(() => {});
      throw error;
    }
    try {
      await files.syncFolder(dirname(path));
    } catch (error) {
      this.#possible = [];
      throw error;
    }
    this.#possible = [digest];
    this.#bytes = Buffer.byteLength(text);
  }
}
