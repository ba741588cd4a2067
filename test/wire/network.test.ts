import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { realClock } from '../../src/system/clock.ts';
import { BackgroundNames } from '../../src/system/names.ts';
import { connectFailure, realNetwork } from '../../src/system/network.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listening(): Promise<number> {
  const server: Server = createServer((socket) => socket.on('error', () => {}).resume());
  closing.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

function networkWith(resolved: Readonly<Record<string, readonly string[]>> = {}) {
  const names = new BackgroundNames({
    lookup: (host, callback) => queueMicrotask(() => callback(null, resolved[host] ?? [])),
  });
  closing.push(() => names.close());
  return realNetwork(names, realClock);
}

test('a server that accepts is a success, by address, by name, and at its second address', async () => {
  const port = await listening();
  const network = networkWith({ app: ['127.0.0.1'], two: ['127.0.0.9', '127.0.0.1'] });
  for (const host of ['127.0.0.1', 'localhost', 'app', 'two']) {
    expect(await network.tryConnect({ host, port }, 2000)).toBeNull();
  }
});

test('a refusal is told as the thesis shows it', async () => {
  const port = await listening();
  closing.splice(0).forEach((close) => {
    close();
  });
  expect(await networkWith().tryConnect({ host: '127.0.0.1', port }, 2000)).toEqual({
    kind: 'refused',
    text: `dial tcp 127.0.0.1:${port}: connection refused`,
  });
});

test('a name without an address, and one that the resolver never answers', async () => {
  expect(await networkWith().tryConnect({ host: 'nobody', port: 80 }, 2000)).toEqual({
    kind: 'no-address',
    text: 'dial tcp: lookup nobody: no such host',
  });
  const silent = new BackgroundNames({ lookup: () => {} });
  closing.push(() => silent.close());
  expect(await realNetwork(silent, realClock).tryConnect({ host: 'app', port: 80 }, 20)).toEqual({
    kind: 'timeout',
    text: 'dial tcp app:80: i/o timeout',
  });
});

test.each([
  ['ECONNRESET', 'refused', 'connection reset by peer'],
  ['EHOSTUNREACH', 'unreachable', 'no route to host'],
  ['ENETUNREACH', 'unreachable', 'network is unreachable'],
  ['EADDRNOTAVAIL', 'unreachable', 'EADDRNOTAVAIL'],
  [undefined, 'unreachable', 'connection failed'],
])('%s is %s', (code, kind, cause) => {
  expect(connectFailure(code, { host: '::1', port: 80 })).toEqual({ kind, text: `dial tcp [::1]:80: ${cause}` });
});
