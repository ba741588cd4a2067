/** Writes answers of one client connection as HTTP/1.1: heads, bodies in the framing that the client understands, ends. */
import { chunkEnd, chunkHead, lastChunk } from '../../core/http/chunked-encoding.ts';
import type { FieldLines } from '../../core/http/fields.ts';
import { type DateSource, forwardResponseHead, forwardTrailers } from '../../core/http/forward.ts';
import type { RequestHead, ResponseHead } from '../../core/http/message.ts';
import { type OwnStatus, ownAnswer } from '../../core/http/own-answers.ts';
import type { Plane } from '../plane.ts';
import type { Outbox } from './outbox.ts';

type ClientFraming = 'none' | 'length' | 'chunked' | 'until-close';

export class AnswerWriter implements DateSource {
  readonly #plane: Plane;
  readonly #outbox: Outbox;
  #framing: ClientFraming = 'none';
  #fields: FieldLines | null = null;

  constructor(plane: Plane, outbox: Outbox) {
    this.#plane = plane;
    this.#outbox = outbox;
  }

  /** How the body of the answer to this request is delimited for this client. */
  static framingFor(request: RequestHead, head: ResponseHead): ClientFraming {
    if (head.framing === 'none' || head.framing === 'length') return head.framing;
    return request.minor === 0 ? 'until-close' : 'chunked';
  }

  /** The body of the answer under way ends with the connection. */
  get untilClose(): boolean {
    return this.#framing === 'until-close';
  }

  interim(request: RequestHead, head: ResponseHead): void {
    this.#outbox.text(
      forwardResponseHead(head, {
        method: request.method,
        connection: 'keep-alive',
        framing: 'none',
        via: null,
        extraLines: '',
        date: null,
      }),
    );
  }

  head(
    request: RequestHead,
    head: ResponseHead,
    options: { connection: 'keep-alive' | 'close'; setCookies: string },
  ): void {
    this.#framing = AnswerWriter.framingFor(request, head);
    // Trailers are for those who take them (RFC 9110 section 6.5.1).
    this.#fields = request.takesTrailers ? head.fields : null;
    this.#outbox.text(
      forwardResponseHead(head, {
        method: request.method,
        connection: options.connection,
        framing: this.#framing,
        via: null,
        extraLines: options.setCookies,
        date: this,
      }),
    );
  }

  /** Lent bytes. */
  body(bytes: Buffer, from: number, to: number): void {
    if (this.#framing === 'chunked') {
      this.#outbox.text(chunkHead(to - from));
      this.#outbox.bytes(bytes, from, to);
      this.#outbox.text(chunkEnd);
    } else if (this.#framing !== 'none') {
      this.#outbox.bytes(bytes, from, to);
    }
  }

  end(trailers: FieldLines | null): void {
    if (this.#framing === 'chunked') {
      const fields = this.#fields;
      this.#outbox.text(lastChunk(trailers === null || fields === null ? '' : forwardTrailers(trailers, fields)));
    }
    this.#fields = null;
  }

  /** The 101 that switches protocols. */
  switching(request: RequestHead, head: ResponseHead, setCookies: string): void {
    this.#outbox.text(
      forwardResponseHead(head, {
        method: request.method,
        connection: 'upgrade',
        framing: 'none',
        via: null,
        extraLines: setCookies,
        date: null,
      }),
    );
  }

  /** A whole answer of the proxy's own. `method` is '' where none was understood. */
  own(method: string, status: OwnStatus, options: { connection: 'keep-alive' | 'close'; reason?: string }): void {
    const { connection, reason } = options;
    this.#plane.counters.ownAnswers[status] += 1;
    this.#outbox.text(
      ownAnswer(status, {
        dateLine: this.dateLine(),
        connection,
        method,
        ...(reason === undefined ? {} : { reason }),
      }),
    );
  }

  dateLine(): string {
    return this.#plane.dateLine.at(this.#plane.clock.wallMs());
  }
}
