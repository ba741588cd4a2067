/** What is refused at the proxy port: a clear status, then a close, and nothing of it reaches a server. */
import { expect, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { askOnce, connectTo } from '../kit/raw-client.ts';
import { startServer } from '../kit/scripted-server.ts';

const refused: readonly (readonly [name: string, statuses: readonly number[], bytes: string])[] = [
  ['garbage', [400], '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ['words', [400], 'hello there how are you\r\n\r\n'],
  ['a bare LF', [400], 'GET / HTTP/1.1\nHost: x\n\n'],
  ['a bare CR', [400], 'GET / HTTP/1.1\r\nHost: x\r\nX-A: a\rb\r\n\r\n'],
  ['NUL in a value', [400], 'GET / HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n'],
  ['no Host', [400], 'GET / HTTP/1.1\r\n\r\n'],
  ['two Hosts', [400], 'GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n'],
  ['a bad Host', [400], 'GET / HTTP/1.1\r\nHost: x y\r\n\r\n'],
  ['space before colon', [400], 'GET / HTTP/1.1\r\nHost: x\r\nX-A : b\r\n\r\n'],
  ['obs-fold', [400], 'GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n'],
  [
    'both framings',
    [400],
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['two lengths', [400], 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'],
  ['a signed length', [400], 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello'],
  ['a huge length', [400], 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n'],
  ['chunked twice', [400], 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n'],
  ['an unknown coding', [400, 501], 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['a coding in HTTP/1.0', [400], 'POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['HTTP/2.0', [400, 505], 'GET / HTTP/2.0\r\nHost: x\r\n\r\n'],
  ['the HTTP/2 preface', [400, 505], 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/0.9', [400, 505], 'GET /\r\n\r\n'],
  ['CONNECT', [400, 405, 501], 'CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal:5432\r\n\r\n'],
  ['a long request line', [414], `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ['a long header section', [431], `GET / HTTP/1.1\r\nHost: x\r\n${`X-A: ${'b'.repeat(1000)}\r\n`.repeat(40)}\r\n`],
  ['many fields', [431], `GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(120)}\r\n`],
  ['a request line without end', [414], `GET /${'a'.repeat(100_000)}`],
];

test.for(refused)('%s is refused and the connection closed', async ([, statuses, bytes]) => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(bytes);
  const answer = await client.answer();
  expect(statuses).toContain(answer.status);
  expect(field(answer, 'connection')).toBe('close');
  expect(answer.text).not.toContain('aaaa');
  expect((await client.closed()).bytes.length).toBe(0);
  expect(server.arrivals).toHaveLength(0);
  expect((await askOnce(proxy.port, '/')).status).toBe(200);
});

test.for([
  ['a bad chunk size', 'zz\r\nhello\r\n0\r\n\r\n'],
  ['a bare LF in a chunk line', '5\nhello\r\n0\r\n\r\n'],
  ['chunk data longer than said', '3\r\nhello\r\n0\r\n\r\n'],
  ['a huge chunk size', 'fffffffffffffffff\r\n'],
] as const)('%s cuts the request off: no server takes it for whole', async ([, body]) => {
  let whole = 0;
  const server = await startServer(async (arrival) => {
    await arrival.body();
    whole += 1;
    arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(`POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
  expect((await client.answer('POST')).status).toBe(400);
  await client.closed();
  await server.until(() => server.open.size === 0 || server.arrivals.length === 0);
  expect(whole).toBe(0);
  expect((await askOnce(proxy.port, '/')).status).toBe(200);
});

test('a good request before a bad one is answered, then the bad one is refused', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(
    'GET /good HTTP/1.1\r\nHost: x\r\n\r\nGET /bad HTTP/1.1\r\nHost : x\r\n\r\nGET /after HTTP/1.1\r\nHost: x\r\n\r\n',
  );
  expect((await client.answer()).status).toBe(200);
  expect((await client.answer()).status).toBe(400);
  expect((await client.closed()).bytes.length).toBe(0);
  expect(server.targets).toEqual(['/good']);
});

test('a client that is slow with its header is shut out after the limit', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]), { timeouts: { clientHeader: 0.3 } });
  const client = await connectTo(proxy.port);
  client.send('GET / HTTP/1.1\r\nHost:');
  const { bytes } = await client.closed();
  expect(bytes.toString()).toMatch(/^(HTTP\/1\.1 408 .*)?/);
  expect(server.arrivals).toHaveLength(0);
});

test('the limits are those of the configuration', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]), { limits: { requestLine: 64, headers: 256, fields: 5 } });
  expect((await askOnce(proxy.port, `/${'a'.repeat(20)}`)).status).toBe(200);
  expect((await askOnce(proxy.port, `/${'a'.repeat(80)}`)).status).toBe(414);
  expect((await askOnce(proxy.port, { fields: [['X-A', 'b'.repeat(300)]] })).status).toBe(431);
  expect((await askOnce(proxy.port, { fields: Array.from({ length: 6 }, () => ['X', 'y']) })).status).toBe(431);
});

test('a refused HEAD is answered with a head alone, also when it comes split', async () => {
  const proxy = await startProxy(cluster('1', [await startServer(() => {})]));
  const client = await connectTo(proxy.port);
  await client.flush('HE');
  client.send('AD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
  expect((await client.answer('HEAD')).status).toBe(400);
  expect((await client.source.rest()).length).toBe(0);
});
