/**
 * A section of text that may arrive in pieces: a start line and field lines, or field lines alone.
 *
 * A section that comes in one read is scanned where it lies and becomes a string once. Of one that is
 * split, the pieces are gathered; scanning goes on where it stopped, so that a head sent octet by octet
 * costs no more than one sent whole, and limits hold before a line has ended.
 */
import { FieldParser } from './field-parser.ts';
import { FieldLines } from './fields.ts';
import type { MessageLimits, ProtocolError } from './message.ts';

/** Scans the first line of a head, like `FieldParser` does the rest. */
export interface StartLine {
  readonly done: boolean;
  readonly error: ProtocolError | null;
  begin(): void;
  scan(bytes: Buffer, at: number, to: number, base: number): number;
}

const nothing = Buffer.alloc(0);

export class SectionReader {
  readonly fields = new FieldLines();
  /** True once the section is whole and `fields` can be read. */
  done = false;
  error: ProtocolError | null = null;
  /** True from the first octet of the section. */
  begun = false;
  readonly #startLine: StartLine | null;
  readonly #fieldParser: FieldParser;
  /** The most octets that a section within the limits can have. */
  readonly #bytesMax: number;
  /** Pieces gathered so far, when the section came split. */
  #held: Buffer = nothing;
  #heldBytes = 0;
  /** How many of them have been scanned. */
  #scanned = 0;

  constructor(startLine: StartLine | null, limits: MessageLimits) {
    this.#startLine = startLine;
    this.#fieldParser = new FieldParser(this.fields, limits);
    this.#bytesMax = limits.headerBytes + (startLine === null ? 0 : limits.requestLineBytes);
  }

  /** Ready for the next section. What was read before is forgotten. */
  begin(): void {
    this.done = false;
    this.error = null;
    this.begun = false;
    this.#startLine?.begin();
    this.#fieldParser.begin(0);
    this.#release();
  }

  /** Reads on. Returns the offset behind the last octet taken; then `done`, or `error` is set, or it is `to`. */
  push(bytes: Buffer, from: number, to: number): number {
    if (from === to) return to;
    this.begun = true;
    if (this.#heldBytes > 0) return this.#pushHeld(bytes, from, to);
    const at = this.#scan(bytes, from, to, from);
    if (this.done) this.fields.text = bytes.toString('latin1', from, at);
    else if (this.error === null) this.#hold(bytes, from, to);
    return at;
  }

  #pushHeld(bytes: Buffer, from: number, to: number): number {
    const before = this.#heldBytes;
    const room = this.#bytesMax - before;
    this.#hold(bytes, from, to - from > room ? from + room : to);
    const at = this.#scan(this.#held, this.#scanned, this.#heldBytes, 0);
    this.#scanned = at;
    if (this.done) this.fields.text = this.#held.toString('latin1', 0, at);
    if (this.done || this.error !== null) this.#release();
    return from + at - before;
  }

  #scan(bytes: Buffer, at: number, to: number, base: number): number {
    const line = this.#startLine;
    if (line !== null && !line.done) {
      at = line.scan(bytes, at, to, base);
      if (line.error !== null) this.error = line.error;
      if (!line.done) return at;
      this.#fieldParser.begin(at - base);
    }
    at = this.#fieldParser.scan(bytes, at, to, base);
    this.done = this.#fieldParser.done;
    this.error = this.#fieldParser.error;
    return at;
  }

  #hold(bytes: Buffer, from: number, to: number): void {
    const needed = this.#heldBytes + to - from;
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#bytesMax, Math.max(1024, needed * 2)));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    if (this.#heldBytes === 0) this.#scanned = to - from;
    bytes.copy(this.#held, this.#heldBytes, from, to);
    this.#heldBytes = needed;
  }

  #release(): void {
    this.#held = nothing;
    this.#heldBytes = 0;
  }
}
