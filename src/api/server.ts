/**
 * The config service: Node's HTTP server around the handlers.
 *
 * It is not the data plane: nothing here is hot, and Node's own parser and time limits keep slow and broken clients
 * away. A request meets the guard first, so that no handler ever sees one that is not allowed.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { isLoopback } from '../core/config/address.ts';
import type { CountersView } from '../core/counters.ts';
import { portFaultText } from '../core/port-fault.ts';
import { line } from './answers.ts';
import { answerPlain, expectsContinue, plainHeaders } from './body.ts';
import {
  type ApiLog,
  type ApiSecurity,
  CLUSTER_PATH,
  type ClusterParser,
  type ReleaseControl,
  type ReloadResult,
} from './contract.ts';
import { createHandlers, type Handlers } from './handlers.ts';
import { createGuard } from './security.ts';

/** Time limits of a client, milliseconds: for a head, for a whole request, between requests, without any byte. */
const HEAD_MS = 10_000;
const REQUEST_MS = 30_000;
const IDLE_MS = 30_000;
const SILENCE_MS = 60_000;
const CONNECTIONS_MAX = 128;
/** How long `close` waits for requests that are being answered. */
const CLOSE_MS = 5000;
/** How long those who came last may take to ask, and to be answered. */
const LAST_MS = 500;

export interface ApiNeeds {
  readonly control: ReleaseControl;
  readonly parse: ClusterParser;
  readonly security: ApiSecurity;
  readonly log: ApiLog;
  readonly counters: () => CountersView;
  /** Reads the configuration again. Never rejects. */
  readonly reload: () => Promise<ReloadResult>;
}

/** A socket that is bound to the address already. */
export type BoundSocket = object;

export interface Api {
  /** Port 0 asks for a free one. Rejects with one clear line when the address cannot be had. */
  listen(host: string, port: number, bound?: BoundSocket): Promise<{ readonly port: number }>;
  /**
   * Stops listening, and closes connections that are idle. Resolves when nobody who came in the last moment waits for an answer;
   * requests of before are finished however long they take.
   */
  retire(): Promise<void>;
  /** The same with `CLOSE_MS` for what is open. Resolves when the last connection is gone. */
  close(): Promise<void>;
}

export function createApi(needs: ApiNeeds): Api {
  const server = createServer({
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: 1000,
    // A missing one is refused below, with the reason.
    requireHostHeader: false,
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.setTimeout(SILENCE_MS, (socket) => socket.destroy());
  const connections = trackConnections(server);
  server.on('checkExpectation', (_incoming: IncomingMessage, outgoing: ServerResponse) => {
    answerPlain(outgoing, { status: 417, text: line('The only expectation known is 100-continue') });
  });
  // Nothing else would answer it: without a listener Node closes the connection.
  server.on('connect', (_incoming, socket) => connections.refuse(socket as Socket, 'CONNECT'));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => connections.refuse(socket as Socket, error.code));
  return {
    listen(host, port, bound) {
      const app = createHandlers(needs);
      const serve = createRequestHandler(app, needs, host);
      server.on('request', serve);
      // Whoever waits for `100 Continue` gets it when its body is read, not before: a refusal spares the body.
      server.on('checkContinue', serve);
      const isOpen = bound !== undefined && needs.security.token === null ? 'for loopback' : 'for all';
      const listening = listen(server, { host, port, bound, isOpen });
      // What the first call would have to load and compile is loaded before anybody waits for it.
      listening.then(
        () => app.fetch(new Request(`http://localhost${CLUSTER_PATH}`)),
        () => {},
      );
      return listening.finally(() => {
        server.on('error', (error) =>
          needs.log.write('ERROR', 'api', `Config service socket failed: ${error.message}`),
        );
      });
    },
    retire: () => connections.retire(),
    close: () => connections.close(),
  };
}

function createRequestHandler(app: Handlers, { log, security }: ApiNeeds, ownHost: string) {
  const guard = createGuard({ ...security, allowedHosts: [...security.allowedHosts, ownHost] });
  const handle = getRequestListener(app.fetch, {
    hostname: 'localhost',
    overrideGlobalObjects: false,
    autoCleanupIncoming: false,
    errorHandler: () => badTarget(),
  });
  return (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    // Told something else than to continue, it may send its body or not: only the end of the connection is clear.
    if (expectsContinue(incoming)) outgoing.setHeader('Connection', 'close');
    const { origin, authorization } = incoming.headers;
    const host = hostOf(incoming);
    if (host === null) {
      answerPlain(outgoing, { status: 400, text: line('A request needs one Host'), headers: { Connection: 'close' } });
      return;
    }
    const refusal = guard({ host, origin, authorization, localAddress: incoming.socket.localAddress });
    if (refusal !== null) {
      const from = incoming.socket.remoteAddress ?? 'a client that left';
      log.write('WARNING', 'api', `Refusing ${incoming.method} from ${from}: ${refusal.reason}`);
      const headers: Record<string, string> =
        refusal.status === 401 ? { 'WWW-Authenticate': 'Bearer realm="cutover"' } : {};
      answerPlain(outgoing, { status: refusal.status, text: line(refusal.reason), headers });
      return;
    }
    void handle(incoming, outgoing);
  };
}

/**
 * For whom a request is: its target may say so, else its one Host does (RFC 9112 section 3.2). Undefined where HTTP/1.0 says
 * nothing; null when that is not clear.
 */
function hostOf({ url = '', headersDistinct, httpVersionMinor }: IncomingMessage): string | undefined | null {
  const hosts = headersDistinct.host ?? [];
  if (hosts.length > 1 || (hosts.length === 0 && httpVersionMinor > 0)) return null;
  const [, authority] = /^https?:\/\/([^/?#]*)/i.exec(url) ?? [];
  return authority ?? hosts[0];
}

function badTarget(): Response {
  const text = line('Request target is not a valid path');
  return new Response(text, { status: 400, headers: plainHeaders(text) });
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly bound: BoundSocket | undefined;
  /** A socket that was bound by others may have any address; the configuration has been checked. */
  readonly isOpen: 'for all' | 'for loopback';
}

function listen(server: Server, { host, port, bound, isOpen }: Place): Promise<{ readonly port: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly port: number }>();
  const failed = (cause: NodeJS.ErrnoException) => {
    reject(new Error(portFaultText('config service', { host, port }, cause), { cause }));
  };
  server.once('error', failed);
  const listening = (): void => {
    server.off('error', failed);
    const at = server.address() as AddressInfo;
    if (isOpen === 'for all' || isLoopback(at.address)) {
      resolve({ port: at.port });
      return;
    }
    server.close();
    reject(new Error(`The config service's socket is at ${at.address}, not at a loopback address: that needs a token`));
  };
  if (bound === undefined) server.listen(port, host, listening);
  else server.listen(bound, listening);
  return promise;
}

interface Connections {
  /** Answers what Node refused, or leaves to us to refuse, unless an answer is owed to an earlier request. */
  refuse(socket: Socket, code: string | undefined): void;
  retire(): Promise<void>;
  close(): Promise<void>;
}

/** Knows which connections have a request in work, so that closing waits for these and for no other. */
function trackConnections(server: Server): Connections {
  const sockets = new Set<Socket>();
  /** Those that have not asked yet. */
  const fresh = new Set<Socket>();
  const open = new Set<ServerResponse>();
  const closed = Promise.withResolvers<void>();
  let retired: Promise<void> | null = null;
  let onChange = (): void => {};

  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    fresh.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      fresh.delete(socket);
      onChange();
    });
  });
  const opened = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    fresh.delete(incoming.socket);
    open.add(outgoing);
    if (retired !== null) outgoing.setHeader('Connection', 'close');
    outgoing.once('close', () => {
      open.delete(outgoing);
      if (retired !== null) incoming.socket.destroySoon();
      onChange();
    });
  };
  server.on('request', opened);
  server.on('checkContinue', opened);

  function retire(): Promise<void> {
    retired ??= answerLast();
    return retired;
  }

  async function answerLast(): Promise<void> {
    server.close(() => closed.resolve());
    const before = new Set(open);
    const busy = new Set([...open].map((outgoing) => outgoing.req.socket));
    for (const socket of sockets) if (!busy.has(socket) && !fresh.has(socket)) socket.destroy();
    for (const outgoing of open) if (!outgoing.headersSent) outgoing.setHeader('Connection', 'close');
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const giveUp = setTimeout(resolve, LAST_MS);
    onChange = () => {
      if (fresh.size === 0 && [...open].every((outgoing) => before.has(outgoing))) resolve();
    };
    onChange();
    await late;
    clearTimeout(giveUp);
    for (const socket of fresh) socket.destroy();
  }

  return {
    refuse(socket, code) {
      const answering = [...open].some((outgoing) => {
        return outgoing.req.socket === socket && (outgoing.req.complete || outgoing.headersSent);
      });
      if (answering || !socket.writable) socket.destroy();
      else socket.end(refusalOf(code), () => socket.destroySoon());
    },
    retire,
    close() {
      void retire();
      const giveUp = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
      return closed.promise.finally(() => clearTimeout(giveUp));
    },
  };
}

function refusalOf(code: string | undefined): string {
  const [status, reason] = REFUSALS[code ?? ''] ?? ['400 Bad Request', 'Malformed request'];
  const text = line(reason);
  const fields = Object.entries({ ...plainHeaders(text), Connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `HTTP/1.1 ${status}\r\n${fields.join('\r\n')}\r\n\r\n${text}`;
}

const REFUSALS: Readonly<Record<string, readonly [string, string]>> = {
  CONNECT: ['501 Not Implemented', 'CONNECT is not served here'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'Request head is too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['413 Content Too Large', 'Chunk extensions are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'Request did not arrive in time'],
};
