/** WebSocket with `ws` at both ends, through the proxy: all that the protocol has, in every mode, and through a rollback. */
import type { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { patterned } from '../kit/bytes.ts';
import { call, cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { answers, startServer } from '../kit/scripted-server.ts';

const MIB = 1024 * 1024;

interface Pair {
  readonly client: WebSocket;
  /** The application's end of the same connection. */
  readonly server: WebSocket;
}

class Application {
  readonly port: number;
  readonly #sockets: WebSocketServer;
  readonly #arrived: WebSocket[] = [];
  #wake: () => void = () => {};

  private constructor(sockets: WebSocketServer) {
    this.#sockets = sockets;
    this.port = (sockets.address() as { port: number }).port;
    sockets.on('connection', (socket) => {
      this.#arrived.push(socket);
      this.#wake();
    });
  }

  static async start(options: object = {}): Promise<Application> {
    const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
    await new Promise((resolve) => sockets.once('listening', resolve));
    const application = new Application(sockets);
    onTestFinished(() => application.stop());
    return application;
  }

  /** The next connection that comes. */
  async next(): Promise<WebSocket> {
    for (;;) {
      const socket = this.#arrived.shift();
      if (socket !== undefined) return socket;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  stop(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }
}

/** A client that is connected through the proxy, and the application's end of its connection. */
async function pair(port: number, application: Application, options: object = {}): Promise<Pair> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, options);
  onTestFinished(() => client.terminate());
  await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
  return { client, server: await application.next() };
}

async function throughProxy(config = {}, options: object = {}): Promise<Pair> {
  const application = await Application.start(options);
  const proxy = await startProxy(cluster('1', [application]), config);
  return pair(proxy.port, application, options);
}

function message(socket: WebSocket): Promise<Buffer> {
  return new Promise((resolve) => socket.once('message', (data) => resolve(data as Buffer)));
}

function closed(socket: WebSocket): Promise<readonly [code: number, reason: string]> {
  return new Promise((resolve) => socket.once('close', (code, reason) => resolve([code, reason.toString()])));
}

/** A message goes to the application and back. */
async function expectAlive({ client, server }: Pair): Promise<void> {
  server.once('message', (data, isBinary) => server.send(data, { binary: isBinary }));
  const back = message(client);
  client.send('still there');
  expect((await back).toString()).toBe('still there');
}

test.for([
  ['client', { perMessageDeflate: false }],
  ['server', { perMessageDeflate: false }],
  ['client', { perMessageDeflate: true }],
  ['server', { perMessageDeflate: true }],
] as const)('fragments and messages of 1 MiB from the %s, %j', async ([from, options]) => {
  const { client, server } = await throughProxy({}, options);
  const [sender, receiver] = from === 'client' ? [client, server] : [server, client];
  const fragmented = message(receiver);
  for (const part of ['in ', 'four ', 'frag']) sender.send(part, { fin: false });
  sender.send('ments', { fin: true });
  expect((await fragmented).toString()).toBe('in four fragments');
  for (const large of [patterned(MIB), patterned(MIB - 1), patterned(3 * MIB)]) {
    const received = message(receiver);
    sender.send(large);
    expect((await received).equals(large)).toBe(true);
  }
});

test('pings and pongs, with what they carry, between the fragments of a message too', async () => {
  const { client, server } = await throughProxy();
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    const [pinged, ponged] = [told(other, 'ping'), told(one, 'pong')];
    const whole = message(other);
    one.send('half ', { fin: false });
    one.ping('are you there');
    one.send('half');
    expect((await pinged).toString()).toBe('are you there');
    expect((await ponged).toString()).toBe('are you there');
    expect((await whole).toString()).toBe('half half');
  }
});

test.for([1000, 1001, 1008, 1011, 3000, 4999])('close code %i and its reason, from either end', async (code) => {
  for (const from of ['client', 'server'] as const) {
    const { client, server } = await throughProxy();
    const ends = Promise.all([closed(client), closed(server)]);
    (from === 'client' ? client : server).close(code, 'so long');
    expect(await ends).toEqual([
      [code, 'so long'],
      [code, 'so long'],
    ]);
  }
});

test.for(['client', 'server'] as const)(
  'a connection that the %s breaks off is broken off at the other end',
  async (from) => {
    const { client, server } = await throughProxy();
    const [breaking, other] = from === 'client' ? [client, server] : [server, client];
    const end = closed(other);
    breaking.terminate();
    expect((await end)[0]).toBe(1006);
  },
);

test('messages that are on their way when an end closes arrive', async () => {
  const { client, server } = await throughProxy();
  let bytes = 0;
  client.on('message', (data: Buffer) => {
    bytes += data.length;
  });
  const end = closed(client);
  for (let n = 0; n < 8; n += 1) server.send(patterned(MIB));
  server.close(1000);
  expect(await end).toEqual([1000, '']);
  expect(bytes).toBe(8 * MIB);
});

test.for([
  { mode: 'INSTANT' },
  { mode: 'SESSION', sessionTimeout: 600 },
  { mode: 'GRADUAL', percentageTransitionPerRequest: 100 },
  { mode: 'CONCURRENT' },
])(
  'a release in mode $mode and its rollback: what is open goes on, what is new goes where requests go',
  async (transition) => {
    const [old, next] = [await Application.start(), await Application.start()];
    const proxy = await startProxy(cluster('1', [old]), { timeouts: { tunnelDrain: 0.5 } });
    const before = await pair(proxy.port, old);
    const id = await proxy.put(cluster('2', [next], transition));
    await expectAlive(before);
    // In none of the modes does a client without cookies go to the older version now.
    const during = await pair(proxy.port, next);
    await Promise.all([expectAlive(before), expectAlive(during)]);
    expect((await call(proxy.configPort, 'POST', `/${id}/rollback`)).status).toBe(202);
    const after = await pair(proxy.port, old);
    await Promise.all([expectAlive(before), expectAlive(during), expectAlive(after)]);
    // The version that was taken back has some time to drain, the older one serves on.
    expect((await closed(during.client))[0]).toBe(1006);
    await Promise.all([expectAlive(before), expectAlive(after)]);
  },
);

test('a version that refuses the upgrade, and one that is gone: the older version takes it', async () => {
  const [old, next] = [await Application.start(), await startServer()];
  next.script = (arrival) => arrival.socket.resetAndDestroy();
  const proxy = await startProxy(cluster('1', [old]));
  await proxy.put(cluster('2', [next]));
  await expectAlive(await pair(proxy.port, old));
  next.script = answers('no');
  const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
  const failed = new Promise<Error>((resolve) => client.once('error', resolve));
  expect((await failed).message).toBe('Unexpected server response: 200');
  await next.stop();
  await expectAlive(await pair(proxy.port, old));
});

test('a client that reads nothing makes the application wait, and holds up nobody else', async () => {
  const application = await Application.start({ perMessageDeflate: false });
  const proxy = await startProxy(cluster('1', [application]));
  const slow = await pair(proxy.port, application);
  const other = await pair(proxy.port, application);
  (slow.client as unknown as { _socket: Socket })._socket.pause();
  const sent = 64;
  let taken = 0;
  for (let n = 0; n < sent; n += 1) {
    slow.server.send(patterned(MIB), () => {
      taken += 1;
    });
  }
  for (let n = 0; n < 200; n += 1) await expectAlive(other);
  expect(taken).toBeLessThan(sent / 2);
  let received = 0;
  const all = new Promise<void>((resolve) =>
    slow.client.on('message', () => {
      received += 1;
      if (received === sent) resolve();
    }),
  );
  (slow.client as unknown as { _socket: Socket })._socket.resume();
  await all;
});

function told(socket: WebSocket, what: 'ping' | 'pong'): Promise<Buffer> {
  return new Promise((resolve) => socket.once(what, resolve));
}
