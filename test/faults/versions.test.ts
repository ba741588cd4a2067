/** Faults of versions that need more than a row of the matrix. */
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startApp } from '../kit/app.ts';
import { call, cluster, listVersions } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { askOnce, connectTo } from '../kit/raw-client.ts';
import { answers, responseText, startServer } from '../kit/scripted-server.ts';

test('one 500 in a hundred: each is replayed, and the version is not taken back for it', async () => {
  const next = await startServer(async (arrival) => {
    await arrival.body();
    arrival.send(next.arrivals.length % 100 === 50 ? responseText(500, 'failed') : responseText(200, 'new'));
  });
  const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
  const id = await proxy.put(cluster('2', [next]));
  const client = await connectTo(proxy.port);
  const texts = new Map<string, number>();
  for (let n = 0; n < 400; n += 1) {
    const { status, text } = await client.ask('/');
    expect(status).toBe(200);
    texts.set(text, (texts.get(text) ?? 0) + 1);
  }
  expect(Object.fromEntries(texts)).toEqual({ new: 396, old: 4 });
  expect((await listVersions(proxy.configPort))[0]?.uuid).toBe(id);
});

test('healthy by its checks, and failing in traffic: it is taken back', async () => {
  const next = await startServer(async (arrival) => {
    await arrival.body();
    const isCheck = arrival.head.target === '/health';
    arrival.send(responseText(isCheck ? 200 : 500, isCheck ? 'fine' : 'failed'));
  });
  const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
  await proxy.put({ ...cluster('2', [next]), healthCheck: { path: '/health', interval: 0.1 } });
  for (let n = 0; n < 20; n += 1) expect((await askOnce(proxy.port, '/')).text).toBe('old');
  await proxy.log.line('WARNING', /^Release of version 2 .* is over: failed/);
  expect((await listVersions(proxy.configPort)).map(({ version }) => version)).toEqual(['1']);
});

test('the older version dies while the new one is on trial, then the new one fails: it stays, and that is said once', async () => {
  const [old, next] = [await startServer(answers('old')), await startApp('new')];
  const proxy = await startProxy(cluster('1', [old]));
  const id = await proxy.put(cluster('2', [next]));
  expect((await askOnce(proxy.port, '/')).text).toBe('new');
  await old.stop();
  next.failing = true;
  for (let n = 0; n < 30; n += 1) expect((await askOnce(proxy.port, '/')).status).toBe(500);
  expect((await listVersions(proxy.configPort))[0]?.uuid).toBe(id);
  next.failing = false;
  expect((await askOnce(proxy.port, '/')).text).toBe('new');
  expect(proxy.log.of('ERROR').filter((line) => /is guilty by rule/.test(line)).length).toBeLessThanOrEqual(1);
});

test('promote and rollback at the same moment: one after the other, and the state is one of the two', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('1', [old]));
  for (let round = 0; round < 10; round += 1) {
    const id = await proxy.put(cluster('2', [next], { mode: 'GRADUAL', percentageTransitionPerRequest: 1 }));
    const [promoted, rolledBack] = await Promise.all(
      ['promote', 'rollback'].map((what) => call(proxy.configPort, 'POST', `/${id}/${what}`)),
    );
    // Promoted first it is still on trial, and can be taken back; taken back first it can't be promoted.
    expect([202, 409]).toContain(promoted?.status);
    expect(rolledBack?.status).toBe(202);
    expect((await listVersions(proxy.configPort)).map(({ version }) => version)).toEqual(['1']);
    expect((await askOnce(proxy.port, '/')).text).toBe('old');
  }
});

test('a rollback while 50 tunnels and 50 event streams run on the new version: they go on, new ones go to the old one', async () => {
  const release = Promise.withResolvers<void>();
  const [old, next] = [await startApp('old'), await startApp('new')];
  const streams = await startServer(async (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 22\r\n\r\ndata: one\n\n');
    await release.promise;
    arrival.send('data: two\n\n');
  });
  const proxy = await startProxy(cluster('1', [old]));
  const id = await proxy.put(cluster('2', [next]));
  const tunnels = await Promise.all(Array.from({ length: 50 }, () => greeted(proxy.port)));
  expect(tunnels.every(({ hello }) => hello === 'hello from new')).toBe(true);
  const other = await proxy.put(cluster('3', [streams]));
  const readers = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const client = await connectTo(proxy.port);
      client.send('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
      return { client, head: await client.head() };
    }),
  );
  for (const version of [other, id])
    expect((await call(proxy.configPort, 'POST', `/${version}/rollback`)).status).toBe(202);
  expect((await askOnce(proxy.port, '/')).text).toBe('old');
  const later = await greeted(proxy.port);
  expect(later.hello).toBe('hello from old');
  later.socket.terminate();
  release.resolve();
  for (const { client, head } of readers) {
    expect((await client.body(head)).bytes.toString()).toBe('data: one\n\ndata: two\n\n');
  }
  for (const { socket } of tunnels) {
    const echoed = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
    socket.send('still there');
    expect(await echoed).toBe('still there');
    socket.terminate();
  }
});

async function greeted(port: number): Promise<{ readonly socket: WebSocket; readonly hello: string }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  const hello = await new Promise<string>((resolve, reject) => {
    socket.once('message', (data) => resolve(String(data)));
    socket.once('error', reject);
  });
  return { socket, hello };
}
