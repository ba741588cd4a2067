/**
 * What Node's own parser, at its strict defaults, reads in the same bytes. It is an independent reading to
 * hold ours against: where both accept a message, both have to find the same one.
 */
import { createServer, type IncomingMessage, request } from 'node:http';
import { Duplex } from 'node:stream';

export interface NodeRequest {
  method: string;
  target: string;
  body: string;
}

/** The whole requests that Node finds, and whether it refused what followed them. */
export async function nodeRequests(text: string): Promise<{ messages: NodeRequest[]; refused: boolean }> {
  const found = { messages: [] as NodeRequest[], refused: false };
  const server = createServer((message, answer) => {
    collect(message, (body) => {
      found.messages.push({ method: message.method ?? '', target: message.url ?? '', body });
      answer.end();
    });
  });
  // By default a server cuts what it holds in hand when the client has sent all.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('clientError', (_error, socket) => {
    found.refused = true;
    socket.destroy();
  });
  const wire = new Wire((written) => {
    if (/^HTTP\/1\.1 4/.test(written)) found.refused = true;
  });
  server.emit('connection', wire);
  wire.push(Buffer.from(text, 'latin1'));
  await settled();
  if (wire.destroyed && found.messages.length === 0) found.refused = true;
  wire.destroy();
  return found;
}

/** The final answer that Node finds when the server closes after `text`; null when it refuses or misses a part. */
export async function nodeResponse(text: string, method: string): Promise<{ status: number; body: string } | null> {
  const wire = new Wire(() => {});
  let found: { status: number; body: string } | null = null;
  const asked = request({ method, createConnection: () => wire }, (message) => {
    collect(message, (body) => {
      if (message.complete) found = { status: message.statusCode ?? 0, body };
    });
  });
  // A refusal shows by what was not found; errors after a whole answer are of no interest.
  asked.on('error', () => {});
  asked.on('upgrade', () => {});
  asked.end();
  await settled();
  wire.push(Buffer.from(text, 'latin1'));
  wire.push(null);
  await settled();
  wire.destroy();
  return found;
}

/** A connection without a network. */
class Wire extends Duplex {
  readonly #onWrite: (text: string) => void;

  constructor(onWrite: (text: string) => void) {
    super({ allowHalfOpen: true });
    this.#onWrite = onWrite;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#onWrite(chunk.toString('latin1'));
    done();
  }
}

function collect(message: IncomingMessage, then: (body: string) => void): void {
  let body = '';
  message.on('data', (chunk: Buffer) => {
    body += chunk.toString('latin1');
  });
  message.on('end', () => then(body));
  message.on('error', () => {});
}

/** Streams in one process hand on what they hold in ticks; after some turns of the loop all is done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
