/**
 * The request line (RFC 9112 section 3): `method SP target SP HTTP-version CRLF`, one space each, read
 * octet by octet. What the target means is `request-target.ts`'s business.
 */
import type { MessageLimits, ProtocolError } from './message.ts';
import { refusals } from './refusals.ts';
import type { StartLine } from './section-reader.ts';
import { CR, LF, pathOctets, queryOctets, SP, tokenOctets } from './tokens.ts';
import { isVersionOctet, minorVersion, versionBytes, versionRefusal } from './version.ts';

const QUESTION = 0x3f;
/** `HEAD` as four octets. */
const HEAD = 0x48454144;

const place = { method: 0, path: 1, query: 2, version: 3, lineEnd: 4 } as const;

export class RequestLine implements StartLine {
  done = false;
  error: ProtocolError | null = null;
  /** Offsets in the head's text. */
  methodEnd = 0;
  targetEnd = 0;
  minor: 0 | 1 = 1;
  /** The method has been read, and it is HEAD: known before the head is, so that a refusal can do without a body. */
  isHead = false;
  readonly #bytesMax: number;
  #place: number = place.method;

  constructor(limits: MessageLimits) {
    this.#bytesMax = limits.requestLineBytes;
  }

  begin(): void {
    this.done = false;
    this.error = null;
    this.isHead = false;
    this.#place = place.method;
  }

  scan(bytes: Buffer, at: number, to: number, base: number): number {
    const bound = base + this.#bytesMax;
    const end = to < bound ? to : bound;
    while (at < end) {
      switch (this.#place) {
        case place.method:
          while (at < end && tokenOctets[bytes[at] as number] === 1) at += 1;
          if (at < end) at = this.#endMethod(bytes, at, base);
          break;
        case place.path:
          while (at < end && pathOctets[bytes[at] as number] === 1) at += 1;
          if (at < end) at = this.#endTarget(bytes, at, base);
          break;
        case place.query:
          while (at < end && queryOctets[bytes[at] as number] === 1) at += 1;
          if (at < end) at = this.#endTarget(bytes, at, base);
          break;
        case place.version:
          at = this.#readVersion(bytes, at, base);
          break;
        default:
          if (bytes[at] === LF) this.done = true;
          else this.error = refusals.bareCr;
          return at + 1;
      }
      if (this.error !== null) return at;
    }
    if (at === bound) this.error = refusals.requestLineTooLong;
    return at;
  }

  #endMethod(bytes: Buffer, at: number, base: number): number {
    const octet = bytes[at];
    if (octet !== SP) this.error = octet === CR || octet === LF ? refusals.badRequestLine : refusals.badMethod;
    else if (at === base) this.error = refusals.badRequestLine;
    this.methodEnd = at - base;
    this.isHead = this.methodEnd === 4 && bytes.readUInt32BE(base) === HEAD;
    this.#place = place.path;
    return at + 1;
  }

  #endTarget(bytes: Buffer, at: number, base: number): number {
    const octet = bytes[at];
    if (octet === QUESTION) {
      this.#place = place.query;
      return at + 1;
    }
    if (octet === CR || octet === LF) this.error = refusals.badRequestLine;
    else if (octet !== SP) this.error = refusals.badTarget;
    else if (at - base === this.methodEnd + 1) this.error = refusals.badRequestLine;
    this.targetEnd = at - base;
    this.#place = place.version;
    return at + 1;
  }

  #readVersion(bytes: Buffer, at: number, base: number): number {
    const start = base + this.targetEnd + 1;
    const octet = bytes[at];
    if (at - start < versionBytes) {
      if (!isVersionOctet(at - start, octet)) this.error = refusals.badVersion;
    } else if (octet !== CR) {
      this.error = octet === LF ? refusals.bareLf : refusals.badVersion;
    } else {
      this.error = versionRefusal(bytes, start);
      this.minor = minorVersion(bytes, start);
      this.#place = place.lineEnd;
    }
    return at + 1;
  }
}
