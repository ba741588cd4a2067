/** Stopping: what is in flight finishes, what is new is told to go elsewhere, and nobody is cut off. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { connectTo, requestText } from '../kit/raw-client.ts';
import { answers, hangs, responseText, startServer } from '../kit/scripted-server.ts';

test('an exchange in flight finishes, with Connection: close; new connections are refused', async () => {
  const release = Promise.withResolvers<void>();
  const server = await startServer(async (arrival) => {
    await release.promise;
    arrival.send(responseText(200, 'finished'));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  await server.arrival(0);
  const closed = proxy.close();
  await refused(proxy.port);
  release.resolve();
  const answer = await client.answer();
  expect([answer.status, answer.text, field(answer, 'connection')]).toEqual([200, 'finished', 'close']);
  expect((await client.closed()).how).toBe('fin');
  await closed;
  await refused(proxy.configPort);
});

test('30 busy keep-alive clients: no request fails through a stop', async () => {
  const server = await startServer(answers('ok'));
  const proxy = await startProxy(cluster('1', [server]));
  let answered = 0;
  const clients = Array.from({ length: 30 }, async () => {
    const client = await connectTo(proxy.port);
    for (;;) {
      const answer = await client.ask('/');
      expect([answer.status, answer.text]).toEqual([200, 'ok']);
      answered += 1;
      if (field(answer, 'connection') === 'close') break;
    }
    expect(await client.closed()).toMatchObject({ how: 'fin', bytes: Buffer.alloc(0) });
  });
  await server.arrival(300);
  const closed = proxy.close();
  await Promise.all(clients);
  await closed;
  expect(answered).toBeGreaterThan(300);
});

test('a silent client is closed after a second, by a FIN and not by a reset', async () => {
  const proxy = await startProxy(cluster('1', [await startServer()]));
  const client = await connectTo(proxy.port);
  await client.ask('/');
  const began = performance.now();
  const closed = proxy.close();
  expect(await client.closed()).toMatchObject({ how: 'fin', bytes: Buffer.alloc(0) });
  expect(performance.now() - began).toBeGreaterThan(500);
  client.end();
  await closed;
});

test('a request that arrives on a kept connection during the stop is served', async () => {
  const proxy = await startProxy(cluster('1', [await startServer(answers('late'))]));
  const client = await connectTo(proxy.port);
  await client.ask('/');
  const closed = proxy.close();
  await refused(proxy.port);
  const answer = await client.ask('/');
  expect([answer.text, field(answer, 'connection')]).toEqual(['late', 'close']);
  await closed;
});

test('what does not finish within the drain time is cut off: close ends', async () => {
  const server = await startServer(hangs);
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { drain: 0.5 } });
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  await server.arrival(0);
  await proxy.close();
  await client.closed();
  await server.until(() => server.open.size === 0);
});

test('close leaves nothing open: the ports are free and the servers are left', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  await client.ask('/');
  client.socket.destroy();
  await proxy.close();
  await Promise.all([refused(proxy.port), refused(proxy.configPort), server.until(() => server.open.size === 0)]);
});

/** Resolves once a port refuses; connections that are accepted meanwhile are closed unused. */
async function refused(port: number): Promise<void> {
  for (let accepted = true; accepted; ) {
    accepted = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => socket.end().once('close', () => resolve(true)));
      socket.once('error', () => resolve(false));
    });
  }
}
