/** The memory that a client's byte can hold: a few times its own size, however it is cut and wherever it waits. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { type RunningCutover, startProxy } from '../kit/cutover.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import { answers, startServer } from '../kit/scripted-server.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use, after everything that was sent so far has been read: a later request has been answered. */
async function usedBytes(proxy: RunningCutover): Promise<number> {
  for (let n = 0; n < 5; n += 1) expect((await askOnce(proxy.port, '/quick')).text).toBe('ok');
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function start() {
  const server = await startServer(async (arrival) => {
    if (arrival.head.target === '/quick') return answers('ok')(arrival);
    // Not read: what the proxy sends waits in the kernel.
    return new Promise(() => {});
  });
  return { server, proxy: await startProxy(cluster('1', [server])) };
}

test('headers that do not end hold a few times their size', async () => {
  const { proxy } = await start();
  const clients = await Promise.all(Array.from({ length: 100 }, () => connectTo(proxy.port)));
  const before = await usedBytes(proxy);
  const unended = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(30_000)}`;
  for (const client of clients) await client.flush(unended);
  expect((await usedBytes(proxy)) - before).toBeLessThan(5 * unended.length * clients.length);
});

test('a body in chunks of one byte, kept for a replay, holds a few times its size', async () => {
  const { proxy, server } = await start();
  const client = await connectTo(proxy.port);
  const before = await usedBytes(proxy);
  await client.flush('PUT /kept HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  await server.until(() => server.targets.includes('/kept'));
  const chunks = '1\r\nx\r\n'.repeat(100_000);
  await client.flush(chunks);
  expect((await usedBytes(proxy)) - before).toBeLessThan(8 * chunks.length);
});

test('requests sent ahead are read up to a bound; the rest waits with the client', async () => {
  const { proxy, server } = await start();
  const client = await connectTo(proxy.port);
  client.send(requestText({ target: '/waits' }));
  await server.until(() => server.targets.includes('/waits'));
  const behind = 'GET /behind HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(800_000);
  client.send(behind);
  await usedBytes(proxy);
  expect(client.socket.writableLength).toBeGreaterThan(behind.length / 2);
  // A client whose bytes are not read is not seen to leave, until its turn comes: let everything that waits fail at once.
  client.reset();
  await server.stop();
});
