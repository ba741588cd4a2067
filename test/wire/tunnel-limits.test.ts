/** Tunnels that do not end by themselves: each has a bound, after which nothing of it is left. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { startProxy, type WireConfig } from '../kit/cutover.ts';
import { connectTo, type RawClient, type RequestText, requestText } from '../kit/raw-client.ts';
import { type Arrival, hangs, type ScriptedServer, startServer } from '../kit/scripted-server.ts';

const LIMIT = 0.3;
const UPGRADE: RequestText = {
  fields: [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'echo'],
  ],
};
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';
/** More than the kernel keeps for both connections. */
const FLOOD = Buffer.alloc(32 * 1024 * 1024);

async function tunnel(config: WireConfig, script: (arrival: Arrival) => unknown) {
  const server = await startServer(async (arrival) => {
    await arrival.body();
    arrival.send(SWITCHED);
    await script(arrival);
    await new Promise((resolve) => arrival.socket.once('close', resolve));
  });
  const proxy = await startProxy(cluster('1', [server]), config);
  const client = await connectTo(proxy.port);
  expect((await client.ask(UPGRADE)).status).toBe(101);
  return { server, proxy, client };
}

test('a tunnel whose one half is closed and whose other is silent is cut after timeouts.idleBody', async () => {
  const { server, proxy, client } = await tunnel({ timeouts: { idleBody: LIMIT } }, (arrival) => arrival.source.rest());
  client.end();
  expect((await client.closed()).how).toBe('reset');
  await left(server);
  expect(proxy.counters.tunnelTimeouts).toBe(1);
});

test('a tunnel with both halves open may be silent for longer than any limit', async () => {
  const limits = {
    idleBody: LIMIT,
    clientIdle: LIMIT,
    clientHeader: LIMIT,
    upstreamIdle: LIMIT,
    response: LIMIT,
    total: LIMIT,
  };
  const { proxy, client, server } = await tunnel({ timeouts: limits }, async (arrival) => {
    await arrival.source.take(5);
    arrival.send('still here');
  });
  // Two connections that do run into the limits, one after the other.
  for (let n = 0; n < 2; n += 1) await (await connectTo(proxy.port)).closed();
  client.send('hello');
  expect((await client.source.take(10)).toString()).toBe('still here');
  expect(server.open.size).toBe(1);
});

test('a tunnel of which one end takes nothing is cut after timeouts.idleBody', async () => {
  const { server, proxy, client } = await tunnel({ timeouts: { idleBody: LIMIT } }, (arrival) => {
    arrival.send(FLOOD);
  });
  await left(server);
  await client.closedUnread();
  expect(proxy.counters.tunnelTimeouts).toBe(1);
});

test.for([
  ['a client', (arrival: Arrival) => arrival.send(FLOOD), () => {}],
  ['a server', () => {}, (client: RawClient) => client.send(FLOOD)],
] as const)('a stop does not wait for %s that takes nothing', async ([, ofServer, ofClient]) => {
  const { proxy, client, server } = await tunnel({ timeouts: { tunnelDrain: LIMIT, drain: LIMIT } }, ofServer);
  ofClient(client);
  await proxy.close();
  await Promise.all([client.closedUnread(), left(server)]);
});

test('a stop lets an open tunnel go on, and ends when it has ended', async () => {
  const { proxy, client } = await tunnel({ timeouts: { drain: 0.1 } }, async (arrival) => {
    await arrival.source.take(5);
    arrival.send('still here');
    arrival.socket.end();
  });
  const other = await connectTo(proxy.port);
  const stopped = proxy.close();
  await other.closed();
  client.send('hello');
  expect((await client.source.take(10)).toString()).toBe('still here');
  client.end();
  await stopped;
});

test('bytes that came before the 101 came as HTTP: the switch is refused, and they reach nobody', async () => {
  const release = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<Buffer>();
  const server = await startServer(async (arrival) => {
    await arrival.body();
    await release.promise;
    arrival.send(SWITCHED);
    reached.resolve((await arrival.source.closed()).bytes);
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(Buffer.concat([requestText(UPGRADE), Buffer.from('GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n')]));
  await server.arrival(0);
  release.resolve();
  expect((await client.answer()).status).toBe(400);
  expect((await reached.promise).length).toBe(0);
});

test('the kernel asks whether a silent tunnel, or a client that closed its half, is still there', async () => {
  const { proxy, client, server } = await tunnel({ timeouts: { tunnelDrain: 0, drain: 0 } }, () => {});
  const upstream = [...server.open][0]?.remotePort;
  expect(keepAliveTimer({ local: proxy.port, remote: client.socket.localPort })).toBe(true);
  expect(keepAliveTimer({ local: upstream, remote: server.port })).toBe(true);

  const waiting = await startServer(hangs);
  const other = await startProxy(cluster('1', [waiting]), { timeouts: { drain: 0 } });
  const half = await connectTo(other.port);
  const ends = { local: other.port, remote: half.socket.localPort };
  half.send(requestText({}));
  await waiting.arrival(0);
  expect(keepAliveTimer(ends)).toBe(false);
  half.end();
  // The FIN has been seen once the kernel's timer runs.
  while (!keepAliveTimer(ends)) await new Promise((resolve) => setImmediate(resolve));
});

/** Resolves when the server has no connection left; one that it does not read learns by a write that it has been cut. */
async function left(server: ScriptedServer): Promise<void> {
  const asking = setInterval(() => {
    for (const socket of server.open) socket.write('?');
  }, 20);
  await server.until(() => server.open.size === 0);
  clearInterval(asking);
}

/** True when a keep-alive timer runs on the end `local` of a connection of loopback, by their ports. */
function keepAliveTimer(ends: { readonly local: number | undefined; readonly remote: number | undefined }): boolean {
  const [local, remote] = [ends.local, ends.remote].map(
    (port = 0) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`,
  );
  const sockets = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const found = sockets.find((socket) => socket[1]?.endsWith(local as string) && socket[2]?.endsWith(remote as string));
  return found?.[5]?.startsWith('02:') === true;
}
