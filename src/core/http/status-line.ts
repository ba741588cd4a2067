/**
 * The status line (RFC 9112 section 4): `HTTP-version SP 3DIGIT SP [reason] CRLF`. The space before an
 * empty reason may be missing, as many servers leave it out and nothing turns on it.
 */
import type { MessageLimits, ProtocolError } from './message.ts';
import { refusals } from './refusals.ts';
import type { StartLine } from './section-reader.ts';
import { CR, isDigit, LF, SP, valueOctets } from './tokens.ts';
import { isVersionOctet, minorVersion, versionBytes, versionRefusal } from './version.ts';

/** Octets of the line up to the end of the status. */
const statusEnd = versionBytes + 4;

const place = { fixed: 0, afterStatus: 1, reason: 2, lineEnd: 3 } as const;

export class StatusLine implements StartLine {
  done = false;
  error: ProtocolError | null = null;
  status = 0;
  minor: 0 | 1 = 1;
  /** Offsets in the head's text. */
  reasonStart = 0;
  reasonEnd = 0;
  readonly #bytesMax: number;
  #place: number = place.fixed;

  constructor(limits: MessageLimits) {
    this.#bytesMax = limits.requestLineBytes;
  }

  begin(): void {
    this.done = false;
    this.error = null;
    this.status = 0;
    this.#place = place.fixed;
  }

  scan(bytes: Buffer, at: number, to: number, base: number): number {
    const bound = base + this.#bytesMax;
    const end = to < bound ? to : bound;
    while (at < end) {
      switch (this.#place) {
        case place.fixed:
          at = this.#readFixed(bytes, at, base);
          break;
        case place.afterStatus:
          at = this.#endStatus(bytes, at, base);
          break;
        case place.reason:
          while (at < end && valueOctets[bytes[at] as number] === 1) at += 1;
          if (at < end) {
            if (bytes[at] !== CR) this.error = bytes[at] === LF ? refusals.bareLf : refusals.badStatusLine;
            this.reasonEnd = at - base;
            this.#place = place.lineEnd;
            at += 1;
          }
          break;
        default:
          if (bytes[at] === LF) this.done = true;
          else this.error = refusals.bareCr;
          return at + 1;
      }
      if (this.error !== null) return at;
    }
    if (at === bound) this.error = refusals.statusLineTooLong;
    return at;
  }

  /** The octets whose places are fixed: version, space, three digits. */
  #readFixed(bytes: Buffer, at: number, base: number): number {
    const index = at - base;
    const octet = bytes[at] as number;
    if (index < versionBytes) {
      if (!isVersionOctet(index, octet)) this.error = refusals.badStatusLine;
    } else if (index === versionBytes) {
      if (octet !== SP) this.error = refusals.badStatusLine;
    } else if (isDigit(octet)) {
      this.status = this.status * 10 + octet - 0x30;
    } else {
      this.error = refusals.badStatusLine;
    }
    if (index === statusEnd - 1) this.#place = place.afterStatus;
    return at + 1;
  }

  #endStatus(bytes: Buffer, at: number, base: number): number {
    const octet = bytes[at];
    this.minor = minorVersion(bytes, base);
    this.error = versionRefusal(bytes, base);
    if (this.status < 100 || this.status > 599 || (octet !== SP && octet !== CR)) this.error = refusals.badStatusLine;
    this.reasonStart = at + 1 - base;
    this.reasonEnd = this.reasonStart;
    this.#place = octet === SP ? place.reason : place.lineEnd;
    return at + 1;
  }
}
