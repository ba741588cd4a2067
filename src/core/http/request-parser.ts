/**
 * Requests of one client connection, from bytes to callbacks, in the strict reading of RFC 9112: what
 * could be read in two ways is refused, and a refused request is the last of its connection.
 */
import { ChunkedDecoder } from './chunked.ts';
import { kind } from './field-kinds.ts';
import type { FieldLines } from './fields.ts';
import { readFraming } from './framing.ts';
import {
  connectionOptions,
  expectation,
  maxForwards,
  offeredProtocols,
  option,
  takesTrailers,
} from './header-values.ts';
import { isHost } from './host.ts';
import type { MessageLimits, ProtocolError, RequestHead, RequestSink } from './message.ts';
import type { RequestMessageParser } from './parsers.ts';
import { refusals } from './refusals.ts';
import { RequestLine } from './request-line.ts';
import { readTarget } from './request-target.ts';
import { SectionReader } from './section-reader.ts';
import { CR, LF } from './tokens.ts';

/** Empty lines taken before a request line (RFC 9112 section 2.2 asks for one at least). */
const emptyLinesMax = 2;

/** What comes next. `ended` waits for `next`, `stopped` is for good. */
type State = 'between' | 'head' | 'length' | 'chunked' | 'ended' | 'stopped';

export class RequestParser implements RequestMessageParser {
  readonly #sink: RequestSink;
  readonly #limits: MessageLimits;
  readonly #line: RequestLine;
  readonly #section: SectionReader;
  readonly #head: RequestRecord;
  /** Made for the first chunked body of the connection. */
  #chunks: ChunkedDecoder | null = null;
  #state: State = 'between';
  /** Octets of a body of known length that are still to come. */
  #bytesLeft = 0;
  /** Octets of empty lines taken before this request. */
  #emptyBytes = 0;

  constructor(sink: RequestSink, limits: MessageLimits) {
    this.#sink = sink;
    this.#limits = limits;
    this.#line = new RequestLine(limits);
    this.#section = new SectionReader(this.#line, limits);
    this.#head = new RequestRecord(this.#section.fields);
  }

  get inMessage(): boolean {
    return this.#state === 'head' || this.#state === 'length' || this.#state === 'chunked';
  }

  push(bytes: Buffer, from: number, to: number): number {
    let at = from;
    if (this.#state === 'between') at = this.#skipEmptyLines(bytes, at, to);
    if (this.#state === 'head') at = this.#readHead(bytes, at, to);
    if (this.#state === 'length') at = this.#readLength(bytes, at, to);
    else if (this.#state === 'chunked') at = this.#readChunks(bytes, at, to);
    return at;
  }

  next(): void {
    if (this.#state !== 'ended') return;
    this.#state = 'between';
    this.#emptyBytes = 0;
    this.#section.begin();
  }

  stop(): void {
    this.#state = 'stopped';
  }

  #skipEmptyLines(bytes: Buffer, at: number, to: number): number {
    while (at < to) {
      const octet = bytes[at];
      const afterCr = this.#emptyBytes % 2 === 1;
      if (!afterCr && octet !== CR) {
        if (octet === LF) this.#refuse(refusals.bareLf);
        else this.#state = 'head';
        return at;
      }
      if (afterCr && octet !== LF) return this.#refuse(refusals.bareCr, at);
      this.#emptyBytes += 1;
      if (this.#emptyBytes > emptyLinesMax * 2) return this.#refuse(refusals.emptyLines, at);
      at += 1;
    }
    return at;
  }

  #readHead(bytes: Buffer, from: number, to: number): number {
    const at = this.#section.push(bytes, from, to);
    if (this.#section.error !== null) return this.#refuse(this.#section.error, at);
    if (!this.#section.done) return at;
    const head = this.#head;
    const error = head.read(this.#line);
    if (error !== null) return this.#refuse(error, at);
    if (head.framing === 'chunked') this.#beginChunks();
    else this.#bytesLeft = head.length;
    this.#state = head.framing === 'chunked' ? 'chunked' : 'length';
    this.#sink.requestHead(head);
    if (this.#bytesLeft === 0 && this.#state === 'length') this.#end(null);
    return at;
  }

  #readLength(bytes: Buffer, from: number, to: number): number {
    if (from === to) return from;
    const end = to - from < this.#bytesLeft ? to : from + this.#bytesLeft;
    this.#bytesLeft -= end - from;
    this.#sink.requestBody(bytes, from, end);
    if (this.#bytesLeft === 0 && this.#state === 'length') this.#end(null);
    return end;
  }

  #beginChunks(): void {
    this.#chunks ??= new ChunkedDecoder(this.#limits);
    this.#chunks.begin();
    this.#bytesLeft = 0;
  }

  #readChunks(bytes: Buffer, from: number, to: number): number {
    const chunks = this.#chunks as ChunkedDecoder;
    let at = from;
    while (at < to && this.#state === 'chunked') {
      at = chunks.step(bytes, at, to);
      if (chunks.dataTo > chunks.dataFrom) this.#sink.requestBody(bytes, chunks.dataFrom, chunks.dataTo);
      else if (chunks.error !== null) return this.#refuse(chunks.error, at);
      else if (chunks.done) this.#end(chunks.trailers);
    }
    return at;
  }

  #end(trailers: FieldLines | null): void {
    this.#state = 'ended';
    this.#sink.requestEnd(trailers);
  }

  #refuse(error: ProtocolError, at = 0): number {
    this.stop();
    this.#sink.requestError(error, this.#line.isHead ? 'HEAD' : '');
    return at;
  }
}

/** The head object of a connection, filled anew by each request. */
class RequestRecord implements RequestHead {
  readonly fields: FieldLines;
  method = '';
  target = '';
  forwardTarget = '';
  host = '';
  minor: 0 | 1 = 1;
  framing: 'none' | 'length' | 'chunked' = 'none';
  length = 0;
  keepAlive = false;
  expectsContinue = false;
  upgrade = '';
  takesTrailers = false;
  nominates = false;
  maxForwards = -1;
  /** The last Host that was found valid: the requests of a connection seldom differ in it. */
  #knownHost = '';

  constructor(fields: FieldLines) {
    this.fields = fields;
  }

  /** Takes everything from the request line and the fields. Returns what is wrong with them, or null. */
  read(line: RequestLine): ProtocolError | null {
    const { fields } = this;
    const { text } = fields;
    this.minor = line.minor;
    this.method = text.slice(0, line.methodEnd);
    this.target = text.slice(line.methodEnd + 1, line.targetEnd);
    const error = readTarget(this) ?? this.#readHost() ?? readFraming(this, 'none');
    if (error !== null) return error;
    const options = connectionOptions(fields);
    this.keepAlive = this.minor === 1 && (options & option.close) === 0;
    this.nominates = (options & option.names) !== 0;
    this.takesTrailers = takesTrailers(fields);
    const upgrades = this.minor === 1 && (options & option.upgrade) !== 0;
    this.upgrade = upgrades ? offeredProtocols(fields) : '';
    const traced = this.method === 'OPTIONS' || this.method === 'TRACE';
    this.maxForwards = traced ? maxForwards(fields) : -1;
    return this.#readExpectation();
  }

  /** Host has to be valid even where the target names the authority (RFC 9112 section 3.2). */
  #readHost(): ProtocolError | null {
    const { fields } = this;
    const index = fields.findKind(kind.host);
    if (index < 0) return this.minor === 1 ? refusals.missingHost : null;
    if (fields.repeats(kind.host)) return refusals.repeatedHost;
    const host = fields.value(index);
    if (host !== this.#knownHost) {
      if (!isHost(host)) return refusals.badHost;
      this.#knownHost = host;
    }
    if (this.host === '') this.host = host;
    return null;
  }

  /** A 1.0 client's expectation is ignored, and one for an empty body has no meaning (RFC 9110 section 10.1.1). */
  #readExpectation(): ProtocolError | null {
    const expected = this.minor === 1 ? expectation(this.fields) : 'none';
    this.expectsContinue = expected === 'continue' && (this.framing === 'chunked' || this.length > 0);
    return expected === 'unknown' ? refusals.unknownExpectation : null;
  }
}
