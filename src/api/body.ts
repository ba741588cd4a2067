/**
 * Request bodies within bounds, and answers that a client can read while it is still sending.
 *
 * A socket that is closed with unread bytes in it resets the connection, and the reset can overtake the answer. So a
 * refusal is written, our side is closed, and what still comes is read and dropped for a while.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long the rest of a refused body is read and dropped. */
const LINGER_MS = 5000;

export type BodyResult =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  /** The client left; nobody is there to be answered. */
  | { readonly kind: 'aborted' };

/** Reads a whole body of at most `bytesMax` bytes; tells a client that waits for it to continue. */
export function readBody(incoming: IncomingMessage, outgoing: ServerResponse, bytesMax: number): Promise<BodyResult> {
  if (Number(incoming.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve({ kind: 'too-large' });
  if (expectsContinue(incoming)) outgoing.writeContinue();
  const { promise, resolve } = Promise.withResolvers<BodyResult>();
  const chunks: Buffer[] = [];
  let size = 0;
  incoming.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= bytesMax) chunks.push(chunk);
    else {
      chunks.length = 0;
      resolve({ kind: 'too-large' });
    }
  });
  incoming.on('end', () => resolve({ kind: 'whole', bytes: Buffer.concat(chunks) }));
  incoming.on('error', () => resolve({ kind: 'aborted' }));
  incoming.on('close', () => resolve({ kind: 'aborted' }));
  return promise;
}

export interface PlainAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with a line of text. */
export function answerPlain(outgoing: ServerResponse, answer: PlainAnswer): void {
  outgoing.writeHead(answer.status, { ...plainHeaders(answer.text), ...answer.headers });
  outgoing.end(answer.text);
}

/** Answers and gives the connection up, so that a client in the middle of its body can still read why. */
export function answerAndLinger(incoming: IncomingMessage, outgoing: ServerResponse, answer: PlainAnswer): void {
  const { socket } = incoming;
  const giveUp = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(giveUp));
  incoming.resume();
  outgoing.writeHead(answer.status, { ...plainHeaders(answer.text), ...answer.headers, Connection: 'close' });
  // Not `outgoing.end`: that would destroy the socket, and what the client has under way with it.
  outgoing.write(answer.text, () => {
    socket.end();
    if (incoming.complete) socket.destroySoon();
    else incoming.once('end', () => socket.destroySoon());
  });
}

export function plainHeaders(text: string): Record<string, string> {
  return { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': String(Buffer.byteLength(text)) };
}

/** True while the client holds its body back until it is told to continue (RFC 9110 section 10.1.1). */
export function expectsContinue(incoming: IncomingMessage): boolean {
  return incoming.httpVersionMinor >= 1 && incoming.headers.expect?.toLowerCase() === '100-continue';
}
