/**
 * Responses, from bytes to callbacks, as strict as requests are read: a server is not trusted with framing
 * either. Bytes beyond the answer that is expected are not taken.
 */
import { ChunkedDecoder } from './chunked.ts';
import type { FieldLines } from './fields.ts';
import { readFraming } from './framing.ts';
import { connectionOptions, option } from './header-values.ts';
import type { Framing, MessageLimits, ProtocolError, ResponseHead, ResponseSink } from './message.ts';
import type { ResponseMessageParser } from './parsers.ts';
import { refusals } from './refusals.ts';
import { SectionReader } from './section-reader.ts';
import { StatusLine } from './status-line.ts';

/** What comes next. `idle` waits for `expect`, `stopped` is for good. */
type State = 'idle' | 'head' | 'length' | 'chunked' | 'until-close' | 'stopped';

export class ResponseParser implements ResponseMessageParser {
  readonly #limits: MessageLimits;
  readonly #line: StatusLine;
  readonly #section: SectionReader;
  readonly #head: ResponseRecord;
  /** Made for the first chunked body. */
  #chunks: ChunkedDecoder | null = null;
  #state: State = 'idle';
  /** Hears of the answer under way. */
  #sink: ResponseSink | null = null;
  #method = '';
  /** An interim answer has come, the final one not yet. */
  #afterInterim = false;
  /** Octets of a body of known length that are still to come. */
  #bytesLeft = 0;

  constructor(limits: MessageLimits) {
    this.#limits = limits;
    this.#line = new StatusLine(limits);
    this.#section = new SectionReader(this.#line, limits);
    this.#head = new ResponseRecord(this.#section.fields);
  }

  get inMessage(): boolean {
    if (this.#state === 'head') return this.#section.begun || this.#afterInterim;
    return this.#state !== 'idle' && this.#state !== 'stopped';
  }

  expect(method: string, sink: ResponseSink): void {
    if (this.#state !== 'idle') return;
    this.#state = 'head';
    this.#sink = sink;
    this.#method = method;
    this.#afterInterim = false;
    this.#section.begin();
  }

  push(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (this.#state === 'head' && at < to) at = this.#readHead(bytes, at, to);
    if (this.#state === 'length') at = this.#readLength(bytes, at, to);
    else if (this.#state === 'chunked') at = this.#readChunks(bytes, at, to);
    else if (this.#state === 'until-close' && at < to) {
      this.#sink?.responseBody(bytes, at, to);
      at = to;
    }
    return at;
  }

  finish(): void {
    if (this.#state === 'until-close') this.#end(null);
    else if (this.inMessage) this.#refuse(refusals.prematureClose);
  }

  stop(): void {
    this.#state = 'stopped';
    this.#sink = null;
  }

  #readHead(bytes: Buffer, from: number, to: number): number {
    const at = this.#section.push(bytes, from, to);
    if (this.#section.error !== null) return this.#refuse(this.#section.error, at);
    if (!this.#section.done) return at;
    const head = this.#head;
    const error = head.read(this.#line, this.#method);
    if (error !== null) return this.#refuse(error, at);
    if (head.status < 200 && head.status !== 101) {
      this.#sink?.responseInterim(head);
      this.#afterInterim = true;
      if (this.#state === 'head') this.#section.begin();
      return at;
    }
    this.#begin(head);
    return at;
  }

  /** Opens the final answer. A 101 has no end: what follows it is not HTTP. */
  #begin(head: ResponseRecord): void {
    this.#bytesLeft = head.length;
    this.#state = head.framing === 'none' ? 'length' : head.framing;
    if (head.framing === 'chunked') {
      this.#chunks ??= new ChunkedDecoder(this.#limits);
      this.#chunks.begin();
    }
    if (head.status === 101) this.#state = 'stopped';
    this.#sink?.responseHead(head);
    if (this.#bytesLeft === 0 && this.#state === 'length') this.#end(null);
  }

  #readLength(bytes: Buffer, from: number, to: number): number {
    if (from === to) return from;
    const end = to - from < this.#bytesLeft ? to : from + this.#bytesLeft;
    this.#bytesLeft -= end - from;
    this.#sink?.responseBody(bytes, from, end);
    if (this.#bytesLeft === 0 && this.#state === 'length') this.#end(null);
    return end;
  }

  #readChunks(bytes: Buffer, from: number, to: number): number {
    const chunks = this.#chunks as ChunkedDecoder;
    let at = from;
    while (at < to && this.#state === 'chunked') {
      at = chunks.step(bytes, at, to);
      if (chunks.dataTo > chunks.dataFrom) this.#sink?.responseBody(bytes, chunks.dataFrom, chunks.dataTo);
      else if (chunks.error !== null) return this.#refuse(chunks.error, at);
      else if (chunks.done) this.#end(chunks.trailers);
    }
    return at;
  }

  #end(trailers: FieldLines | null): void {
    const sink = this.#sink;
    this.#state = 'idle';
    this.#sink = null;
    sink?.responseEnd(trailers);
  }

  #refuse(error: ProtocolError, at = 0): number {
    const sink = this.#sink;
    this.stop();
    sink?.responseError(error);
    return at;
  }
}

/** The head object of a parser, filled anew by each response. */
class ResponseRecord implements ResponseHead {
  readonly fields: FieldLines;
  status = 0;
  reason = '';
  minor: 0 | 1 = 1;
  framing: Framing = 'none';
  length = 0;
  keepAlive = false;
  nominates = false;

  constructor(fields: FieldLines) {
    this.fields = fields;
  }

  /** Takes everything from the status line and the fields. Returns what is wrong with them, or null. */
  read(line: StatusLine, method: string): ProtocolError | null {
    const { fields } = this;
    this.minor = line.minor;
    this.status = line.status;
    this.reason = fields.text.slice(line.reasonStart, line.reasonEnd);
    const error = readFraming(this, 'until-close');
    if (error !== null) return error;
    if (method === 'HEAD' || hasNoBody(line.status)) {
      this.framing = 'none';
      this.length = 0;
    }
    const options = connectionOptions(fields);
    this.nominates = (options & option.names) !== 0;
    this.keepAlive =
      (options & option.close) === 0 &&
      (this.minor === 1 || (options & option.keepAlive) !== 0) &&
      this.framing !== 'until-close';
    return null;
  }
}

/** RFC 9112 section 6.3: 1xx, 204 and 304 end with their head. */
function hasNoBody(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}
