/** One GET that asks a server how it is: on a connection of its own, and of the answer only the head matters. */
import { request } from 'node:http';

export interface HttpCheck {
  readonly path: string;
  /** The value of `Host`; null: the server's own address. */
  readonly host: string | null;
  /** From the beginning to the head of the answer. */
  readonly timeoutMs: number;
}

/** The head of the answer. */
export interface HttpAnswer {
  readonly kind: 'answered';
  readonly status: number;
  /** It carried `Retry-After`. */
  readonly retryAfter: boolean;
}

interface Get {
  /** Host is an IP address. */
  readonly address: { readonly host: string; readonly port: number };
  readonly path: string;
  readonly host: string;
  readonly timeoutMs: number;
}

/** The head of an answer may be this large, */
const HEAD_BYTES_MAX = 16 * 1024;
/** and its body is read, so that the server need not see a reset, up to this size and for this long. */
const BODY_BYTES_MAX = 64 * 1024;
const BODY_MS = 1_000;

/**
 * Calls back once: with the answer when its head is here, else with the error's code. The returned function ends it before
 * that; it does nothing afterwards.
 */
export function httpGet(
  { address, path, host, timeoutMs }: Get,
  ended: (code: string | undefined, answer: HttpAnswer | null) => void,
): () => void {
  let over = false;
  const end = (code: string | undefined, answer: HttpAnswer | null): void => {
    if (over) return;
    over = true;
    ended(code, answer);
  };
  const sent = request({
    ...address,
    path,
    headers: { Host: host, Accept: '*/*', 'User-Agent': 'cutover' },
    agent: false,
    maxHeaderSize: HEAD_BYTES_MAX,
    signal: AbortSignal.timeout(timeoutMs + BODY_MS),
  });
  sent.on('response', (response) => {
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) sent.destroy();
    });
    response.on('error', () => {});
    const retryAfter = response.headers['retry-after'] !== undefined;
    end(undefined, { kind: 'answered', status: response.statusCode ?? 0, retryAfter });
  });
  sent.on('error', (error: NodeJS.ErrnoException) => end(error.code, null));
  sent.on('close', () => end('ECONNRESET', null));
  sent.end();
  return () => {
    if (!over) sent.destroy();
    over = true;
  };
}
