/** Connections: kept alive, pipelined, half-closed, reused; and what is never reused (RFC 9112 section 9). */
import { expect, test } from 'vitest';
import { call, cluster, listVersions } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import { answers, responseText, type Script, startServer } from '../kit/scripted-server.ts';

const echoesTarget: Script = async (arrival) => {
  await arrival.body();
  arrival.send(responseText(200, arrival.head.target));
};

test('200 requests share one client connection and one server connection', async () => {
  const server = await startServer(echoesTarget);
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 200; n += 1) expect((await client.ask(`/${n}`)).text).toBe(`/${n}`);
  expect(new Set(server.arrivals.map((arrival) => arrival.connection)).size).toBe(1);
});

test('100 pipelined requests are answered in order', async () => {
  const server = await startServer(echoesTarget);
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  const targets = Array.from({ length: 100 }, (_, n) => `/${n}`);
  client.send(Buffer.concat(targets.map((target) => requestText({ target }))));
  for (const target of targets) expect((await client.answer()).text).toBe(target);
});

test('pipelined requests with bodies keep their borders', async () => {
  const server = await startServer(async (arrival) => {
    arrival.send(responseText(200, (await arrival.body()).toString()));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  client.send(
    Buffer.concat([
      requestText({ method: 'POST', target: '/1', body: smuggled }),
      requestText({ target: '/2' }),
      Buffer.from('POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthird\r\n0\r\n\r\n'),
      requestText({ target: '/4' }),
    ]),
  );
  for (const text of [smuggled, '', 'third', '']) expect((await client.answer()).text).toBe(text);
  expect(server.targets).toEqual(['/1', '/2', '/3', '/4']);
});

test('a slow answer holds back the ones pipelined behind it, also across a switch', async () => {
  const release = Promise.withResolvers<void>();
  const old = await startServer(async (arrival) => {
    if (arrival.head.target === '/slow') await release.promise;
    arrival.send(responseText(200, `old ${arrival.head.target}`));
  });
  const next = await startServer((arrival) => arrival.send(responseText(200, `new ${arrival.head.target}`)));
  const proxy = await startProxy(cluster('1', [old]));
  const client = await connectTo(proxy.port);
  client.send(Buffer.concat(['/slow', '/a', '/b'].map((target) => requestText({ target }))));
  await old.arrival(0);
  await proxy.put(cluster('2', [next]));
  release.resolve();
  expect((await client.answer()).text).toBe('old /slow');
  expect((await client.answer()).text).toMatch(/ \/a$/);
  expect((await client.answer()).text).toMatch(/ \/b$/);
  expect((await client.ask('/c')).text).toBe('new /c');
});

test('a client that half-closes after its request still gets the answer', async () => {
  const release = Promise.withResolvers<void>();
  const server = await startServer(async (arrival) => {
    await release.promise;
    arrival.send(responseText(200, 'still here'));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  client.end();
  await server.arrival(0);
  release.resolve();
  expect((await client.answer()).text).toBe('still here');
  expect(await client.closed()).toMatchObject({ how: 'fin' });
});

test('Connection: close of a client is obeyed, and what it pipelined behind it is not served', async () => {
  const server = await startServer(echoesTarget);
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(requestText({ target: '/last', fields: [['Connection', 'close']] }));
  client.send(requestText({ target: '/ignored' }));
  const answer = await client.answer();
  expect([answer.text, field(answer, 'connection')]).toEqual(['/last', 'close']);
  expect((await client.closed()).bytes.length).toBe(0);
  expect(server.targets).toEqual(['/last']);
});

test('an HTTP/1.0 client gets its answer and a close', async () => {
  const server = await startServer(echoesTarget);
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  expect((await client.answer()).text).toBe('/old');
  expect(await client.closed()).toMatchObject({ how: 'fin' });
});

test('Connection: close of a server is not passed on, and its connection is not used again', async () => {
  const server = await startServer(answers('once', [['Connection', 'close']]));
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 3; n += 1) {
    const answer = await client.ask('/');
    expect([answer.text, field(answer, 'connection') ?? 'keep-alive']).toEqual(['once', 'keep-alive']);
  }
  expect(server.arrivals.map((arrival) => arrival.connection)).toHaveLength(3);
  expect(new Set(server.arrivals.map((arrival) => arrival.connection)).size).toBe(3);
});

test('a connection of an HTTP/1.0 server is used again only when the server says so', async () => {
  const server = await startServer((arrival) => {
    const stays = arrival.head.target === '/stays' ? 'Connection: keep-alive\r\n' : '';
    arrival.send(`HTTP/1.0 200 OK\r\n${stays}Content-Length: 2\r\n\r\nok`);
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  for (const target of ['/stays', '/stays', '/once', '/once']) expect((await client.ask(target)).text).toBe('ok');
  expect(server.arrivals.map(({ connection }) => connection)).toEqual([0, 0, 0, 1]);
});

test('bytes behind a whole answer never reach a client', async () => {
  const stray = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nSTRAY';
  const server = await startServer(async (arrival) => {
    await arrival.body();
    arrival.send(responseText(200, arrival.head.target) + stray);
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 20; n += 1) {
    expect((await client.ask(`/${n}`)).text).toBe(`/${n}`);
    expect((await askOnce(proxy.port, `/other${n}`)).text).toBe(`/other${n}`);
  }
});

test('an answer that nobody asked for, on an idle server connection, is given to nobody', async () => {
  const server = await startServer(echoesTarget);
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  await client.ask('/1');
  const idle = (await server.arrival(0)).socket;
  idle.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nSTRAY');
  await new Promise((resolve) => idle.once('close', resolve).resume());
  expect((await client.ask('/2')).text).toBe('/2');
});

test('a server that closes its idle connection just as a GET is sent: the GET is sent again on a fresh one', async () => {
  const server = await startServer((arrival) => {
    if (arrival.connection === 0 && arrival.head.target !== '/first') return void arrival.socket.end();
    return arrival.send(responseText(200, arrival.head.target));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  await client.ask('/first');
  expect((await client.ask('/raced')).text).toBe('/raced');
  expect(server.targets).toEqual(['/first', '/raced', '/raced']);
});

test('a server connection idle for longer than its limit is closed by Cutover', async () => {
  const server = await startServer(echoesTarget);
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { upstreamIdle: 0.3 } });
  const client = await connectTo(proxy.port);
  await client.ask('/1');
  await server.until(() => server.open.size === 0);
  expect((await client.ask('/2')).text).toBe('/2');
});

test('versions on one server share its connections', async () => {
  const server = await startServer(echoesTarget);
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  await client.ask('/1');
  await proxy.put(cluster('2', [server]));
  await client.ask('/2');
  expect(server.arrivals.map(({ connection }) => connection)).toEqual([0, 0]);
});

test('connections to a server that no version names any more are closed, a busy one after its answer', async () => {
  const release = Promise.withResolvers<void>();
  const old = await startServer(async (arrival) => {
    if (arrival.head.target === '/slow') await release.promise;
    arrival.send(responseText(200, arrival.head.target));
  });
  const proxy = await startProxy(cluster('1', [old]), { timeouts: { upstreamIdle: 3600 } });
  const [oldId] = (await listVersions(proxy.configPort)).map(({ uuid }) => uuid);
  const [idle, busy] = [await connectTo(proxy.port), await connectTo(proxy.port)];
  busy.send(requestText({ target: '/slow' }));
  await old.arrival(0);
  await idle.ask('/quick');
  await proxy.put(cluster('2', [await startServer(answers('new'))]));
  await call(proxy.configPort, 'DELETE', `/${oldId}`);
  await old.until(() => old.open.size === 1);
  release.resolve();
  expect((await busy.answer()).text).toBe('/slow');
  await old.until(() => old.open.size === 0);
});

test('a client connection idle for longer than its limit is closed', async () => {
  const server = await startServer(echoesTarget);
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { clientIdle: 0.3 } });
  const client = await connectTo(proxy.port);
  await client.ask('/1');
  expect(await client.closed()).toMatchObject({ bytes: Buffer.alloc(0) });
});

test('requests are spread over the servers of a version one after the other', async () => {
  const servers = await Promise.all(['a', 'b', 'c'].map((name) => startServer(answers(name))));
  const proxy = await startProxy(cluster('1', servers));
  const client = await connectTo(proxy.port);
  const seen: string[] = [];
  for (let n = 0; n < 9; n += 1) seen.push((await client.ask('/')).text);
  for (const name of ['a', 'b', 'c']) expect(seen.filter((text) => text === name)).toHaveLength(3);
  expect(seen.slice(3, 6)).toEqual(seen.slice(0, 3));
});
