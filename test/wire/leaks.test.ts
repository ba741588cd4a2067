/** Clients that leave in the middle, thousands of them: no socket, no descriptor and no memory stays behind. */
import { readdirSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { type RunningCutover, startProxy } from '../kit/cutover.ts';
import { askOnce } from '../kit/raw-client.ts';

const FULL = process.env.CUTOVER_TEST_FULL === '1';
const ABORTS = FULL ? 10_000 : 1000;
const AT_ONCE = 50;
/** A connection that were kept by mistake, or its exchange, is some kilobytes. */
const BYTES_PER_ABORT_MAX = 300;
const BODY = Buffer.alloc(40_000, 'a');

test('clients that leave in the middle of an upload or a download leave nothing behind', {
  timeout: 300_000,
}, async () => {
  const server = await startDumbServer();
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { upstreamIdle: 0.3 } });
  await abortMany(proxy.port, AT_ONCE * 10);
  const before = await settled(server, proxy);
  await abortMany(proxy.port, ABORTS);
  const after = await settled(server, proxy);
  expect(after.files).toBeLessThanOrEqual(before.files);
  expect((after.heapBytes - before.heapBytes) / ABORTS).toBeLessThan(BYTES_PER_ABORT_MAX);
  expect((await askOnce(proxy.port, '/')).body).toEqual(BODY);
});

/** Every second one in its upload, the others in their download; in each, a little later than the one before. */
async function abortMany(port: number, count: number): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < count) {
        const n = next;
        next += 1;
        await (n % 2 === 0 ? leaveUpload(port, n) : leaveDownload(port, n));
      }
    }),
  );
}

function leaveUpload(port: number, n: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('close', () => resolve()).on('error', () => {});
    socket.write(`PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${BODY.length}\r\n\r\n`);
    socket.write(BODY.subarray(0, (n * 97) % BODY.length), () => leave(socket, n));
  });
}

function leaveDownload(port: number, n: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let got = 0;
    socket.on('close', () => resolve()).on('error', () => {});
    socket.on('data', (bytes) => {
      got += bytes.length;
      if (got > (n * 97) % BODY.length) leave(socket, n);
    });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  });
}

function leave(socket: Socket, n: number): void {
  if (n % 4 < 2) socket.resetAndDestroy();
  else socket.destroy();
}

interface DumbServer {
  readonly port: number;
  readonly none: () => Promise<void>;
}

/** Reads what comes and answers each head with the body: it keeps nothing itself. */
async function startDumbServer(): Promise<DumbServer> {
  const open = new Set<Socket>();
  let changed = Promise.withResolvers<void>();
  const answer = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n`), BODY]);
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (bytes.includes('GET / ')) socket.write(answer);
    });
    socket.on('close', () => {
      open.delete(socket);
      changed.resolve();
      changed = Promise.withResolvers();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as { port: number }).port,
    none: async () => {
      while (open.size > 0) await changed.promise;
    },
  };
}

interface Holdings {
  readonly files: number;
  readonly heapBytes: number;
}

/** Once no connection to the server is left: what this process has open, and what lives on its heap, log lines left out. */
async function settled(server: DumbServer, { log }: RunningCutover): Promise<Holdings> {
  await server.none();
  log.lines.splice(0);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let n = 0; n < 3; n += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return { files: readdirSync('/proc/self/fd').length, heapBytes: process.memoryUsage().heapUsed };
}
