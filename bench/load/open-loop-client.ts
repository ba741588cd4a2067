/**
 * `node open-loop-client.ts PORT PER_SECOND SECONDS CONNECTIONS`: requests at fixed times, whatever the answers do. The latency
 * of a request counts from the time at which it was due, not from when a connection was free to send it: a proxy that
 * stalls can't hide what had to wait meanwhile. (wrk can't do this: each of its connections waits for its answer.)
 */
import { connect, type Socket } from 'node:net';
import { quantile } from '../report/statistics.ts';

interface Connection {
  readonly socket: Socket;
  dueMs: number;
  received: string;
}

const [port = 0, perSecond = 0, seconds = 0, connections = 0] = process.argv.slice(2).map(Number);
const REQUEST = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
/** Connections and code warm up first. */
const WARM_UP_S = 0.5;
/** How long the loop sleeps when it has sent what was due. */
const NAP_MS = 0.05;

const cell = new Int32Array(new SharedArrayBuffer(4));
const idle: Connection[] = [];
/** When those requests were due for which no connection was free. */
const waiting: number[] = [];
const latenciesUs: number[] = [];
let inFlight = 0;

await Promise.all(Array.from({ length: connections }, open));
const beginMs = performance.now() + 10;
const endMs = beginMs + (WARM_UP_S + seconds) * 1000;
const countFromMs = beginMs + WARM_UP_S * 1000;
let due = 0;
tick();

function tick(): void {
  const nowMs = performance.now();
  for (;;) {
    const dueMs = beginMs + (due * 1000) / perSecond;
    if (dueMs > nowMs || dueMs >= endMs) break;
    due += 1;
    const connection = idle.shift();
    if (connection === undefined) waiting.push(dueMs);
    else ask(connection, dueMs);
  }
  if (nowMs >= endMs && inFlight === 0) finish();
  // Timers of Node have whole milliseconds; this sleeps for a fraction of one.
  Atomics.wait(cell, 0, 0, NAP_MS);
  setImmediate(tick);
}

function ask(connection: Connection, dueMs: number): void {
  connection.dueMs = dueMs;
  inFlight += 1;
  connection.socket.write(REQUEST, 'latin1');
}

function answered(connection: Connection): void {
  if (connection.dueMs >= countFromMs) latenciesUs.push((performance.now() - connection.dueMs) * 1000);
  inFlight -= 1;
  const next = waiting.shift();
  if (next === undefined) idle.push(connection);
  else ask(connection, next);
}

function open(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onread = {
    buffer: Buffer.allocUnsafe(16_384),
    callback: (bytes: number, buffer: Uint8Array): boolean => {
      connection.received += (buffer as Buffer).toString('latin1', 0, bytes);
      if (isWhole(connection.received)) {
        connection.received = '';
        answered(connection);
      }
      return true;
    },
  };
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread });
  const connection: Connection = { socket, dueMs: 0, received: '' };
  socket.once('connect', () => {
    idle.push(connection);
    resolve();
  });
  socket.once('error', reject).once('close', () => fail('A connection was closed'));
  return promise;
}

/** Whether an answer has come to its end; the program fails when it is not a good one. */
function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  if (!text.startsWith('HTTP/1.1 200') || length === undefined) fail(`Answer not understood: ${text}`);
  return text.length >= head + 4 + Number(length);
}

function finish(): never {
  const [p50Us, p99Us, p999Us] = [0.5, 0.99, 0.999].map((share) => quantile(latenciesUs, share));
  const requests = latenciesUs.length;
  console.log(JSON.stringify({ requests: due, perSecond: requests / seconds, p50Us, p99Us, p999Us }));
  process.exit(0);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
