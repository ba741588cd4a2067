import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
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

describe('a check', () => {
  const check = { path: '/health?deep=1', host: null, timeoutMs: 2000 };

  /** A server on this many bytes of script: what it answers to whatever it is sent, and what it was sent. */
  async function answering(answer: string | ((socket: Socket) => void)): Promise<{ port: number; sent: () => string }> {
    let sent = '';
    const server = createServer((socket) => {
      socket
        .on('error', () => {})
        .on('data', (bytes) => {
          sent += bytes.toString('latin1');
          if (!sent.endsWith('\r\n\r\n')) return;
          if (typeof answer === 'string') socket.end(answer);
          else answer(socket);
        });
    });
    closing.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as { port: number }).port, sent: () => sent };
  }

  const at = (port: number) => ({ host: '127.0.0.1', port });

  test('is a GET whose Host is the address, or what was asked for', async () => {
    const { port, sent } = await answering('HTTP/1.1 204 No Content\r\n\r\n');
    expect(await networkWith().checkHttp(at(port), check)).toEqual({
      kind: 'answered',
      status: 204,
      retryAfter: false,
    });
    expect(sent()).toMatch(new RegExp(`^GET /health\\?deep=1 HTTP/1\\.1\\r\\nHost: 127\\.0\\.0\\.1:${port}\\r\\n`));
    const other = await answering('HTTP/1.1 200 OK\r\n\r\n');
    await networkWith().checkHttp(at(other.port), { ...check, host: 'app.internal' });
    expect(other.sent()).toContain('\r\nHost: app.internal\r\n');
  });

  test('tells the status and whether Retry-After is there; interim answers are passed over', async () => {
    const { port } = await answering(
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n',
    );
    expect(await networkWith().checkHttp(at(port), check)).toEqual({ kind: 'answered', status: 503, retryAfter: true });
  });

  test('takes the second address of a name when the first refuses', async () => {
    const { port } = await answering('HTTP/1.1 200 OK\r\n\r\n');
    const network = networkWith({ two: ['127.0.0.9', '127.0.0.1'] });
    expect(await network.checkHttp({ host: 'two', port }, check)).toMatchObject({ kind: 'answered', status: 200 });
  });

  test.for([
    ['closes without an answer', (socket: Socket) => socket.end(), /connection reset by peer$/],
    ['answers junk', (socket: Socket) => socket.end('SSH-2.0-nope\r\n\r\n'), /^dial tcp 127/],
    [
      'answers with an endless head',
      (socket: Socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
      /^dial tcp 127/,
    ],
    [
      'switches protocols',
      (socket: Socket) => socket.end('HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
      /^dial tcp 127/,
    ],
  ] as const)('fails when the server %s', async ([, answer, text]) => {
    const { port } = await answering(answer);
    const result = await networkWith().checkHttp(at(port), check);
    expect(result).toMatchObject({ text: expect.stringMatching(text) });
  });

  test('is bounded, whatever the server does', async () => {
    const { port } = await answering(() => {});
    expect(await networkWith().checkHttp(at(port), { ...check, timeoutMs: 60 })).toEqual({
      kind: 'timeout',
      text: 'GET /health?deep=1: no answer within 0.06 s',
    });
  });

  test('does not wait for the body, and closes the connection when it is too long', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const { port } = await answering((socket) => {
      socket.on('close', () => resolve());
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
      const more = (): void => {
        if (!socket.destroyed) socket.write(Buffer.alloc(65_536), more);
      };
      more();
    });
    expect(await networkWith().checkHttp(at(port), check)).toMatchObject({ status: 200 });
    await closed;
  });
});
