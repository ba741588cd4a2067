/** Upgrades: a tunnel opens with a 101 that names an offered protocol, and not before (RFC 9110 section 7.8). */
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startApp } from '../kit/app.ts';
import { patterned } from '../kit/bytes.ts';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { connectTo, type RequestText } from '../kit/raw-client.ts';
import { type Arrival, responseText, startServer } from '../kit/scripted-server.ts';

const UPGRADE: RequestText = {
  fields: [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'echo'],
  ],
};
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

test('WebSocket messages pass both ways, text and binary, and the close handshake works', async () => {
  const app = await startApp('1');
  const proxy = await startProxy(cluster('1', [app]));
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/ws`);
  const messages: Buffer[] = [];
  let wake = (): void => {};
  socket.on('message', (data) => {
    messages.push(data as Buffer);
    wake();
  });
  const received = async (count: number): Promise<void> => {
    while (messages.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  await received(1);
  expect(messages[0]?.toString()).toBe('hello from 1');
  socket.send('text');
  const big = patterned(1_000_000);
  socket.send(big);
  await received(3);
  expect(messages[1]?.toString()).toBe('text');
  expect(messages[2]?.equals(big)).toBe(true);
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.close(1000, 'bye');
  expect(await closed).toBe(1000);
});

test('a tunnel outlives a switch of versions; new ones go to the new version', async () => {
  const [old, next] = [await startApp('1'), await startApp('2')];
  const proxy = await startProxy(cluster('1', [old]));
  const first = new WebSocket(`ws://127.0.0.1:${proxy.port}/ws`);
  const hello = await new Promise<string>((resolve) => first.once('message', (data) => resolve(String(data))));
  expect(hello).toBe('hello from 1');
  await proxy.put(cluster('2', [next]));
  const echoed = new Promise<string>((resolve) => first.once('message', (data) => resolve(String(data))));
  first.send('still there');
  expect(await echoed).toBe('still there');
  const second = new WebSocket(`ws://127.0.0.1:${proxy.port}/ws`);
  expect(await new Promise<string>((resolve) => second.once('message', (data) => resolve(String(data))))).toBe(
    'hello from 2',
  );
  first.terminate();
  second.terminate();
});

async function switched(script: (arrival: Arrival) => unknown) {
  const server = await startServer(async (arrival) => {
    await arrival.body();
    await script(arrival);
  });
  const proxy = await startProxy(cluster('1', [server]));
  return { server, client: await connectTo(proxy.port) };
}

test('the bytes of a tunnel pass unchanged, those that came with the 101 too', async () => {
  const { client } = await switched(async (arrival) => {
    arrival.send(`${SWITCHED}early`);
    expect((await arrival.source.take(3)).toString('latin1')).toBe('\0\r\n');
    arrival.send('late');
    arrival.socket.end();
  });
  const answer = await client.ask(UPGRADE);
  expect([answer.status, field(answer, 'upgrade')]).toEqual([101, 'echo']);
  expect(field(answer, 'connection')).toMatch(/upgrade/i);
  expect((await client.source.take(5)).toString()).toBe('early');
  client.send('\0\r\n');
  expect((await client.source.take(4)).toString()).toBe('late');
});

test('half-close passes through a tunnel', async () => {
  const { client } = await switched(async (arrival) => {
    arrival.send(SWITCHED);
    const received = await arrival.source.rest();
    arrival.send(`got ${received.toString()}`);
    arrival.socket.end();
  });
  await client.ask(UPGRADE);
  client.send('everything');
  client.end();
  expect((await client.source.rest()).toString()).toBe('got everything');
});

test('a tunnel broken on one side is broken on the other', async () => {
  const { client, server } = await switched(async (arrival) => {
    arrival.send(SWITCHED);
    await arrival.gone();
  });
  await client.ask(UPGRADE);
  client.reset();
  await server.until(() => server.open.size === 0);
});

test('bytes sent before the 101 stay HTTP: without a 101 they are the next request', async () => {
  const { client, server } = await switched((arrival) => arrival.send(responseText(200, arrival.head.target)));
  client.send(
    'GET /1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n',
  );
  expect((await client.answer()).text).toBe('/1');
  expect((await client.answer()).text).toBe('/2');
  expect(server.targets).toEqual(['/1', '/2']);
});

test('an answer other than 101 goes on as HTTP', async () => {
  const { client } = await switched((arrival) => arrival.send(responseText(426, 'no')));
  expect((await client.ask(UPGRADE)).status).toBe(426);
  expect((await client.ask('/')).status).toBe(426);
});

test.for([
  [
    'that was not offered',
    UPGRADE.fields,
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n',
  ],
  ['without a name', UPGRADE.fields, 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['though nothing was offered', [], SWITCHED],
  ['though Connection did not name Upgrade', [['Upgrade', 'echo']], SWITCHED],
] as const)('a 101 for a protocol %s is a 502 and opens no tunnel', async ([, fields, reply]) => {
  const { client } = await switched((arrival) => arrival.send(`${reply}tunnelled`));
  const answer = await client.ask({ fields: fields ?? [] });
  expect(answer.status).toBe(502);
  expect(answer.text).not.toContain('tunnelled');
});

test('h2c is never offered to a server', async () => {
  const { client, server } = await switched((arrival) => arrival.send(responseText(200, 'plain')));
  const fields = [
    ['Connection', 'Upgrade, HTTP2-Settings'],
    ['Upgrade', 'h2c'],
    ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
  ] as const;
  expect((await client.ask({ fields })).text).toBe('plain');
  const { head } = await server.arrival(0);
  expect([field(head, 'upgrade'), field(head, 'http2-settings')]).toEqual([undefined, undefined]);
});

test('Upgrade from an HTTP/1.0 client is ignored', async () => {
  const { client, server } = await switched((arrival) => arrival.send(responseText(200, 'plain')));
  client.send('GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  expect((await client.answer()).text).toBe('plain');
  expect(field((await server.arrival(0)).head, 'upgrade')).toBeUndefined();
});
