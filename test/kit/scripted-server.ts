/**
 * A server that does what a test tells it to, request by request, and reads what it is sent strictly. A request that no
 * strict server would accept fails the test, whoever asked for it: Cutover must never forward one.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { ByteSource, ViolationError } from './byte-source.ts';
import { type Field, field, type RequestHead, readBody, readRequestHead } from './messages.ts';

export type Script = (arrival: Arrival) => unknown;

/** One request that reached a scripted server: its head is there, its body is read when it is asked for. */
export class Arrival {
  readonly head: RequestHead;
  readonly source: ByteSource;
  /** Which connection of the server it came on, from 0. */
  readonly connection: number;
  trailers: readonly Field[] = [];
  #body: Promise<Buffer> | null = null;

  constructor(head: RequestHead, source: ByteSource, connection: number) {
    this.head = head;
    this.source = source;
    this.connection = connection;
  }

  get socket(): Socket {
    return this.source.socket;
  }

  /** The first value of a request field. */
  field(name: string): string | undefined {
    return field(this.head, name);
  }

  /** The whole body; rejects when the request was cut off. */
  body(): Promise<Buffer> {
    this.#body ??= readBody(this.source, this.head).then((body) => {
      this.trailers = body.trailers;
      return body.bytes;
    });
    return this.#body;
  }

  /** True once `body` was called: what follows on the connection is the next request. */
  get bodyAsked(): boolean {
    return this.#body !== null;
  }

  send(...pieces: readonly (string | Buffer)[]): void {
    for (const piece of pieces) this.socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
  }

  /** How Cutover left this connection; for scripts that wait to be abandoned. */
  async gone(): Promise<'fin' | 'reset'> {
    return (await this.source.closed()).how;
  }
}

export class ScriptedServer {
  /** What happens to each request; may be changed at any time. */
  script: Script;
  readonly arrivals: Arrival[] = [];
  /** Connections that were accepted, probes included. */
  connections = 0;
  readonly open = new Set<Socket>();
  readonly violations: Error[] = [];
  /** Called with each new connection before anything is read; return true to take it over. */
  onConnection: ((socket: Socket) => boolean) | null = null;
  port = 0;
  #server: Server | null = null;
  #changed = Promise.withResolvers<void>();

  /** Use `startServer`. */
  constructor(script: Script) {
    this.script = script;
  }

  /** The request targets that arrived, in order. */
  get targets(): readonly string[] {
    return this.arrivals.map((arrival) => arrival.head.target);
  }

  /** The request number `index` (from 0), as soon as its head has arrived. */
  async arrival(index: number): Promise<Arrival> {
    await this.until(() => this.arrivals.length > index);
    return this.arrivals[index] as Arrival;
  }

  /** Resolves when `condition` holds; asked again whenever a connection or request comes or goes. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }

  async listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
      this.#serve(socket),
    );
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as { port: number }).port;
  }

  /** Refuses from now on and resets what is open; `listen` brings it back on the same port. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.open) socket.resetAndDestroy();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    const connection = this.connections;
    this.connections += 1;
    this.open.add(socket);
    this.#tell();
    const source = new ByteSource(socket, 'record');
    socket.on('close', () => {
      this.open.delete(socket);
      this.#tell();
    });
    if (this.onConnection?.(socket)) return;
    this.#converse(source, connection).catch((error: Error) => {
      if (error instanceof ViolationError) this.violations.push(error);
      socket.destroy();
    });
  }

  async #converse(source: ByteSource, connection: number): Promise<void> {
    for (;;) {
      const head = await readRequestHead(source);
      if (head === null) return void source.socket.end();
      const arrival = new Arrival(head, source, connection);
      this.arrivals.push(arrival);
      this.#tell();
      await this.script(arrival);
      if (source.socket.writableEnded || source.socket.destroyed) return;
      await arrival.body();
    }
  }

  #tell(): void {
    const changed = this.#changed;
    this.#changed = Promise.withResolvers();
    changed.resolve();
  }
}

/** Starts a scripted server for the length of the test; without a script it answers 200 to everything. */
export async function startServer(script: Script = answers('ok')): Promise<ScriptedServer> {
  const server = new ScriptedServer(script);
  await server.listen();
  onTestFinished(async () => {
    await server.stop();
    if (server.violations.length > 0) throw server.violations[0];
  });
  return server;
}

/** A response as text: Content-Length is added, and Date where asked for none comes. */
export function responseText(status: number, body: string, fields: readonly Field[] = []): string {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} Scripted\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Reads the request whole and answers 200 with this text. */
export function answers(text: string, fields: readonly Field[] = []): Script {
  return async (arrival) => {
    await arrival.body();
    arrival.send(responseText(200, arrival.head.method === 'HEAD' ? '' : text, fields));
  };
}

/** As `answers`, but what is asked of this target is never answered. */
export function answersExcept(target: string, text: string): Script {
  const answer = answers(text);
  return (arrival) => (arrival.head.target === target ? arrival.gone() : answer(arrival));
}

/** Reads the request whole and answers with this status. */
export function answersStatus(status: number, text: string): Script {
  return async (arrival) => {
    await arrival.body();
    arrival.send(responseText(status, text));
  };
}

/** Reads the request whole, then resets the connection. */
export const resets: Script = async (arrival) => {
  await arrival.body();
  arrival.socket.resetAndDestroy();
};

/** Reads the request whole, then closes without a byte. */
export const closes: Script = async (arrival) => {
  await arrival.body();
  arrival.socket.end();
};

/** Reads the request whole and never answers; ends when it is abandoned. */
export const hangs: Script = async (arrival) => {
  await arrival.body();
  await arrival.gone();
};

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/**
 * A port whose queue of connections is full and stays so: a connection to it is neither accepted nor refused.
 * A thread listens with the shortest queue, fills it itself and then stands still.
 */
export async function startBlackHole(): Promise<number> {
  const worker = new Worker(
    `const { connect, createServer } = require('node:net');
     const { parentPort } = require('node:worker_threads');
     const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  const { createConnection } = await import('node:net');
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const fill: Socket[] = [];
  for (let connected = true; connected && fill.length < 16; ) {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    fill.push(socket);
    connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.setTimeout(150, () => resolve(false));
    });
  }
  onTestFinished(async () => {
    for (const socket of fill) socket.destroy();
    await worker.terminate();
  });
  return port;
}
