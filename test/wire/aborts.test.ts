/** Clients that leave: the attempt is given up and its server connection freed, wherever the exchange stood. */
import { expect, test } from 'vitest';
import { patterned } from '../kit/bytes.ts';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import { hangs, startBlackHole, startServer } from '../kit/scripted-server.ts';

test('a client that resets while its answer streams frees the server', async () => {
  const server = await startServer(async (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    await arrival.gone();
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  await client.head();
  client.reset();
  await server.until(() => server.open.size === 0);
});

test('a client that closes while its answer streams frees the server that goes on streaming', async () => {
  const server = await startServer(async (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    // A FIN may be a half-close: what tells the two apart is that nobody takes the next pieces.
    const streaming = setInterval(() => arrival.send('5\r\nhello\r\n'), 5);
    await arrival.gone();
    clearInterval(streaming);
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  await client.head();
  client.socket.destroy();
  await server.until(() => server.open.size === 0);
});

test('a client that resets while it waits for the answer frees the server', async () => {
  const server = await startServer(hangs);
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  await server.arrival(0);
  client.reset();
  await server.until(() => server.open.size === 0);
});

test('a client that leaves inside its upload frees the server, which sees a cut request', async () => {
  const server = await startServer(async (arrival) => {
    await expect(arrival.body()).rejects.toThrow();
    arrival.socket.destroy();
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhello');
  await server.arrival(0);
  client.socket.destroy();
  await server.until(() => server.open.size === 0);
});

test('a client that leaves while its server is being connected to harms nobody', async () => {
  const [hole, server] = [await startBlackHole(), await startServer()];
  const proxy = await startProxy(cluster('1', [{ port: hole }, server]), { timeouts: { connect: 0.5 } });
  for (let n = 0; n < 4; n += 1) {
    const client = await connectTo(proxy.port);
    client.send(requestText({ method: 'PUT', body: 'x' }));
    client.reset();
  }
  expect((await askOnce(proxy.port, '/')).status).toBe(200);
});

test('200 clients that leave at any byte of an upload or a download leave nothing open', async () => {
  const body = patterned(20_000);
  const server = await startServer(async (arrival) => {
    await arrival.body();
    arrival.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, body);
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { upstreamIdle: 0.3 } });
  const request = requestText({ method: 'PUT', body });
  await Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      const client = await connectTo(proxy.port);
      const sent = Math.floor((request.length * n) / 150);
      await client.flush(request.subarray(0, sent));
      if (sent >= request.length) await client.source.take(n * 10);
      client.reset();
    }),
  );
  expect((await askOnce(proxy.port, '/')).body.equals(body)).toBe(true);
  // What went back to the pool is closed when it has been idle; what was lost track of would stay.
  await server.until(() => server.open.size === 0);
});

test('a client that ended inside a request which had to wait for the one before: the server is freed as well', async () => {
  const gate = Promise.withResolvers<void>();
  const server = await startServer(async (arrival) => {
    if (arrival.head.method === 'GET') await gate.promise;
    await arrival.body();
    arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  await client.flush(`${requestText({})}PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhello`);
  client.end();
  await server.arrival(0);
  // A second connection goes the same way, so what the first one sent has been read when it is answered.
  await askOnce(proxy.port, { method: 'OPTIONS' });
  gate.resolve();
  expect((await client.answer()).text).toBe('ok');
  await client.closed();
  // It was given up before any of it was sent, or it is cut off: nothing of it stays open.
  await askOnce(proxy.port, { method: 'OPTIONS' });
  const put = server.arrivals.find(({ head }) => head.method === 'PUT');
  if (put !== undefined) await expect(put.body()).rejects.toThrow();
});
