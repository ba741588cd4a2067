/**
 * The receiving half of chunked (RFC 9112 section 7.1), for both parsers: sizes, extensions, data and
 * trailers. Extensions are checked and dropped.
 *
 * The decoder is asked for one step at a time and says where in the given bytes the next data lies, so
 * that data is never copied and whoever asks decides where it goes.
 */
import type { FieldLines } from './fields.ts';
import type { MessageLimits, ProtocolError } from './message.ts';
import { refusals } from './refusals.ts';
import { SectionReader } from './section-reader.ts';
import { CR, HTAB, hexDigit, LF, SP, tokenOctets, valueOctets } from './tokens.ts';

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Sizes are exact up to 2^53; one more digit on this would pass it. */
const sizeBeforeOverflow = 2 ** 49;

/** What chunk lines may cost in all, beyond 16 octets and twice the data for each. */
const overheadBytesMax = 16 * 1024;

const place = {
  sizeStart: 0,
  size: 1,
  /** In white space where a `;` has to come. */
  beforeSemicolon: 2,
  beforeName: 3,
  name: 4,
  /** In white space after an extension's name. */
  afterName: 5,
  beforeValue: 6,
  value: 7,
  quoted: 8,
  escaped: 9,
  afterQuoted: 10,
  lineEnd: 11,
  data: 12,
  dataCr: 13,
  dataLf: 14,
  trailers: 15,
} as const;

export class ChunkedDecoder {
  /** True once the last chunk and the trailers have been read. */
  done = false;
  error: ProtocolError | null = null;
  /** Where the data of the last step lies; none when both are equal. */
  dataFrom = 0;
  dataTo = 0;
  readonly #trailers: SectionReader;
  #place: number = place.sizeStart;
  /** The size being read, then the octets of data to come. */
  #size = 0;
  #overheadBytes = 0;

  constructor(limits: MessageLimits) {
    this.#trailers = new SectionReader(null, limits);
  }

  /** The trailers, null when there were none. Valid once `done`. */
  get trailers(): FieldLines | null {
    return this.#trailers.fields.count === 0 ? null : this.#trailers.fields;
  }

  /** Ready for the next body. */
  begin(): void {
    this.done = false;
    this.error = null;
    this.#place = place.sizeStart;
    this.#overheadBytes = 0;
    this.#trailers.begin();
  }

  /**
   * Reads on to the end of the next run of data, or of the body. Returns the offset behind the last octet
   * taken; then there is data, or `done`, or `error` is set, or it is `to`.
   */
  step(bytes: Buffer, from: number, to: number): number {
    let at = from;
    this.dataFrom = at;
    this.dataTo = at;
    while (at < to) {
      if (this.#place === place.data) return this.#takeData(at, to);
      if (this.#place === place.trailers) return this.#readTrailers(bytes, at, to);
      this.#read(bytes[at] as number);
      at += 1;
      if (this.error !== null) return at;
    }
    return at;
  }

  #takeData(at: number, to: number): number {
    const end = to - at < this.#size ? to : at + this.#size;
    this.#size -= end - at;
    if (this.#size === 0) this.#place = place.dataCr;
    this.dataFrom = at;
    this.dataTo = end;
    return end;
  }

  #readTrailers(bytes: Buffer, at: number, to: number): number {
    const end = this.#trailers.push(bytes, at, to);
    this.done = this.#trailers.done;
    this.error = this.#trailers.error;
    return end;
  }

  /** One octet around the data. */
  #read(octet: number): void {
    if (this.#place >= place.dataCr) {
      if (octet !== (this.#place === place.dataCr ? CR : LF)) this.error = refusals.badChunkEnd;
      this.#place = this.#place === place.dataCr ? place.dataLf : place.sizeStart;
      return;
    }
    this.#overheadBytes += 1;
    if (this.#overheadBytes > overheadBytesMax) this.error = refusals.chunkOverhead;
    else if (this.#place === place.lineEnd) this.#endLine(octet);
    else if (this.#place <= place.size) this.#readSize(octet);
    else this.#readExtension(octet);
  }

  #readSize(octet: number): void {
    const digit = hexDigit(octet);
    if (digit >= 0) {
      if (this.#place === place.sizeStart) this.#size = 0;
      if (this.#size >= sizeBeforeOverflow) this.error = refusals.badChunkSize;
      this.#size = this.#size * 16 + digit;
      this.#place = place.size;
    } else if (this.#place === place.sizeStart) {
      this.error = refusals.badChunkSize;
    } else if (!this.#betweenExtensions(octet)) {
      this.error = octet === LF ? refusals.bareLf : refusals.badChunkSize;
    }
  }

  /** `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )` */
  #readExtension(octet: number): void {
    const blank = octet === SP || octet === HTAB;
    let good = true;
    switch (this.#place) {
      case place.beforeSemicolon:
        // Blanks have to be followed by an extension: `5 CRLF` is no chunk line.
        good = octet !== CR && this.#betweenExtensions(octet);
        break;
      case place.beforeName:
        good = blank || tokenOctets[octet] === 1;
        if (!blank) this.#place = place.name;
        break;
      case place.name:
        if (tokenOctets[octet] === 1) return;
        if (blank) this.#place = place.afterName;
        else if (octet === EQUALS) this.#place = place.beforeValue;
        else good = this.#betweenExtensions(octet);
        break;
      case place.afterName:
        if (octet === EQUALS) this.#place = place.beforeValue;
        else good = blank || (octet !== CR && this.#betweenExtensions(octet));
        break;
      case place.beforeValue:
        good = blank || octet === QUOTE || tokenOctets[octet] === 1;
        if (!blank) this.#place = octet === QUOTE ? place.quoted : place.value;
        break;
      case place.value:
        good = tokenOctets[octet] === 1 || this.#betweenExtensions(octet);
        break;
      case place.quoted:
        good = valueOctets[octet] === 1;
        if (octet === QUOTE) this.#place = place.afterQuoted;
        else if (octet === BACKSLASH) this.#place = place.escaped;
        break;
      case place.escaped:
        good = valueOctets[octet] === 1;
        this.#place = place.quoted;
        break;
      default:
        good = this.#betweenExtensions(octet);
    }
    if (!good) this.error = octet === LF ? refusals.bareLf : refusals.badChunkExtension;
  }

  /** What may follow a size or an extension: blanks, the next extension, the end of the line. False for all else. */
  #betweenExtensions(octet: number): boolean {
    if (octet === SP || octet === HTAB) this.#place = place.beforeSemicolon;
    else if (octet === SEMICOLON) this.#place = place.beforeName;
    else if (octet === CR) this.#place = place.lineEnd;
    else return false;
    return true;
  }

  #endLine(octet: number): void {
    if (octet !== LF) {
      this.error = refusals.bareCr;
      return;
    }
    this.#place = this.#size === 0 ? place.trailers : place.data;
    this.#overheadBytes = Math.max(0, this.#overheadBytes - 16 - 2 * this.#size);
  }
}
