/** Bodies pass unchanged in every framing, both ways (RFC 9112 section 6). */
import { expect, test } from 'vitest';
import { chunked, patterned, sha256 } from '../kit/bytes.ts';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import { responseText, type Script, startServer } from '../kit/scripted-server.ts';

const BIG = patterned(8 * 1024 * 1024);
const BIG_SHA256 = sha256(BIG);

const hashes: Script = async (arrival) => {
  const body = await arrival.body();
  arrival.send(responseText(200, `${body.length} ${sha256(body)}`));
};

test.for([
  ['Content-Length', requestText({ method: 'PUT', body: BIG })],
  [
    'chunked',
    Buffer.concat([Buffer.from('PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'), chunked(BIG)]),
  ],
  [
    'Content-Length from an HTTP/1.0 client',
    Buffer.concat([Buffer.from(`PUT / HTTP/1.0\r\nContent-Length: ${BIG.length}\r\n\r\n`), BIG]),
  ],
] as const)('an upload of 8 MiB arrives unchanged: %s', async ([, request]) => {
  const server = await startServer(hashes);
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(request);
  expect((await client.answer('PUT')).text).toBe(`${BIG.length} ${BIG_SHA256}`);
});

const downloads: Readonly<Record<string, Script>> = {
  'Content-Length': (arrival) => arrival.send(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n`, BIG),
  chunked: (arrival) => arrival.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', chunked(BIG)),
  'close-delimited': (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\n\r\n', BIG);
    arrival.socket.end();
  },
  'close-delimited HTTP/1.0': (arrival) => {
    arrival.send('HTTP/1.0 200 OK\r\n\r\n', BIG);
    arrival.socket.end();
  },
};

test.for(Object.keys(downloads))('a download of 8 MiB arrives unchanged: %s', async (name) => {
  const server = await startServer(downloads[name]);
  const proxy = await startProxy(cluster('1', [server]));
  const answer = await askOnce(proxy.port, '/');
  expect([answer.body.length, sha256(answer.body)]).toEqual([BIG.length, BIG_SHA256]);
  if (name === 'Content-Length') expect(answer.framing).toBe('length');
});

test.for(Object.keys(downloads))('a download of 8 MiB to an HTTP/1.0 client arrives unchanged: %s', async (name) => {
  const server = await startServer(downloads[name]);
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('GET / HTTP/1.0\r\n\r\n');
  const answer = await client.answer();
  expect(answer.framing).not.toBe('chunked');
  expect([answer.body.length, sha256(answer.body)]).toEqual([BIG.length, BIG_SHA256]);
  expect(await client.closed()).toMatchObject({ how: 'fin' });
});

test('an upload and a download of 8 MiB pass at the same time', async () => {
  const server = await startServer(async (arrival) => {
    arrival.send(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n`);
    for (let left = BIG.length; left > 0; ) {
      const piece = (await arrival.source.some()) as Buffer;
      left -= piece.length;
      if (!arrival.socket.write(piece)) await new Promise((resolve) => arrival.socket.once('drain', resolve));
    }
    arrival.socket.end();
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send(requestText({ method: 'POST', body: BIG }));
  expect(sha256((await client.answer('POST')).body)).toBe(BIG_SHA256);
});

test('an empty body stays an empty body', async () => {
  const server = await startServer(async (arrival) => {
    const body = await arrival.body();
    arrival.send(responseText(200, `${body.length}`));
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  expect((await client.ask({ method: 'POST', body: '' })).text).toBe('0');
  client.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
  expect((await client.answer('POST')).text).toBe('0');
  expect(field((await server.arrival(0)).head, 'content-length')).toBe('0');
});

test('chunk extensions are dropped, one byte at a time or not', async () => {
  const server = await startServer(hashes);
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  const request =
    'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b;c="d"\r\nabc\r\n002\r\nde\r\n0;x\r\n\r\n';
  for (const byte of request) await client.flush(byte);
  expect((await client.answer('POST')).text).toBe(`5 ${sha256(Buffer.from('abcde'))}`);
});

test('trailers pass as trailers, both ways, and never become header fields', async () => {
  const server = await startServer(async (arrival) => {
    await arrival.body();
    arrival.send(
      'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n',
      chunked(Buffer.from('hi'), ['X-Sum: 1']),
    );
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  client.send('POST / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n\r\n');
  client.send(chunked(Buffer.from('body'), ['X-Check: 2', 'X-Forwarded-For: 6.6.6.6']));
  const answer = await client.answer('POST');
  expect([answer.text, answer.trailers]).toEqual(['hi', [['X-Sum', '1']]]);
  expect(field(answer, 'x-sum')).toBeUndefined();
  const arrival = await server.arrival(0);
  await arrival.body();
  expect(arrival.trailers).toContainEqual(['X-Check', '2']);
  expect(arrival.field('x-check')).toBeUndefined();
});

test('trailers of an answer are left out for a client that does not say it takes them', async () => {
  const server = await startServer((arrival) =>
    arrival.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', chunked(Buffer.from('hi'), ['X-Sum: 1'])),
  );
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  expect(await client.ask('/')).toMatchObject({ text: 'hi', trailers: [] });
  const taking = await client.ask({
    fields: [
      ['TE', 'trailers'],
      ['Connection', 'TE'],
    ],
  });
  expect(taking).toMatchObject({ text: 'hi', trailers: [['X-Sum', '1']] });
});

test('no length is told in 1xx and 204, not even to HEAD', async () => {
  const server = await startServer((arrival) =>
    arrival.send(
      'HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n',
    ),
  );
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  for (const method of ['HEAD', 'GET']) {
    const answer = await client.ask({ method });
    expect([answer.status, answer.interim.length]).toEqual([204, 1]);
  }
});

test('answers to HEAD, and 204 and 304, end with their head', async () => {
  const server = await startServer((arrival) => {
    const status = Number(arrival.head.target.slice(1));
    const length = status === 204 ? '' : 'Content-Length: 1234\r\n';
    arrival.send(`HTTP/1.1 ${status} Scripted\r\n${length}X-N: ${arrival.head.method}\r\n\r\n`);
  });
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  const head = await client.ask({ method: 'HEAD', target: '/200' });
  expect([head.status, field(head, 'content-length'), field(head, 'x-n')]).toEqual([200, '1234', 'HEAD']);
  expect((await client.ask('/204')).status).toBe(204);
  expect(await client.ask('/304')).toMatchObject({ status: 304, text: '' });
  expect((await client.ask({ method: 'HEAD', target: '/404' })).status).toBe(404);
  expect(field(await client.ask({ method: 'HEAD', target: '/200' }), 'x-n')).toBe('HEAD');
});

test('a chunked answer to HEAD ends with its head', async () => {
  const server = await startServer((arrival) => arrival.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'));
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 3; n += 1) expect((await client.ask({ method: 'HEAD' })).status).toBe(200);
});
