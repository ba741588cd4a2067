/**
 * Answers of the proxy itself: complete, self-delimited, one line of text that says what happened and
 * never holds a byte of the request.
 */

/** Statuses that the proxy answers with on its own. */
export type OwnStatus = 200 | 400 | 408 | 413 | 414 | 417 | 431 | 500 | 501 | 502 | 503 | 504 | 505 | 508;

export interface OwnAnswer {
  /** `Date: …` ending in CRLF. */
  readonly dateLine: string;
  readonly connection: 'keep-alive' | 'close';
  /** The method of the request, '' where it is not known. An answer to HEAD has no body. */
  readonly method: string;
  /** The line of text; by default one for the status. */
  readonly reason?: string;
  /** Seconds for Retry-After; 1 for 503 by default. */
  readonly retryAfter?: number;
}

const texts: Record<OwnStatus, readonly [phrase: string, line: string]> = {
  200: ['OK', 'The proxy itself answers this request'],
  400: ['Bad Request', 'The request is malformed'],
  408: ['Request Timeout', 'The request did not arrive in time'],
  413: ['Content Too Large', 'The request body is larger than is taken here'],
  414: ['URI Too Long', 'The request line is longer than is taken here'],
  417: ['Expectation Failed', 'The expectation of the request is not known here'],
  431: ['Request Header Fields Too Large', 'The header section is larger than is taken here'],
  500: ['Internal Server Error', 'The proxy failed on this request'],
  501: ['Not Implemented', 'The request asks for something that is not implemented here'],
  502: ['Bad Gateway', 'The server gave no valid answer'],
  503: ['Service Unavailable', 'No server can take this request now'],
  504: ['Gateway Timeout', 'The server did not answer in time'],
  505: ['HTTP Version Not Supported', 'This version of HTTP is not spoken here'],
  508: ['Loop Detected', 'The request goes round in a circle'],
};

/** The whole answer, head and body, as latin1 text. */
export function ownAnswer(status: OwnStatus, options: OwnAnswer): string {
  const [phrase, line] = texts[status];
  const body = `${options.reason ?? line}\n`;
  const retryAfter = options.retryAfter ?? (status === 503 ? 1 : 0);
  return (
    `HTTP/1.1 ${status} ${phrase}\r\n${options.dateLine}` +
    `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n` +
    (retryAfter > 0 ? `Retry-After: ${retryAfter}\r\n` : '') +
    (options.connection === 'close' ? 'Connection: close\r\n' : '') +
    (options.method === 'HEAD' ? '\r\n' : `\r\n${body}`)
  );
}
