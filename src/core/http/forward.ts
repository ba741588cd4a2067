/**
 * Forwarding rules (RFC 9110 sections 5.3, 6.5, 7.6; RFC 9112 sections 3.2 and 6): a head goes in as it
 * was received and comes out as the text that is sent on, blank line included.
 */
import type { FieldLines } from './fields.ts';
import type { RequestHead, ResponseHead } from './message.ts';

/** How a request is sent on. Everything but `expect` and `upgrade` is constant for one client connection. */
export interface RequestForwarding {
  readonly clientIp: string;
  readonly proto: 'http' | 'https';
  /** The proxy's pseudonym for the Via line, or null for no such line. */
  readonly via: string | null;
  /** `keep` sends the client's `Expect: 100-continue` on; `drop` when the proxy answered it. */
  readonly expect: 'keep' | 'drop';
  /** The Upgrade value to offer to the server, '' for none. */
  readonly upgrade: string;
}

/** How a response is sent on. */
export interface ResponseForwarding {
  /** The method of the request that is answered. */
  readonly method: string;
  /** `upgrade` with a 101 only. */
  readonly connection: 'keep-alive' | 'close' | 'upgrade';
  /** What the body is framed with on the client's side; `length` only where the response has it. */
  readonly framing: 'none' | 'length' | 'chunked' | 'until-close';
  readonly via: string | null;
  /** Ready-made lines, each ending in CRLF (Set-Cookie and so on), or ''. */
  readonly extraLines: string;
  /** `Date: …` ending in CRLF, used when the response has none; '' for none (interim answers). */
  readonly dateLine: string;
}

/** The head text of a request to a server. */
export function forwardRequestHead(_head: RequestHead, _options: RequestForwarding): string {
  return '';
}

/** The head text of a response to a client. */
export function forwardResponseHead(_head: ResponseHead, _options: ResponseForwarding): string {
  return '';
}

/**
 * The trailer lines to send on, each ending in CRLF, '' for none. `head` are the fields of the message
 * that the trailers close: what its Connection names stays behind here too.
 */
export function forwardTrailers(_trailers: FieldLines, _head: FieldLines): string {
  return '';
}
