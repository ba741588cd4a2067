/**
 * The versions of the application, all in one process of its own: one server each, begun and ended as the parent says. Each request
 * is read whole, then answered with the version's body of the length that its path names; `?paceMs=` makes the answer slow,
 * `?chunked` sends it in chunks.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as passed } from 'node:timers/promises';
import { readWhole } from '../kit/read-whole.ts';
import { answerBody, receipt } from './bodies.ts';

/** How a bad version fails; only what the write policy lets Cutover hide, so that no request need fail. */
export type Fault = 'none' | 'errors' | 'resets' | 'cuts' | 'refuses';

export type Order =
  | { readonly kind: 'start'; readonly version: string; readonly fault: Fault }
  | { readonly kind: 'stop'; readonly version: string };

export interface Started {
  readonly version: string;
  readonly port: number;
}

/** These may be sent again, so a bad version may fail them. */
const IDEMPOTENT = ['GET', 'PUT'];

/** Longer answers are not held back whole. */
const HELD_BYTES = 60_000;

const servers = new Map<string, Server>();

process.on('disconnect', () => process.exit());
process.on('message', (order: Order) => void obey(order));

async function obey(order: Order): Promise<void> {
  if (order.kind === 'start') process.send?.(await start(order.version, order.fault));
  else stop(order.version);
}

async function start(version: string, fault: Fault): Promise<Started> {
  // Longer than Cutover keeps idle connections, so that it is never this side that ends one.
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    const body = await readWhole(request);
    if (body === null) return;
    const question = new URL(request.url ?? '/', 'http://application');
    const byteCount = Number(question.pathname.slice(1));
    response.setHeader('X-Request-Id', String(request.headers['x-request-id']));
    response.setHeader('X-Version', version);
    response.setHeader('X-Receipt', receipt(body));
    if (!question.searchParams.has('chunked')) response.setHeader('Content-Length', byteCount);
    const answer: Answer = { response, bytes: answerBody(version, byteCount) };
    const paceMs = Number(question.searchParams.get('paceMs') ?? 0);
    const fails = fault !== 'none' && IDEMPOTENT.includes(request.method ?? '') && paceMs === 0;
    if (!fails || !misbehave(fault, answer)) await send(answer, paceMs);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 511 }, resolve));
  const { port } = server.address() as AddressInfo;
  if (fault === 'refuses') server.close();
  else servers.set(version, server);
  return { version, port };
}

function stop(version: string): void {
  const server = servers.get(version);
  servers.delete(version);
  server?.close();
  server?.closeAllConnections();
}

interface Answer {
  readonly response: ServerResponse;
  readonly bytes: Buffer;
}

/** False when there is no such fault for this request. */
function misbehave(fault: Fault, { response, bytes }: Answer): boolean {
  if (fault === 'errors') {
    response.statusCode = 500;
    response.removeHeader('Content-Length');
    response.end('The application failed');
    return true;
  }
  if (fault === 'resets') {
    response.req.socket.resetAndDestroy();
    return true;
  }
  // An empty answer can't be cut: it would be whole, and its connection end behind it.
  if (bytes.length > HELD_BYTES || bytes.length === 0) return false;
  response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  return true;
}

async function send({ response, bytes }: Answer, paceMs: number): Promise<void> {
  if (paceMs === 0) return void response.end(bytes);
  const pieces = 5;
  for (let piece = 0; piece < pieces; piece += 1) {
    if (piece > 0) await passed(paceMs / (pieces - 1));
    const part = bytes.subarray((piece * bytes.length) / pieces, ((piece + 1) * bytes.length) / pieces);
    // Ended with its last byte: then Cutover may send the next request.
    if (piece === pieces - 1) response.end(part);
    else response.write(part);
  }
}
