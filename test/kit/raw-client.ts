/** A client made of a socket: it sends the bytes it is told to send and reads answers strictly. */
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { ByteSource } from './byte-source.ts';
import { type Body, type Field, type ResponseHead, readBody, readResponseHead } from './messages.ts';

export interface Answer extends ResponseHead {
  readonly body: Buffer;
  readonly text: string;
  readonly trailers: readonly Field[];
  /** The 1xx answers that came before. */
  readonly interim: readonly ResponseHead[];
}

export class RawClient {
  readonly socket: Socket;
  readonly source: ByteSource;

  /** Use `connectTo`. */
  constructor(socket: Socket) {
    this.socket = socket;
    this.source = new ByteSource(socket);
  }

  /** Writes bytes now; strings are latin1. */
  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Writes and waits until the kernel has taken everything. */
  async flush(bytes: string | Buffer): Promise<void> {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    await new Promise<void>((resolve, reject) =>
      this.socket.write(buffer, (error) => (error ? reject(error) : resolve())),
    );
  }

  /** Sends one request and reads its whole answer. */
  async ask(request: RequestText | string): Promise<Answer> {
    const text = typeof request === 'string' ? requestText({ target: request }) : requestText(request);
    this.send(text);
    return this.answer(typeof request === 'string' ? 'GET' : (request.method ?? 'GET'));
  }

  /** The next whole answer; `method` is that of the request it belongs to. */
  async answer(method = 'GET'): Promise<Answer> {
    const interim: ResponseHead[] = [];
    for (;;) {
      const head = await this.head(method);
      if (head.status < 200 && head.status !== 101) interim.push(head);
      else return { ...head, ...whole(await this.body(head)), interim };
    }
  }

  /** The next head alone, interim ones too. */
  head(method = 'GET'): Promise<ResponseHead> {
    return readResponseHead(this.source, method);
  }

  body(head: ResponseHead): Promise<Body> {
    return readBody(this.source, head);
  }

  /** How the proxy ended the connection, and what it sent before that. */
  closed(): Promise<{ readonly how: 'fin' | 'reset'; readonly bytes: Buffer }> {
    return this.source.closed();
  }

  /** Resolves once the proxy has reset the connection, of which nothing is read: only a write tells. */
  async closedUnread(): Promise<void> {
    if (this.socket.closed) return;
    const closed = new Promise((resolve) => this.socket.once('close', resolve));
    const asking = setInterval(() => this.socket.write('\r\n'), 50);
    await closed;
    clearInterval(asking);
  }

  /** Half-close: no more bytes from this side. */
  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** Opens a client connection that is gone when the test is over. */
export async function connectTo(port: number): Promise<RawClient> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  const client = new RawClient(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  onTestFinished(() => void socket.destroy());
  return client;
}

/** One request on a connection of its own. */
export async function askOnce(port: number, request: RequestText | string): Promise<Answer> {
  const client = await connectTo(port);
  const answer = await client.ask(request);
  client.socket.destroy();
  return answer;
}

export interface RequestText {
  readonly method?: string;
  readonly target?: string;
  /** Lines beside Host (which is added unless one is given) and Content-Length (added for `body`). */
  readonly fields?: readonly Field[];
  readonly body?: string | Buffer;
}

/** The bytes of a request. */
export function requestText({ method = 'GET', target = '/', fields = [], body }: RequestText): Buffer {
  const lines = fields.map(([name, value]) => `${name}: ${value}`);
  if (!fields.some(([name]) => name.toLowerCase() === 'host')) lines.unshift('Host: app.example');
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  if (bytes) lines.push(`Content-Length: ${bytes.length}`);
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return bytes ? Buffer.concat([head, bytes]) : head;
}

function whole(body: Body): { readonly body: Buffer; readonly text: string; readonly trailers: readonly Field[] } {
  return { body: body.bytes, text: body.bytes.toString('latin1'), trailers: body.trailers };
}
