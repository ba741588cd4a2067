/**
 * Forwarding rules (RFC 9110 sections 5.3, 6.5, 7.6; RFC 9112 sections 3.2 and 6): a head goes in as it
 * was received and comes out as the text that is sent on, blank line included.
 *
 * Runs of lines that stay are copied as one slice each, so the usual head is a handful of slices; what
 * frames the message and names the client is written anew.
 */
import { kind } from './field-kinds.ts';
import type { FieldLines } from './fields.ts';
import { nominatedNames } from './header-values.ts';
import type { Framing, RequestHead, ResponseHead } from './message.ts';

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

export interface DateSource {
  /** `Date: …` ending in CRLF. */
  dateLine(): string;
}

/** How a response is sent on. */
export interface ResponseForwarding {
  /** The method of the request that is answered. */
  readonly method: string;
  /** `upgrade` with a 101 only. */
  readonly connection: 'keep-alive' | 'close' | 'upgrade';
  /** What the body is framed with on the client's side; `length` only where the response has it. */
  readonly framing: Framing;
  readonly via: string | null;
  /** Ready-made lines, each ending in CRLF (Set-Cookie and so on), or ''. */
  readonly extraLines: string;
  /** Asked for the Date line when the response has none; null for no such line (interim answers). */
  readonly date: DateSource | null;
}

/** The kinds of fields that any head is sent on with, as bits. What is not here is dropped or written anew. */
const alwaysKept =
  bit(kind.other) |
  bit(kind.via) |
  bit(kind.date) |
  bit(kind.cookie) |
  bit(kind.setCookie) |
  bit(kind.authorization) |
  bit(kind.maxForwards);

/** In a response these mean nothing to the proxy and pass like any other field. */
const keptInResponses = alwaysKept | bit(kind.host) | bit(kind.expect) | bit(kind.forwarded);

/** How a head to a client ends. */
const connectionLines = {
  'keep-alive': '\r\n',
  close: 'Connection: close\r\n\r\n',
  upgrade: 'Connection: Upgrade\r\n\r\n',
} as const;

/** The head text of a request to a server. */
export function forwardRequestHead(head: RequestHead, options: RequestForwarding): string {
  const { fields, host } = head;
  let kept = alwaysKept | keptLength(head.framing, fields);
  // Host stands first (RFC 9110 section 7.2). Where it does already, it stays in the run that it opens.
  const hostStays = fields.kinds[0] === kind.host && fields.has(kind.host) && fields.value(0) === host;
  if (hostStays) kept |= bit(kind.host);
  if (options.expect === 'keep' && head.expectsContinue) kept |= bit(kind.expect);
  if (head.maxForwards > 0) kept &= ~bit(kind.maxForwards);
  return (
    `${head.method} ${head.forwardTarget} HTTP/1.1\r\n` +
    (hostStays ? '' : `Host: ${host}\r\n`) +
    keptLines(fields, kept, head.nominates) +
    `X-Forwarded-For: ${options.clientIp}\r\nX-Forwarded-Proto: ${options.proto}\r\n` +
    (host === '' ? '' : `X-Forwarded-Host: ${host}\r\n`) +
    viaLine(head.minor, options.via) +
    framingLine(head, head.framing, kept) +
    requestOptions(head, options.upgrade) +
    '\r\n'
  );
}

/** The head text of a response to a client. */
export function forwardResponseHead(head: ResponseHead, options: ResponseForwarding): string {
  const { fields, status } = head;
  const { connection, framing } = options;
  // A length that frames nothing tells of the body that GET would have; 1xx and 204 have none to tell of.
  const told = framing === 'none' && status >= 200 && status !== 204 && (options.method === 'HEAD' || status === 304);
  let kept = keptInResponses | keptLength(told ? 'length' : framing, fields);
  if (connection === 'upgrade') kept |= bit(kind.upgrade);
  return (
    `HTTP/1.1 ${status} ${head.reason}\r\n` +
    keptLines(fields, kept, head.nominates) +
    viaLine(head.minor, options.via) +
    (options.date === null || fields.has(kind.date) ? '' : options.date.dateLine()) +
    options.extraLines +
    framingLine(head, framing, kept) +
    connectionLines[connection]
  );
}

/**
 * The trailer lines to send on, each ending in CRLF, '' for none. `head` are the fields of the message
 * that the trailers close: what its Connection names stays behind here too. So does everything that
 * would frame, route, authorise or steer the message, had it come in time (RFC 9110 section 6.5.1).
 */
export function forwardTrailers(trailers: FieldLines, head: FieldLines): string {
  const nominated = nominatedNames(head);
  let lines = '';
  for (let index = 0; index < trailers.count; index += 1) {
    const name = trailers.name(index).toLowerCase();
    if (trailers.kinds[index] !== kind.other || neverTrailers.has(name) || nominated.has(name)) continue;
    lines += `${trailers.name(index)}: ${trailers.value(index)}\r\n`;
  }
  return lines;
}

/** Fields that say how a message is to be handled; whoever merges trailers into the head would obey them. */
const neverTrailers = new Set([
  'accept-encoding',
  'age',
  'cache-control',
  'content-encoding',
  'content-location',
  'content-range',
  'content-type',
  'expires',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'location',
  'pragma',
  'proxy-authenticate',
  'proxy-authorization',
  'range',
  'retry-after',
  'trailer',
  'vary',
  'www-authenticate',
]);

function bit(fieldKind: number): number {
  return 1 << fieldKind;
}

/**
 * The lines of the kinds in `kept`, as they came and in order. What Connection names is left out, but only
 * among fields that the proxy has no part in: nobody can talk it out of Host, Cookie or a length.
 */
function keptLines(fields: FieldLines, kept: number, nominates: boolean): string {
  const nominated = nominates ? nominatedNames(fields) : null;
  let lines = '';
  let runStart = -1;
  for (let index = 0; index < fields.count; index += 1) {
    const fieldKind = fields.kinds[index] as number;
    const stays =
      (kept & bit(fieldKind)) !== 0 &&
      (nominated === null || fieldKind !== kind.other || !nominated.has(fields.name(index).toLowerCase()));
    if (stays) {
      if (runStart < 0) runStart = fields.lineStart(index);
    } else if (runStart >= 0) {
      lines += fields.text.slice(runStart, fields.lineStart(index));
      runStart = -1;
    }
  }
  // The section ends with the CRLF of its empty line.
  return runStart < 0 ? lines : lines + fields.text.slice(runStart, fields.text.length - 2);
}

/** The bit of Content-Length when its line can stay as it is: it frames the message and has no leading zeros. */
function keptLength(framing: Framing, fields: FieldLines): number {
  if (framing !== 'length' || !fields.has(kind.contentLength)) return 0;
  const at = fields.findKind(kind.contentLength) * 4;
  const start = fields.at[at + 2] as number;
  const plain = fields.text.charCodeAt(start) !== 0x30 || fields.at[at + 3] === start + 1;
  return plain ? bit(kind.contentLength) : 0;
}

/** What delimits the body, where no kept line does. */
function framingLine(head: { readonly length: number }, framing: Framing, kept: number): string {
  if (framing === 'chunked') return 'Transfer-Encoding: chunked\r\n';
  if (framing !== 'length' || (kept & bit(kind.contentLength)) !== 0) return '';
  return `Content-Length: ${head.length}\r\n`;
}

function viaLine(minor: 0 | 1, via: string | null): string {
  return via === null ? '' : `Via: 1.${minor} ${via}\r\n`;
}

/** What is offered to the server for this hop, and the decremented Max-Forwards (RFC 9110 section 7.6.2). */
function requestOptions(head: RequestHead, upgrade: string): string {
  let lines = head.maxForwards > 0 ? `Max-Forwards: ${head.maxForwards - 1}\r\n` : '';
  if (head.takesTrailers) lines += 'TE: trailers\r\n';
  if (upgrade !== '') lines += `Upgrade: ${upgrade}\r\n`;
  if (upgrade === '') return head.takesTrailers ? `${lines}Connection: TE\r\n` : lines;
  return `${lines}Connection: ${head.takesTrailers ? 'Upgrade, TE' : 'Upgrade'}\r\n`;
}
