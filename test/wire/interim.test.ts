/** 1xx answers and `Expect: 100-continue` (RFC 9110 sections 10.1.1 and 15.2). */
import { expect, test } from 'vitest';
import { patterned, sha256 } from '../kit/bytes.ts';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { connectTo } from '../kit/raw-client.ts';
import { responseText, startServer } from '../kit/scripted-server.ts';

const EARLY_HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';

test('interim answers are passed on, several of them, before the final one', async () => {
  const server = await startServer((arrival) =>
    arrival.send('HTTP/1.1 102 Processing\r\n\r\n', EARLY_HINTS, EARLY_HINTS, responseText(200, 'done')),
  );
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 2; n += 1) {
    const answer = await client.ask('/');
    expect(answer.interim.map((head) => head.status)).toEqual([102, 103, 103]);
    expect(field(answer.interim[1] as NonNullable<(typeof answer.interim)[0]>, 'link')).toBe('</a.css>; rel=preload');
    expect([answer.status, answer.text]).toEqual([200, 'done']);
  }
});

test('an interim answer is passed on at once', async () => {
  const finish = Promise.withResolvers<void>();
  const server = await startServer(async (arrival) => {
    arrival.send(EARLY_HINTS);
    await finish.promise;
    arrival.send(responseText(200, 'done'));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  expect((await client.head()).status).toBe(103);
  finish.resolve();
  expect((await client.answer()).text).toBe('done');
});

test('an HTTP/1.0 client is sent no interim answer', async () => {
  const server = await startServer((arrival) => arrival.send(EARLY_HINTS, responseText(200, 'done')));
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('GET / HTTP/1.0\r\n\r\n');
  expect((await client.head()).status).toBe(200);
});

test('100 Continue is relayed and the body follows it', async () => {
  const body = patterned(200_000);
  const server = await startServer(async (arrival) => {
    expect(arrival.field('expect')).toBe('100-continue');
    arrival.send('HTTP/1.1 100 Continue\r\n\r\n');
    arrival.send(responseText(200, sha256(await arrival.body())));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 2; n += 1) {
    client.send(`PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`);
    expect((await client.head()).status).toBe(100);
    client.send(body);
    const answer = await client.answer('PUT');
    expect(answer.interim).toEqual([]);
    expect(answer.text).toBe(sha256(body));
  }
});

test('a final answer instead of 100 is relayed, and the body that never comes blocks nothing', async () => {
  const server = await startServer((arrival) => {
    if (arrival.head.method !== 'PUT') return arrival.send(responseText(200, 'next'));
    arrival.send('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig');
    return arrival.socket.end();
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n');
  expect(await client.answer('PUT')).toMatchObject({ status: 413, text: 'big', interim: [] });
  const other = await connectTo(proxy.port);
  expect((await other.ask('/')).text).toBe('next');
});

test('a client that does not wait for the 100 is served', async () => {
  const server = await startServer(async (arrival) => {
    arrival.send('HTTP/1.1 100 Continue\r\n\r\n');
    arrival.send(responseText(200, (await arrival.body()).toString()));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody');
  expect((await client.answer('PUT')).text).toBe('body');
  expect((await client.ask('/')).status).toBe(200);
});

test('a server that ignores Expect gets the body as soon as the client stops waiting', async () => {
  const server = await startServer(async (arrival) => {
    arrival.send(responseText(200, (await arrival.body()).toString()));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
  await server.arrival(0);
  client.send('body');
  expect((await client.answer('PUT')).text).toBe('body');
});

test('a server that ignores Expect and a client that waits for ever are parted by the idle timeout', async () => {
  const server = await startServer((arrival) => arrival.body());
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { idleBody: 0.4, response: 0.8 } });
  const client = await connectTo(proxy.port);
  client.send('PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
  await client.closed();
  await server.until(() => server.open.size === 0);
});

test('Expect from an HTTP/1.0 client is ignored', async () => {
  const server = await startServer(async (arrival) => {
    arrival.send(responseText(200, (await arrival.body()).toString()));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody');
  expect((await client.answer('PUT')).text).toBe('body');
});
