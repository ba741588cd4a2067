/**
 * The field section of a head or of trailers, octet by octet and strictly as RFC 9112 section 5 has it:
 * every line ends in CRLF, nothing stands between a name and its colon, no line is folded, and a value
 * holds no control characters. The work can stop after any octet and go on with the next one.
 */
import { kindOfName } from './field-kinds.ts';
import type { FieldLines } from './fields.ts';
import type { MessageLimits, ProtocolError } from './message.ts';
import { refusals } from './refusals.ts';
import { CR, HTAB, LF, SP, tokenOctets, valueOctets } from './tokens.ts';

const COLON = 0x3a;
const DEL = 0x7f;

/** Where in a line the scanner is. */
const place = { lineStart: 0, name: 1, beforeValue: 2, value: 3, lineEnd: 4, sectionEnd: 5 } as const;

export class FieldParser {
  /** True once the empty line that ends the section has been read. */
  done = false;
  /** What is wrong with the section, null while nothing is. */
  error: ProtocolError | null = null;
  readonly #fields: FieldLines;
  readonly #limits: MessageLimits;
  #place: number = place.lineStart;
  #sectionStart = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #kind = 0;

  constructor(fields: FieldLines, limits: MessageLimits) {
    this.#fields = fields;
    this.#limits = limits;
  }

  /** Starts a section at offset `start` of the text that is being read. */
  begin(start: number): void {
    this.done = false;
    this.error = null;
    this.#place = place.lineStart;
    this.#sectionStart = start;
    this.#fields.clear();
  }

  /**
   * Reads on from `at`, at most to `to`; `base` is where the text begins in `bytes`. Returns the offset
   * behind the last octet read: then `done`, or `error` is set, or it is `to`.
   */
  scan(bytes: Buffer, at: number, to: number, base: number): number {
    const bound = base + this.#sectionStart + this.#limits.headerBytes;
    const end = to < bound ? to : bound;
    while (at < end) {
      switch (this.#place) {
        case place.lineStart: {
          const after = this.#wholeLine(bytes, at, end, base);
          at = after === at ? this.#startLine(bytes, at, base) : after;
          break;
        }
        case place.name:
          while (at < end && tokenOctets[bytes[at] as number] === 1) at += 1;
          if (at < end) at = this.#endName(bytes, at, base);
          break;
        case place.beforeValue:
          while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
          if (at < end) {
            this.#valueStart = at - base;
            this.#place = place.value;
          }
          break;
        case place.value:
          while (at < end && valueOctets[bytes[at] as number] === 1) at += 1;
          if (at < end) {
            if (bytes[at] !== CR) this.error = bytes[at] === LF ? refusals.bareLf : refusals.controlInValue;
            this.#place = place.lineEnd;
            at += 1;
          }
          break;
        case place.lineEnd:
          at = this.#endLine(bytes, at, base);
          break;
        default:
          if (bytes[at] === LF) this.done = true;
          else this.error = refusals.bareCr;
          return at + 1;
      }
      if (this.error !== null) return at;
    }
    if (at === bound) this.error = refusals.sectionTooLarge;
    return at;
  }

  /**
   * Reads a line that is all here and as it should be, at once, and returns the offset behind it; else `start`: what is split or
   * wrong is read octet by octet.
   */
  #wholeLine(bytes: Buffer, start: number, end: number, base: number): number {
    const fields = this.#fields;
    let at = start;
    let octet = 0;
    // Each octet is loaded once.
    for (; at < end; at += 1) {
      octet = bytes[at] as number;
      if (tokenOctets[octet] !== 1) break;
    }
    if (octet !== COLON || at === start || at === end || fields.count >= this.#limits.fieldCount) return start;
    const nameEnd = at;
    at += 1;
    while (at < end && isSpace(bytes[at])) at += 1;
    const valueStart = at;
    // All of `valueOctets` but the tab, which is rare: cheaper than to look each octet up.
    for (; at < end; at += 1) {
      octet = bytes[at] as number;
      if (octet < SP || octet === DEL) break;
    }
    if (octet !== CR || at + 1 >= end || bytes[at + 1] !== LF) return start;
    let valueEnd = at;
    while (valueEnd > valueStart && isSpace(bytes[valueEnd - 1])) valueEnd -= 1;
    const kind = kindOfName(bytes, start, nameEnd);
    fields.add(start - base, nameEnd - base, valueStart - base, valueEnd - base, kind);
    return at + 2;
  }

  #startLine(bytes: Buffer, at: number, base: number): number {
    const octet = bytes[at];
    if (octet === CR) {
      this.#place = place.sectionEnd;
      return at + 1;
    }
    if (octet === SP || octet === HTAB) this.error = refusals.obsFold;
    else if (this.#fields.count >= this.#limits.fieldCount) this.error = refusals.tooManyFields;
    this.#nameStart = at - base;
    this.#place = place.name;
    return at;
  }

  #endName(bytes: Buffer, at: number, base: number): number {
    const octet = bytes[at];
    const start = this.#nameStart;
    if (octet !== COLON) this.error = nameRefusal(octet as number);
    else if (at - base === start) this.error = refusals.badFieldName;
    this.#nameEnd = at - base;
    this.#kind = kindOfName(bytes, base + start, at);
    this.#place = place.beforeValue;
    return at + 1;
  }

  #endLine(bytes: Buffer, at: number, base: number): number {
    if (bytes[at] !== LF) {
      this.error = refusals.bareCr;
      return at;
    }
    let valueEnd = at - 1 - base;
    while (valueEnd > this.#valueStart && isSpace(bytes[base + valueEnd - 1])) valueEnd -= 1;
    this.#fields.add(this.#nameStart, this.#nameEnd, this.#valueStart, valueEnd, this.#kind);
    this.#place = place.lineStart;
    return at + 1;
  }
}

function isSpace(octet: number | undefined): boolean {
  return octet === SP || octet === HTAB;
}

function nameRefusal(octet: number): ProtocolError {
  if (octet === SP || octet === HTAB) return refusals.spaceBeforeColon;
  if (octet === CR) return refusals.noColon;
  return octet === LF ? refusals.bareLf : refusals.badFieldName;
}
