/**
 * One version of an application as a process of its own, with one or more servers that misbehave as they are told. It is
 * started by `version.ts` with its orders as an argument, and tells its ports to the parent.
 *
 * Each request that was read whole is written down before anything is answered, by a write that survives kill -9: so the test
 * knows how often each was applied.
 */
import { writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { readWhole } from '../kit/read-whole.ts';
import { bodyOf, ERROR_BODY, receipt, type VersionName } from './bodies.ts';
import type { Fault } from './matrix.ts';
import { misbehave } from './misbehaviour.ts';

/** The file descriptor that applied ids go to. */
export const APPLIED_FD = 3;

export interface Orders {
  readonly version: VersionName;
  /** One per server. */
  readonly faults: readonly Fault[];
  readonly healthyRequests: number;
}

/** A request that was read whole, with the right answer to it. */
export interface Asked {
  readonly method: string;
  readonly socket: Socket;
  /** The answer's head without framing: status line and fields, each ended by CRLF. */
  readonly head: string;
  readonly body: Buffer;
  /** The right answer, or an error of the application's with a word as its body. */
  answer(status?: 200 | 500 | 502): void;
  /** The beginning of the right answer; `body` is to follow in pieces. */
  begin(): ServerResponse;
}

if (process.argv[2] !== undefined) {
  const orders = JSON.parse(process.argv[2]) as Orders;
  const servers = orders.faults.map((fault) => startServer(orders, fault));
  process.on('disconnect', () => process.exit());
  Promise.all(servers).then((ports) => process.send?.(ports));
}

async function startServer({ version, healthyRequests }: Orders, fault: Fault): Promise<number> {
  const sockets = new Set<Socket>();
  let served = 0;
  const server: Server = createServer({ keepAliveTimeout: 0 }, async (request, response) => {
    const body = await readWhole(request);
    if (body === null) return;
    writeSync(APPLIED_FD, `${request.headers['x-request-id']}\n`);
    served += 1;
    const asked = askedOf(version, { request, response, body });
    if (served <= healthyRequests) asked.answer();
    else misbehave(fault, { asked, count: served, server, sockets });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    if (fault === 'resets on accept') socket.resetAndDestroy();
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 511 }, resolve));
  const { port } = server.address() as AddressInfo;
  if (fault === 'never up') await new Promise((resolve) => server.close(resolve));
  return port;
}

function askedOf(
  version: VersionName,
  { request, response, body: sent }: { request: IncomingMessage; response: ServerResponse; body: Buffer },
): Asked {
  const { bytes } = bodyOf(version, Number(request.url?.slice(1)));
  const fields = {
    'X-Request-Id': String(request.headers['x-request-id']),
    'X-Version': version,
    'X-Receipt': receipt(sent),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return {
    method: request.method ?? '',
    socket: request.socket,
    head: `HTTP/1.1 200 OK\r\n${lines.join('')}`,
    body: bytes,
    answer(status = 200) {
      const sends = status === 200 ? bytes : ERROR_BODY;
      response.writeHead(status, { ...fields, 'Content-Length': sends.length }).end(sends);
    },
    begin: () => response.writeHead(200, { ...fields, 'Content-Length': bytes.length }),
  };
}
