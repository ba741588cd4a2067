/** A failing new version: its requests are answered by the older one, and a version that refuses is taken back. */
import { expect, test } from 'vitest';
import { call, cluster, listVersions } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { askOnce, connectTo } from '../kit/raw-client.ts';
import { answers, closedPort, startBlackHole, startServer } from '../kit/scripted-server.ts';

const modes: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['INSTANT', { mode: 'INSTANT' }],
  ['SESSION', { mode: 'SESSION', sessionTimeout: 60 }],
  ['GRADUAL', { mode: 'GRADUAL', percentageTransitionPerRequest: 2 }],
  ['CONCURRENT', { mode: 'CONCURRENT' }],
];

test.for(modes)(
  '%s: the new version is killed under load; no client sees it, and it is removed',
  async ([, options]) => {
    const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
    const proxy = await startProxy(cluster('3.9.1', [old]));
    const id = await proxy.put(cluster('3.9.2', [next], options));
    let killed = false;
    const clients = Array.from({ length: 10 }, async (_, n) => {
      const client = await connectTo(proxy.port);
      for (let late = 0; late < 10; ) {
        if (killed) late += 1;
        const body = n % 2 === 0 ? {} : { method: 'PUT', body: `body ${n}` };
        expect(await client.ask(body)).toMatchObject({ status: 200, text: expect.stringMatching(/^(old|new)$/) });
      }
    });
    await next.arrival(50);
    await next.stop();
    killed = true;
    await Promise.all(clients);
    await proxy.log.line(
      'WARNING',
      new RegExp(`^Removing cluster from configuration - version: 3.9.2 .*127.0.0.1:${next.port}`),
    );
    await proxy.log.line('ERROR', /Error communicating with server - dial tcp 127\.0\.0\.1:\d+: connection refused/);
    expect((await call(proxy.configPort, 'GET', `/${id}`)).status).toBe(404);
    expect((await listVersions(proxy.configPort)).map((shown) => shown.version)).toEqual(['3.9.1']);
    expect((await askOnce(proxy.port, '/')).text).toBe('old');
  },
);

test('a version that was never up serves nobody and harms nobody', async () => {
  const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]), { putWait: 0.2 });
  const port = await closedPort();
  const options = { mode: 'INSTANT', readyTimeout: 0.5 };
  expect(
    (await call(proxy.configPort, 'PUT', '', JSON.stringify({ cluster: cluster('2', [{ port }], options) }))).status,
  ).toBe(202);
  for (let n = 0; n < 5; n += 1) expect((await askOnce(proxy.port, { method: 'POST', body: 'x' })).text).toBe('old');
});

test('a server that neither accepts nor refuses is given up after the connect timeout', async () => {
  const hole = await startBlackHole();
  const server = await startServer(answers('alive'));
  const proxy = await startProxy(cluster('1', [{ port: hole }, server]), { timeouts: { connect: 0.3 } });
  for (let n = 0; n < 2; n += 1) expect((await askOnce(proxy.port, { method: 'POST', body: 'x' })).text).toBe('alive');
});

test('every server that hangs in connecting: 504 or 502, in bounded time', async () => {
  const hole = await startBlackHole();
  const proxy = await startProxy(cluster('1', [{ port: hole }]), { timeouts: { connect: 0.3 } });
  expect([502, 503, 504]).toContain((await askOnce(proxy.port, '/')).status);
});

test('the other servers of a version are tried before another version', async () => {
  const [one, two, three] = await Promise.all([1, 2, 3].map(() => startServer(answers('new'))));
  const old = await startServer(answers('old'));
  const proxy = await startProxy(cluster('1', [old]));
  const id = await proxy.put(
    cluster(
      '2',
      [one, two, three].map((server) => server as NonNullable<typeof server>),
    ),
  );
  await one?.stop();
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 12; n += 1) {
    expect((await client.ask({ method: 'POST', body: `${n}` })).text).toBe('new');
  }
  expect(old.arrivals).toHaveLength(0);
  expect((await call(proxy.configPort, 'GET', `/${id}`)).status).toBe(200);
});

test('the last version is never removed: an error while it is down, answers as soon as it is back', async () => {
  const server = await startServer(answers('alive'));
  const proxy = await startProxy(cluster('1', [server]));
  expect((await askOnce(proxy.port, '/')).text).toBe('alive');
  await server.stop();
  for (let n = 0; n < 3; n += 1) {
    const answer = await askOnce(proxy.port, '/');
    expect([502, 503]).toContain(answer.status);
    expect(answer.text).not.toMatch(/at .*\.[jt]s:\d+/);
    if (answer.status === 503) expect(field(answer, 'retry-after')).toMatch(/^\d+$/);
  }
  expect(proxy.log.of('ERROR').join('\n')).toMatch(/no version/i);
  expect(await listVersions(proxy.configPort)).toHaveLength(1);
  await server.listen();
  expect((await askOnce(proxy.port, '/')).text).toBe('alive');
});

test('both versions down: one error for each request, both serve again when they are back', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('1', [old]));
  await proxy.put(cluster('2', [next]));
  await Promise.all([old.stop(), next.stop()]);
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 3; n += 1) expect([502, 503]).toContain((await client.ask('/')).status);
  await Promise.all([old.listen(), next.listen()]);
  expect((await client.ask('/')).status).toBe(200);
});

test('three versions, the two newest refuse: the oldest answers, whatever the modes', async () => {
  const [one, two, three] = [
    await startServer(answers('1')),
    await startServer(answers('2')),
    await startServer(answers('3')),
  ];
  const proxy = await startProxy(cluster('1', [one]));
  await proxy.put(cluster('2', [two], { mode: 'SESSION', sessionTimeout: 60 }));
  await proxy.put(cluster('3', [three], { mode: 'GRADUAL', percentageTransitionPerRequest: 100 }));
  await Promise.all([two.stop(), three.stop()]);
  for (let n = 0; n < 3; n += 1) expect((await askOnce(proxy.port, { method: 'POST', body: 'x' })).text).toBe('1');
});

test('the removal is taken back by a new PUT', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('1', [old]));
  const first = await proxy.put(cluster('2', [next]));
  await next.stop();
  expect((await askOnce(proxy.port, '/')).text).toBe('old');
  await next.listen();
  const second = await proxy.put(cluster('2', [next]));
  expect(second).not.toBe(first);
  expect((await askOnce(proxy.port, '/')).text).toBe('new');
});
