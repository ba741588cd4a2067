/**
 * The journal beside the document: what was saved since the document was written. Its file is two slots of equal size, which are
 * overwritten in place, in turn: one write, where a document takes five steps. A write that a crash tears leaves the other slot,
 * which holds the save before it.
 *
 * A record names the documents that it may stand after, by the digests of their bytes. Where another document is found, newer,
 * older, or edited by hand, the record is nothing to it.
 */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { Files, Room } from '../system/files.ts';

export interface JournalRecord {
  /** The higher the later. */
  readonly sequence: number;
  /** The digests of the documents that it follows: the one that stands there, and one that is about to. */
  readonly after: readonly string[];
  /** Of a whole document. */
  readonly text: string;
}

export interface JournalRead {
  /** The last record that follows the document. */
  readonly record: JournalRecord | null;
  /** A slot holds something else than a whole record. */
  readonly isTorn: boolean;
}

/** Slots begin where pages of memory and blocks of disks do: none is in two of them. */
const SLOT_STEP_BYTES = 64 * 1024;
/** Larger states are kept by the document alone. */
const SLOT_BYTES_MAX = 8 * 1024 * 1024;

export function journalPath(path: string): string {
  return `${path}.journal`;
}

/** Names a document. */
export function digestOf(document: Uint8Array | string): string {
  return createHash('sha256').update(document).digest('hex');
}

/** What the journal has beyond the document. */
export function readJournal(journal: Uint8Array, document: Uint8Array): JournalRead {
  const slotBytes = Math.ceil(journal.length / 2);
  const slots = [0, slotBytes].map((from) => readSlot(journal.subarray(from, from + slotBytes)));
  const digest = digestOf(document);
  const records = slots.filter((slot) => slot !== 'blank' && slot !== 'torn');
  const [record = null] = records
    .filter(({ after }) => after.includes(digest))
    .sort((one, other) => other.sequence - one.sequence);
  return { record, isTorn: slots.includes('torn') };
}

/** A line, `SHA-256 of all that follows the space, a space, the header as JSON`, and the document's text. */
export function recordBytes({ sequence, after, text }: JournalRecord): Buffer {
  const content = Buffer.from(text);
  const rest = Buffer.concat([Buffer.from(`${JSON.stringify({ sequence, after, bytes: content.length })}\n`), content]);
  return Buffer.concat([Buffer.from(`${digestOf(rest)} `), rest]);
}

function readSlot(slot: Uint8Array): JournalRecord | 'blank' | 'torn' {
  if ((slot[0] ?? 0) === 0) return 'blank';
  const bytes = Buffer.from(slot.buffer, slot.byteOffset, slot.byteLength);
  const [space, newline] = [bytes.indexOf(' '), bytes.indexOf('\n')];
  const header = headerIn(bytes.toString('utf8', space + 1, newline));
  if (header === null) return 'torn';
  const end = newline + 1 + header.bytes;
  if (digestOf(bytes.subarray(space + 1, end)) !== bytes.toString('latin1', 0, space)) return 'torn';
  return { sequence: header.sequence, after: header.after, text: bytes.toString('utf8', newline + 1, end) };
}

interface Header {
  readonly sequence: number;
  readonly after: readonly string[];
  readonly bytes: number;
}

/** What it says is what was written once the digest holds too. */
function headerIn(line: string): Header | null {
  try {
    const header = JSON.parse(line) as Header | null;
    return Number.isSafeInteger(header?.bytes) ? header : null;
  } catch {
    return null;
  }
}

/** A journal of this process, for one write at a time. */
export class Journal {
  readonly #room: Room;
  readonly #slotBytes: number;
  #sequence = 0;

  /**
   * Makes one in place of what an earlier one holds: the document must have that. It has room for documents twice as large.
   * Null when documents are too large for journals. Rejects with an error of the system.
   */
  static async make(files: Files, path: string, documentBytes: number): Promise<Journal | null> {
    const slotBytes = Math.ceil((2 * documentBytes) / SLOT_STEP_BYTES) * SLOT_STEP_BYTES;
    if (slotBytes > SLOT_BYTES_MAX) return null;
    const room = await files.makeRoom(journalPath(path), 2 * slotBytes);
    try {
      await files.syncFolder(dirname(path));
    } catch (error) {
      room.close();
      throw error;
    }
    return new Journal(room, slotBytes);
  }

  /** Use `make`. */
  constructor(room: Room, slotBytes: number) {
    this.#room = room;
    this.#slotBytes = slotBytes;
  }

  /**
   * Resolves with true when the record is on the disk, with false when it is larger than a slot. Rejects with an error of the
   * system; then it may be there or not.
   */
  async write(text: string, after: readonly string[]): Promise<boolean> {
    const sequence = this.#sequence + 1;
    const bytes = recordBytes({ sequence, after, text });
    if (bytes.length > this.#slotBytes) return false;
    await this.#room.write(bytes, (sequence % 2) * this.#slotBytes);
    this.#sequence = sequence;
    return true;
  }

  close(): void {
    this.#room.close();
  }
}
