/** A small application in versions, on `node:http` and `ws`: every answer tells which version gave it. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';

export interface App {
  readonly version: string;
  readonly port: number;
  /** How often each `X-Request-Id` was served. */
  readonly served: ReadonlyMap<string, number>;
  /** While true every answer is a 500. */
  failing: boolean;
  /** Answers `/slow` requests that wait. */
  release(): void;
  /** Ends at once: refuses, and resets what is open. */
  stop(): Promise<void>;
}

/**
 * Routes: `/` the version's name; `/echo` the body; `/hash` its sha256; `/status/N`; `/events/N` server-sent events;
 * `/slow` waits for `release`; `/ws` a WebSocket that greets and echoes.
 */
export async function startApp(version: string): Promise<App> {
  const served = new Map<string, number>();
  const waiting: ServerResponse[] = [];
  const app = {
    version,
    port: 0,
    served,
    failing: false,
    release(): void {
      for (const response of waiting.splice(0)) response.end(version);
    },
    stop: (): Promise<void> => {
      for (const socket of sockets.clients) socket.terminate();
      return stopServer(server);
    },
  };
  const server = createServer((request, response) => {
    const id = request.headers['x-request-id'];
    if (typeof id === 'string') served.set(id, (served.get(id) ?? 0) + 1);
    response.setHeader('X-Version', version);
    if (app.failing) response.writeHead(500).end();
    else if (request.url === '/slow') waiting.push(response);
    else route(version, request, response);
  });
  const sockets = new WebSocketServer({ server, path: '/ws' });
  sockets.on('connection', (socket) => {
    socket.send(`hello from ${version}`);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(app.stop);
  app.port = (server.address() as { port: number }).port;
  return app;
}

function route(version: string, request: IncomingMessage, response: ServerResponse): void {
  const [, first = '', second = ''] = (request.url ?? '/').split('/');
  switch (first) {
    case 'echo':
      request.pipe(response);
      return;
    case 'hash':
      hash(version, request, response);
      return;
    case 'status':
      response.writeHead(Number(second)).end(version);
      return;
    case 'events':
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      for (let n = 0; n < Number(second); n += 1) response.write(`data: ${version} ${n}\n\n`);
      response.end();
      return;
    default:
      request.resume();
      response.end(version);
  }
}

function hash(version: string, request: IncomingMessage, response: ServerResponse): void {
  const digest = createHash('sha256');
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    digest.update(chunk);
    bytes += chunk.length;
  });
  request.on('end', () => response.end(JSON.stringify({ version, bytes, sha256: digest.digest('hex') })));
}

function stopServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
