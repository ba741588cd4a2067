/** Writes one request of an upstream connection as HTTP/1.1: its head, its body in the framing it came in, its end. */
import { chunkEnd, chunkHead, lastChunk } from '../../core/http/chunked-encoding.ts';
import type { FieldLines } from '../../core/http/fields.ts';
import { forwardRequestHead, forwardTrailers } from '../../core/http/forward.ts';
import type { OutgoingRequest } from '../message-level.ts';
import type { Plane } from '../plane.ts';
import type { Outbox } from './outbox.ts';

export class RequestWriter {
  readonly #plane: Plane;
  readonly #outbox: Outbox;
  #request: OutgoingRequest | null = null;

  constructor(plane: Plane, outbox: Outbox) {
    this.#plane = plane;
    this.#outbox = outbox;
  }

  head(outgoing: OutgoingRequest): void {
    this.#request = outgoing;
    this.#outbox.text(
      forwardRequestHead(outgoing.request, {
        clientIp: outgoing.clientIp,
        proto: 'http',
        via: this.#plane.config.proxy.via,
        expect: outgoing.expect,
        upgrade: outgoing.request.upgrade,
      }),
    );
  }

  /** Lent bytes. */
  body(bytes: Buffer, from: number, to: number): void {
    if (to <= from) return;
    if (this.#request?.request.framing !== 'chunked') {
      this.#outbox.bytes(bytes, from, to);
      return;
    }
    this.#outbox.text(chunkHead(to - from));
    this.#outbox.bytes(bytes, from, to);
    this.#outbox.text(chunkEnd);
  }

  end(trailers: FieldLines | null): void {
    const request = this.#request?.request;
    if (request?.framing !== 'chunked') return;
    this.#outbox.text(lastChunk(trailers === null ? '' : forwardTrailers(trailers, request.fields)));
  }
}
