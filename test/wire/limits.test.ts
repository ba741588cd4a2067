/** Each time limit and each bound of the proxy: what the client sees, what the server sees, and the counter that tells of it. */
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import { answers, hangs, responseText, startBlackHole, startServer } from '../kit/scripted-server.ts';

const LIMIT = 0.3;
const LIMIT_MS = LIMIT * 1000;

test('timeouts.clientHeader: a header that comes in drops is a 408, however often a byte comes', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { clientHeader: LIMIT } });
  const client = await connectTo(proxy.port);
  const drops = drip(client.socket, 'GET / HTTP/1.1\r\nHost: x\r\nX-Long: ', 'a');
  const answer = await client.answer();
  clearInterval(drops);
  expect([answer.status, field(answer, 'connection')]).toEqual([408, 'close']);
  await client.closed();
  expect(server.arrivals).toHaveLength(0);
  expect(proxy.counters).toMatchObject({ headerTimeouts: 1, ownAnswers: { 408: 1 } });
});

test('timeouts.clientHeader holds for a header behind other requests too', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { clientHeader: LIMIT } });
  const client = await connectTo(proxy.port);
  client.send('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHo');
  expect((await client.answer()).status).toBe(200);
  expect((await client.answer()).status).toBe(408);
  expect(server.targets).toEqual(['/1']);
});

test('timeouts.idleBody: a body that falls silent is a 408, and its server sees it cut', async () => {
  const cut = Promise.withResolvers<void>();
  const server = await startServer(async (arrival) => {
    await arrival.body().catch(() => cut.resolve());
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { idleBody: LIMIT } });
  const client = await connectTo(proxy.port);
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhello');
  expect((await client.answer('POST')).status).toBe(408);
  await client.closed();
  await cut.promise;
  expect(proxy.counters).toMatchObject({ bodyTimeouts: 1, ownAnswers: { 408: 1 } });
});

test('timeouts.idleBody: chunk lines without data are silence', async () => {
  const server = await startServer(async (arrival) => {
    await arrival.body().catch(() => {});
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { idleBody: LIMIT } });
  const client = await connectTo(proxy.port);
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;x=';
  const drops = drip(client.socket, head, 'a');
  expect((await client.answer('POST')).status).toBe(408);
  clearInterval(drops);
});

test('timeouts.idleBody: a slow body that goes on is taken whole', async () => {
  const server = await startServer(async (arrival) => {
    arrival.send(responseText(200, (await arrival.body()).toString()));
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { idleBody: 1 } });
  const client = await connectTo(proxy.port);
  const body = 'a'.repeat(12);
  client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
  let sent = 0;
  const drops = setInterval(() => {
    if (sent === body.length) clearInterval(drops);
    else client.send('a');
    sent += 1;
  }, 100);
  expect((await client.answer('POST')).text).toBe(body);
});

test('timeouts.idleBody: a client that takes nothing of its answer is closed, and its server is let go', async () => {
  const server = await startServer((arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
    pour(arrival.socket);
    return arrival.gone();
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { idleBody: LIMIT } });
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  await server.arrival(0);
  await server.until(() => server.open.size === 0);
  await client.closed();
  expect(proxy.counters).toMatchObject({ readerTimeouts: 1, answerTimeouts: 0 });
});

test('a client that pipelines and takes no answer is answered no further: what is kept for it stays small', async () => {
  const size = 60_000;
  const server = await startServer(answers('a'.repeat(size)));
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { idleBody: 1 } });
  const client = await connectTo(proxy.port);
  const asked = 2000;
  client.send(Buffer.concat(Array.from({ length: asked }, () => requestText({}))));
  await server.arrival(0);
  await client.closedUnread();
  // The kernel's buffers of both ends take some megabytes of the 120.
  expect(server.arrivals.length * size).toBeLessThan(20_000_000);
  expect(proxy.counters.readerTimeouts).toBe(1);
});

test('a client that pipelines and takes its answers late gets all of them, in order', async () => {
  const server = await startServer((arrival) => arrival.send(responseText(200, arrival.head.target.repeat(5000))));
  const proxy = await startProxy(cluster('1', [server]));
  const other = await startProxy(cluster('1', [await startServer()]));
  const client = await connectTo(proxy.port);
  const targets = Array.from({ length: 800 }, (_, n) => `/${n}`);
  client.send(Buffer.concat(targets.map((target) => requestText({ target }))));
  client.end();
  // Until all that goes without reading has gone: then a whole exchange of somebody else passes, and nothing more has come.
  for (let arrived = -1; arrived < server.arrivals.length; await askOnce(other.port, '/'))
    arrived = server.arrivals.length;
  expect(server.arrivals.length).toBeLessThan(targets.length);
  for (const target of targets) expect((await client.answer()).text).toBe(target.repeat(5000));
  expect(await client.closed()).toMatchObject({ how: 'fin' });
});

test('timeouts.clientIdle: a connection without a request is closed without an answer', async () => {
  const proxy = await startProxy(cluster('1', [await startServer()]), { timeouts: { clientIdle: LIMIT } });
  const [fresh, used] = [await connectTo(proxy.port), await connectTo(proxy.port)];
  await used.ask('/');
  for (const client of [fresh, used]) expect(await client.closed()).toEqual({ how: 'fin', bytes: Buffer.alloc(0) });
  expect(proxy.counters).toMatchObject({ clientsIdle: 2, headerTimeouts: 0 });
});

test('timeouts.upstreamIdle: a server connection that is not used is closed', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { upstreamIdle: LIMIT } });
  await askOnce(proxy.port, '/');
  await server.until(() => server.open.size === 0);
  expect(proxy.counters.upstreamsIdle).toBe(1);
});

test('timeouts.connect: a server that neither takes nor refuses a connection is a 503', async () => {
  const proxy = await startProxy(cluster('1', [{ port: await startBlackHole() }]), { timeouts: { connect: LIMIT } });
  const answer = await askOnce(proxy.port, '/');
  expect([answer.status, field(answer, 'retry-after')]).toEqual([503, '1']);
  expect(proxy.counters).toMatchObject({ connectTimeouts: 1, ownAnswers: { 503: 1 } });
});

test.for([
  ['says nothing', () => {}],
  ['sends its header in drops', (socket: Socket): void => void drip(socket, 'HTTP/1.1 200 OK\r\nX-Long: ', 'a')],
  ['sends interim answers only', (socket: Socket): void => void drip(socket, '', 'HTTP/1.1 102 Processing\r\n\r\n')],
] as const)('timeouts.response: a server that %s is a 504', async ([, misbehave]) => {
  const server = await startServer(async (arrival) => {
    misbehave(arrival.socket);
    await arrival.gone();
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { response: LIMIT } });
  expect((await askOnce(proxy.port, '/')).status).toBe(504);
  await server.until(() => server.open.size === 0);
  expect(proxy.counters).toMatchObject({ responseTimeouts: 1, ownAnswers: { 504: 1 } });
});

test('a server that sends interim answers without end does not fill the memory with them', async () => {
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: </${'a'.repeat(8000)}>; rel=preload\r\n\r\n`;
  const hints = Buffer.from(hint.repeat(100));
  const sentAll = Promise.withResolvers<void>();
  let sent = 0;
  const server = await startServer(async (arrival) => {
    for (; sent < 24_000_000; sent += hints.length) {
      await new Promise((resolve) => arrival.socket.write(hints, resolve));
    }
    arrival.send(responseText(200, 'at last'));
    sentAll.resolve();
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(requestText({ fields: [['Connection', 'close']] }));
  await sentAll.promise;
  const got = await client.source.rest();
  expect(got.subarray(-7).toString()).toBe('at last');
  // What the kernel had room for, and not what was sent.
  expect(got.length).toBeLessThan(sent / 2);
});

test('timeouts.response runs from the end of the request: a server that asked for the body waits for it', async () => {
  const server = await startServer(async (arrival) => {
    arrival.send('HTTP/1.1 100 Continue\r\n\r\n');
    arrival.send(responseText(200, (await arrival.body()).toString()));
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { response: LIMIT } });
  const client = await connectTo(proxy.port);
  client.send('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
  expect((await client.head()).status).toBe(100);
  // Another request runs into the limit meanwhile: by then this one would have, too.
  const slow = await startServer(hangs);
  await proxy.put(cluster('2', [slow], { mode: 'INSTANT' }));
  await askOnce(proxy.port, { method: 'POST' });
  client.send('late');
  expect((await client.answer('POST')).text).toBe('late');
});

test('timeouts.idleBody: an answer that falls silent is cut, and does not look whole', async () => {
  const server = await startServer(async (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await arrival.gone();
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { idleBody: LIMIT } });
  await expect(askOnce(proxy.port, '/')).rejects.toThrow(/short/);
  expect(proxy.counters.answerTimeouts).toBe(1);
});

test('timeouts.total: an exchange that takes longer is a 504, or cut when its answer had begun', async () => {
  const server = await startServer(async (arrival) => {
    if (arrival.head.target === '/begun') {
      drip(arrival.socket, 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', 'a');
    }
    await arrival.gone();
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { total: LIMIT } });
  expect((await askOnce(proxy.port, '/silent')).status).toBe(504);
  await expect(askOnce(proxy.port, '/begun')).rejects.toThrow(/short/);
  await server.until(() => server.open.size === 0);
  expect(proxy.counters).toMatchObject({ totalTimeouts: 2, ownAnswers: { 504: 1 } });
});

test.for([
  ['an answer that never comes', { response: LIMIT }, ''],
  ['an answer that falls silent', { idleBody: LIMIT }, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
] as const)('a client that closed its half and is gone frees the server of %s', async ([, timeouts, begun]) => {
  const server = await startServer(async (arrival) => {
    if (begun !== '') arrival.send(begun);
    await arrival.gone();
  });
  const proxy = await startProxy(cluster('1', [server]), { timeouts });
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  await server.arrival(0);
  client.socket.destroy();
  await server.until(() => server.open.size === 0);
});

test('limits.connections: one client more is told 503, and taken once there is room', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]), { limits: { connections: 3 } });
  const clients = await Promise.all(Array.from({ length: 3 }, () => connectTo(proxy.port)));
  for (const client of clients) expect((await client.ask('/')).status).toBe(200);
  const refused = await askOnce(proxy.port, '/');
  expect([refused.status, field(refused, 'retry-after'), field(refused, 'connection')]).toEqual([503, '1', 'close']);
  expect(proxy.counters).toMatchObject({ connectionsRefused: 1, ownAnswers: { 503: 1 } });
  expect(proxy.log.of('WARNING')).toContain('Client connections are turned away: 3 are open');
  for (const client of clients) expect((await client.ask('/')).status).toBe(200);
  clients[0]?.socket.destroy();
  let status = 503;
  while (status === 503) ({ status } = await askOnce(proxy.port, '/'));
  expect(status).toBe(200);
});

test('limits.connections: a flood beyond it is closed at once, and takes nothing from those inside', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]), { limits: { connections: 3 } });
  const client = await connectTo(proxy.port);
  await client.ask('/');
  const crowd = await Promise.all(Array.from({ length: 200 }, () => connectTo(proxy.port).catch(() => null)));
  expect((await client.ask('/')).status).toBe(200);
  await Promise.all(crowd.slice(2).map((outsider) => outsider?.closed()));
  expect(proxy.counters.connectionsRefused).toBeGreaterThanOrEqual(198);
});

test('limits.bufferBytes: a body that finds no room is passed on all the same', async () => {
  const server = await startServer(async (arrival) => {
    arrival.send(responseText(200, String((await arrival.body()).length)));
  });
  const proxy = await startProxy(cluster('1', [server]), { limits: { bufferBytes: 1000 } });
  expect((await askOnce(proxy.port, { method: 'PUT', body: 'a'.repeat(5000) })).text).toBe('5000');
  expect(proxy.counters.buffersFull).toBe(1);
});

/** Sends `begin`, then `drop` ten times within the limit, until the peer is gone. */
function drip(socket: Socket, begin: string, drop: string): NodeJS.Timeout {
  socket.write(begin, 'latin1');
  const drops = setInterval(() => socket.write(drop, 'latin1'), LIMIT_MS / 10);
  socket.once('close', () => clearInterval(drops));
  return drops;
}

/** Writes for as long as the peer takes it. */
function pour(socket: Socket): void {
  const piece = Buffer.alloc(64 * 1024);
  const more = (): void => {
    if (!socket.destroyed) socket.write(piece, more);
  };
  more();
}
