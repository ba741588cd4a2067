/** Bodies in motion: passed on as they come, held back for slow readers, visibly cut where they break off. */
import { expect, test } from 'vitest';
import { patterned, sha256 } from '../kit/bytes.ts';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import { answers, responseText, startServer } from '../kit/scripted-server.ts';

test('server-sent events arrive as they are sent', async () => {
  const next = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const server = await startServer(async (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const [n, gate] of next.entries()) {
      arrival.send(`9\r\ndata: ${n}\n\n\r\n`);
      await gate.promise;
    }
    arrival.send('0\r\n\r\n');
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(requestText({ target: '/events' }));
  expect((await client.head()).framing).toBe('chunked');
  for (const [n, gate] of next.entries()) {
    expect(await client.source.line()).toBe('9');
    expect((await client.source.take(11)).toString()).toBe(`data: ${n}\n\n\r\n`);
    gate.resolve();
  }
  expect(await client.source.line()).toBe('0');
});

test('an upload arrives as it is sent', async () => {
  const server = await startServer(async (arrival) => {
    expect((await arrival.source.take(5)).toString()).toBe('first');
    arrival.send('HTTP/1.1 103 Early Hints\r\n\r\n');
    expect((await arrival.source.take(6)).toString()).toBe('second');
    arrival.send(responseText(200, 'both'));
    arrival.socket.end();
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nfirst');
  expect((await client.head()).status).toBe(103);
  client.send('second');
  expect((await client.answer('POST')).text).toBe('both');
});

test('a client that does not read makes the server wait, not Cutover hold the answer', async () => {
  const size = 64 * 1024 * 1024;
  const piece = patterned(64 * 1024);
  let written = 0;
  const stalled = Promise.withResolvers<void>();
  const server = await startServer(async (arrival) => {
    arrival.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    while (written < size) {
      const taken = new Promise<void>((resolve) => arrival.socket.write(piece, () => resolve()));
      if (await quiet(taken, 400)) stalled.resolve();
      await taken;
      written += piece.length;
    }
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  await stalled.promise;
  expect(written).toBeLessThan(24 * 1024 * 1024);
  const { body } = await client.answer();
  expect(body.length).toBe(size);
  for (let at = 0; at < size; at += piece.length) {
    if (!body.subarray(at, at + piece.length).equals(piece)) throw new Error(`Bytes at ${at} differ`);
  }
});

test('a server that does not read makes the client wait, not Cutover hold the body', async () => {
  const size = 64 * 1024 * 1024;
  const piece = patterned(64 * 1024);
  const read = Promise.withResolvers<void>();
  const server = await startServer(async (arrival) => {
    await read.promise;
    arrival.send(responseText(200, `${(await arrival.body()).length}`));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(`PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
  let stalledAt = size;
  for (let written = 0; written < size; written += piece.length) {
    const taken = client.flush(piece);
    if (stalledAt === size && (await quiet(taken, 400))) {
      stalledAt = written;
      read.resolve();
    }
    await taken;
  }
  expect(stalledAt).toBeLessThan(24 * 1024 * 1024);
  expect((await client.answer('PUT')).text).toBe(`${size}`);
});

test('a slow reader does not hold up others', async () => {
  const big = patterned(16 * 1024 * 1024);
  const server = await startServer((arrival) =>
    arrival.head.target === '/big'
      ? arrival.send(`HTTP/1.1 200 OK\r\nContent-Length: ${big.length}\r\n\r\n`, big)
      : arrival.send(responseText(200, 'quick')),
  );
  const proxy = await startProxy(cluster('1', [server]));
  const slow = await connectTo(proxy.port);
  slow.send(requestText({ target: '/big' }));
  await server.arrival(0);
  for (let n = 0; n < 50; n += 1) expect((await askOnce(proxy.port, '/')).text).toBe('quick');
  expect(sha256((await slow.answer()).body)).toBe(sha256(big));
});

test('an answer that comes before the upload has ended is passed on, and the next request is served', async () => {
  const server = await startServer(async (arrival) => {
    if (arrival.head.method !== 'PUT') return arrival.send(responseText(200, 'next'));
    arrival.send(responseText(403, 'no', [['Connection', 'close']]));
    return arrival.socket.end();
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  const size = 4 * 1024 * 1024;
  client.socket.on('error', () => {});
  client.send(`PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
  client.send(Buffer.alloc(size));
  expect(await client.answer('PUT')).toMatchObject({ status: 403, text: 'no' });
  expect((await askOnce(proxy.port, '/')).text).toBe('next');
});

test('a server connection is not used again while the request on it was not read to its end', async () => {
  const server = await startServer(async (arrival) => {
    if (arrival.head.method === 'PUT') {
      arrival.send(responseText(403, 'no'));
      await arrival.body();
    } else arrival.send(responseText(200, arrival.head.target));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 42\r\n\r\n');
  expect((await client.answer('PUT')).status).toBe(403);
  for (let n = 0; n < 5; n += 1) expect((await askOnce(proxy.port, `/${n}`)).text).toBe(`/${n}`);
  client.send('GET /smuggled HTTP/1.1\r\nHost: evil.xxx\r\n\r\n');
  client.end();
  await client.closed();
  expect(server.targets).not.toContain('/smuggled');
});

const cutters = {
  'Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf',
  chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
  'close-delimited': 'HTTP/1.1 200 OK\r\n\r\nhalf',
} as const;

test.for(Object.keys(cutters) as (keyof typeof cutters)[])(
  'an answer cut in mid-body looks cut: %s',
  async (framing) => {
    const cut = Promise.withResolvers<void>();
    const server = await startServer(async (arrival) => {
      arrival.send(cutters[framing]);
      await cut.promise;
      arrival.socket.resetAndDestroy();
    });
    const proxy = await startProxy(cluster('1', [server]));
    for (const minor of [1, 0]) {
      const client = await connectTo(proxy.port);
      client.send(`GET / HTTP/1.${minor}\r\nHost: x\r\n\r\n`);
      const head = await client.head();
      const body = client.body(head);
      cut.resolve();
      await expect(body).rejects.toThrow(/broke|ended|reset/i);
    }
  },
);

test.for([
  ['at the end of the process', 'half', { drain: 0.1 }],
  ['for a client that does not read', 'x'.repeat(16 * 1024 * 1024), { idleBody: 0.3 }],
] as const)('an answer to the end of the connection that is cut %s ends in a reset', async ([, part, timeouts]) => {
  const server = await startServer((arrival) => {
    arrival.socket.on('error', () => {});
    arrival.send(`HTTP/1.1 200 OK\r\n\r\n${part}`);
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts });
  const client = await connectTo(proxy.port);
  client.send('GET / HTTP/1.0\r\n\r\n');
  expect((await client.head()).framing).toBe('until-close');
  if (part === 'half') await Promise.all([client.source.take(4), proxy.close()]);
  await server.until(() => server.open.size === 0);
  expect((await client.closed()).how).toBe('reset');
});

test('a hung server is a 504 after the response timeout, and a stalled body is cut after the idle timeout', async () => {
  const server = await startServer(async (arrival) => {
    if (arrival.head.target === '/stall') arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
    await arrival.gone();
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { response: 0.4, idleBody: 0.4 } });
  expect((await askOnce(proxy.port, '/hang')).status).toBe(504);
  await expect(askOnce(proxy.port, '/stall')).rejects.toThrow(/broke|ended/i);
  server.script = answers('back');
  expect((await askOnce(proxy.port, '/')).text).toBe('back');
});

/** True when nothing came of `promise` for this long. */
async function quiet(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), ms);
  });
  const result = await Promise.race([promise.then(() => false), silence]);
  clearTimeout(timer);
  return result;
}
