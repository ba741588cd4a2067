/**
 * What the codec says of a message: the heads, and the callbacks that a parser feeds.
 *
 * A parser reads one message at a time and reuses its head object: a head is lent until the message it
 * opened has ended. Who needs it longer copies what it needs.
 */
import type { FieldLines } from './fields.ts';

/** How a body is delimited (RFC 9112 section 6). `until-close` occurs in responses only. */
export type Framing = 'none' | 'length' | 'chunked' | 'until-close';

export interface RequestHead {
  /** Case-sensitive, as sent. */
  readonly method: string;
  /** The request target byte for byte as sent. */
  readonly target: string;
  /** What is sent to a server: origin-form or `*`; a slice of `target` (RFC 9112 section 3.2). */
  readonly forwardTarget: string;
  /** The effective authority: from an absolute-form target, else the Host field ('' in HTTP/1.0 without one). */
  readonly host: string;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1 (and for a later 1.x). */
  readonly minor: 0 | 1;
  readonly fields: FieldLines;
  readonly framing: 'none' | 'length' | 'chunked';
  /** Bytes of the body when `framing` is `length`, else 0. */
  readonly length: number;
  /** The client allows another request on this connection. Always false for HTTP/1.0. */
  readonly keepAlive: boolean;
  /** `Expect: 100-continue` on an HTTP/1.1 request. */
  readonly expectsContinue: boolean;
  /** The Upgrade value offered (Connection names `upgrade`, HTTP/1.1), protocols but for h2c; '' for none. */
  readonly upgrade: string;
  /** The client takes trailers (`TE: trailers`). */
  readonly takesTrailers: boolean;
  /** Connection names fields that end here (RFC 9110 section 7.6.1). */
  readonly nominates: boolean;
  /** Max-Forwards of a TRACE or OPTIONS request (at 0 the proxy answers itself), -1 for none. */
  readonly maxForwards: number;
}

export interface ResponseHead {
  readonly status: number;
  /** The reason phrase as sent. */
  readonly reason: string;
  readonly minor: 0 | 1;
  readonly fields: FieldLines;
  /** For an answer to HEAD, and for 1xx, 204 and 304: `none`, whatever the fields say. */
  readonly framing: Framing;
  /** Bytes of the body when `framing` is `length`; else 0. */
  readonly length: number;
  /** The server allows another request on this connection. */
  readonly keepAlive: boolean;
  /** Connection names fields that end here (RFC 9110 section 7.6.1). */
  readonly nominates: boolean;
}

/** What a parser refuses. `status` is the answer to a client; a response that is refused is a 502 to the client. */
export interface ProtocolError {
  readonly status: 400 | 414 | 417 | 431 | 501 | 505;
  /** Stable, for logs and docs: `bad-field-line`, `conflicting-framing`, … */
  readonly code: string;
  /** One line for people; never holds bytes of the message. */
  readonly reason: string;
}

export interface RequestSink {
  /** A whole valid head. The parser's framing is final when this is called. */
  requestHead(head: RequestHead): void;
  /** Bytes of the body, chunk framing removed. Lent: valid until the callback returns. */
  requestBody(bytes: Buffer, from: number, to: number): void;
  /** The message is complete. `trailers` is null when there were none; lent like the head. */
  requestEnd(trailers: FieldLines | null): void;
  /** The message is refused; the parser takes no more bytes. Called once. An answer to HEAD has no body even then. */
  requestError(error: ProtocolError, method: 'HEAD' | ''): void;
}

export interface ResponseSink {
  /** An interim answer (1xx, never 101); any number may come before the final head. */
  responseInterim(head: ResponseHead): void;
  /** The final head (101 included: the parser then stops, and what follows is the tunnel's). */
  responseHead(head: ResponseHead): void;
  responseBody(bytes: Buffer, from: number, to: number): void;
  responseEnd(trailers: FieldLines | null): void;
  responseError(error: ProtocolError): void;
}

/** Bounds on what one message may hold, in bytes (and fields in number). */
export interface MessageLimits {
  readonly requestLineBytes: number;
  /** The whole field section of a head, and a trailer section. */
  readonly headerBytes: number;
  readonly fieldCount: number;
}

/** A request head of one's own: a parser's is lent until its exchange is over. */
export function copyRequest(head: RequestHead): RequestHead {
  return { ...head, fields: head.fields.copy() };
}

/** True when octets of a body are to come. */
export function hasBody(head: RequestHead): boolean {
  return head.framing === 'chunked' || head.length > 0;
}
