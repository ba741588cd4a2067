/** What is forwarded of a head, and what stays behind (RFC 9110 section 7.6). */
import { expect, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { field, fieldValues } from '../kit/messages.ts';
import { freePorts } from '../kit/ports.ts';
import { askOnce, connectTo } from '../kit/raw-client.ts';
import { answers, responseText, startServer } from '../kit/scripted-server.ts';

test('hop-by-hop fields and fields that Connection names stay behind, on requests', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]));
  await askOnce(proxy.port, {
    fields: [
      ['Connection', 'keep-alive, X-Secret'],
      ['Keep-Alive', 'timeout=5'],
      ['Proxy-Connection', 'keep-alive'],
      ['X-Secret', 'for the next hop only'],
      ['Connection', 'x-other'],
      ['X-Other', 'neither'],
      ['TE', 'trailers, deflate'],
      ['X-Kept', 'yes'],
    ],
  });
  const { head } = await server.arrival(0);
  for (const name of ['keep-alive', 'proxy-connection', 'x-secret', 'x-other']) {
    expect(fieldValues(head, name), name).toEqual([]);
  }
  expect(field(head, 'connection') ?? 'keep-alive').not.toMatch(/secret|other/i);
  expect(field(head, 'te') ?? '').not.toMatch(/deflate/);
  expect(field(head, 'x-kept')).toBe('yes');
});

test('hop-by-hop fields and fields that Connection names stay behind, on answers', async () => {
  const server = await startServer(
    answers('body', [
      ['Connection', 'X-Hop'],
      ['X-Hop', 'gone'],
      ['Keep-Alive', 'timeout=3'],
      ['Proxy-Connection', 'keep-alive'],
      ['X-Kept', 'yes'],
    ]),
  );
  const proxy = await startProxy(cluster('1', [server]));
  const answer = await askOnce(proxy.port, '/');
  expect(fieldValues(answer, 'x-hop')).toEqual([]);
  expect(fieldValues(answer, 'keep-alive')).toEqual([]);
  expect(fieldValues(answer, 'proxy-connection')).toEqual([]);
  expect(field(answer, 'x-kept')).toBe('yes');
});

test('a Connection field cannot take away what framing and identity rest on', async () => {
  const server = await startServer(async (arrival) =>
    arrival.send(responseText(200, (await arrival.body()).toString())),
  );
  const proxy = await startProxy(cluster('1', [server]));
  const answer = await askOnce(proxy.port, {
    method: 'POST',
    body: 'hello',
    fields: [
      ['Host', 'app.example'],
      ['Connection', 'Host, Content-Length, Cookie, X-Forwarded-For'],
      ['Cookie', 'a=1'],
    ],
  });
  if (answer.status === 400) return;
  const { head } = await server.arrival(0);
  expect(answer.text).toBe('hello');
  expect(field(head, 'host')).toBe('app.example');
  expect(field(head, 'x-forwarded-for')).toBe('127.0.0.1');
});

test('Via names the hop, and can be turned off', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]));
  await askOnce(proxy.port, { fields: [['Via', '1.0 first']] });
  const via = fieldValues((await server.arrival(0)).head, 'via').join(', ');
  expect(via).toMatch(/^1\.0 first, 1\.1 \S+/);
});

test('X-Forwarded fields are set, and what the client claims is overwritten', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]));
  await askOnce(proxy.port, {
    fields: [
      ['Host', 'shop.example:8080'],
      ['X-Forwarded-For', '6.6.6.6'],
      ['x-forwarded-for', '7.7.7.7'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'evil.example'],
    ],
  });
  const { head } = await server.arrival(0);
  expect(fieldValues(head, 'x-forwarded-for')).toEqual(['127.0.0.1']);
  expect(fieldValues(head, 'x-forwarded-proto')).toEqual(['http']);
  expect(fieldValues(head, 'x-forwarded-host')).toEqual(['shop.example:8080']);
  expect(fieldValues(head, 'host')).toEqual(['shop.example:8080']);
});

test.for(['/', '/a/../b/./c//d', '/%2e%2e/%2F%00%0d%0a', '/?q=a+b&&=;?', "/!$&'()*+,;=:@~_-.", `/${'x'.repeat(4000)}`])(
  'the target is forwarded byte for byte: %s',
  async (target) => {
    const server = await startServer();
    const proxy = await startProxy(cluster('1', [server]));
    expect((await askOnce(proxy.port, target)).status).toBe(200);
    expect(server.targets).toEqual([target]);
  },
);

test('repeated fields and obscure bytes pass unchanged and in order, on requests', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]));
  const fields = [
    ['x-A', '1'],
    ['Accept', 'text/html'],
    ['X-a', '2'],
    ['Cookie', 'a=1'],
    ['accept', '*/*'],
    ['X-Empty', ''],
    ['Cookie', 'b=2; c="3"'],
    ['X-Latin', 'caf\xe9 \xff'],
    ['Authorization', 'Basic QWRtaW5pc3RyYXRvcjpwYXNzd29yZA=='],
  ] as const;
  await askOnce(proxy.port, { fields });
  const { head } = await server.arrival(0);
  const wanted = new Set(fields.map(([name]) => name.toLowerCase()));
  expect(head.fields.filter(([name]) => wanted.has(name.toLowerCase()))).toEqual(fields);
});

test('repeated fields and Set-Cookie lines pass unchanged and in order, on answers', async () => {
  const fields = [
    ['set-Cookie', 'a=1; Path=/; Expires=Thu, 01 Jan 2099 00:00:00 GMT'],
    ['X-B', '1'],
    ['Set-Cookie', 'b=2'],
    ['x-b', '2, 3'],
    ['SET-COOKIE', 'a=3'],
    ['ETag', 'W/"x"'],
    ['Content-Range', 'bytes 0-1/2'],
  ] as const;
  const server = await startServer(answers('', fields));
  const proxy = await startProxy(cluster('1', [server]));
  const answer = await askOnce(proxy.port, '/');
  const wanted = new Set(fields.map(([name]) => name.toLowerCase()));
  const seen = answer.fields.filter(([name, value]) => wanted.has(name.toLowerCase()) && !/^dynsoftup=/.test(value));
  expect(seen).toEqual(fields);
});

test('Date is added to an answer that lacks it, and left alone where there is one', async () => {
  const date = 'Sun, 24 Aug 2014 18:50:06 GMT';
  const server = await startServer((arrival) =>
    arrival.send(responseText(200, '', arrival.head.target === '/dated' ? [['date', date]] : [])),
  );
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  expect(fieldValues(await client.ask('/dated'), 'date')).toEqual([date]);
  const added = fieldValues(await client.ask('/undated'), 'date');
  expect(added).toHaveLength(1);
  expect(added[0]).toMatch(/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
  expect(Math.abs(Date.parse(added[0] as string) - Date.now())).toBeLessThan(5000);
});

test('what concerns caches, conditions and ranges passes untouched, both ways', async () => {
  const asked = [
    ['Cache-Control', 'no-store, max-age=0'],
    ['Pragma', 'no-cache'],
    ['If-None-Match', 'W/"a", "b"'],
    ['If-Modified-Since', 'Sun, 24 Aug 2014 18:50:06 GMT'],
    ['Range', 'bytes=0-1, 3-'],
    ['If-Range', '"b"'],
  ] as const;
  const answered = [
    ['Age', '7'],
    ['Cache-Control', 'private, no-store'],
    ['Vary', 'Accept, Cookie'],
    ['Expires', '0'],
    ['Content-Range', 'bytes 0-1/2'],
    ['WWW-Authenticate', 'Basic realm="a, b"'],
    ['Content-Encoding', 'gzip'],
    ['Warning', '110 - "stale"'],
  ] as const;
  const server = await startServer((arrival) => arrival.send(responseText(206, 'ab', answered)));
  const proxy = await startProxy(cluster('1', [server]));
  const answer = await askOnce(proxy.port, { fields: asked });
  expect([answer.status, answer.text]).toEqual([206, 'ab']);
  const { head } = await server.arrival(0);
  for (const [name, value] of asked) expect(fieldValues(head, name), name).toEqual([value]);
  for (const [name, value] of answered) expect(fieldValues(answer, name), name).toEqual([value]);
});

test('status and reason pass unchanged', async () => {
  const server = await startServer((arrival) =>
    arrival.send('HTTP/1.1 299 Odd but  fine\r\nContent-Length: 2\r\n\r\nok'),
  );
  const proxy = await startProxy(cluster('1', [server]));
  const answer = await askOnce(proxy.port, '/');
  expect([answer.status, answer.reason, answer.text]).toEqual([299, 'Odd but  fine', 'ok']);
});

test('an unknown method is forwarded as it is', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]));
  await askOnce(proxy.port, { method: 'pRoPfInD' });
  expect((await server.arrival(0)).head.method).toBe('pRoPfInD');
});

test('absolute-form becomes origin-form, and its authority replaces Host', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]));
  await askOnce(proxy.port, {
    target: 'http://real.example:81/path?q',
    fields: [['Host', 'other.example']],
  });
  const { head } = await server.arrival(0);
  expect(head.target).toBe('/path?q');
  expect(fieldValues(head, 'host')).toEqual(['real.example:81']);
});

test('OPTIONS * passes; in its absolute form it names the proxy, which answers itself', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  expect((await client.ask({ method: 'OPTIONS', target: '*' })).text).toBe('ok');
  const own = await client.ask({ method: 'OPTIONS', target: 'http://real.example' });
  expect(own).toMatchObject({ status: 200, text: 'The proxy itself answers this request\n' });
  expect((await client.ask({ method: 'OPTIONS', target: 'http://real.example/' })).text).toBe('ok');
  expect(server.targets).toEqual(['*', '/']);
});

test('Max-Forwards: OPTIONS and TRACE end here at 0, else go on with one forward less', async () => {
  const server = await startServer();
  const proxy = await startProxy(cluster('1', [server]));
  const client = await connectTo(proxy.port);
  const ask = (method: string, value: string) =>
    client.ask({
      method,
      fields: [
        ['Max-Forwards', value],
        ['X-Secret', 'not echoed'],
      ],
    });
  expect((await ask('OPTIONS', '0')).status).toBe(200);
  const trace = await ask('TRACE', '0');
  expect(trace.status).toBe(501);
  expect(trace.text).not.toContain('echoed');
  expect((await ask('OPTIONS', '1')).text).toBe('ok');
  await ask('TRACE', '12345678901');
  await ask('GET', '0');
  const forwards = server.arrivals.map((arrival) => arrival.field('max-forwards'));
  expect(forwards).toEqual(['0', '999999999', '0']);
});

test('a circle of proxies is noticed by Via, and a chain of them is none', async () => {
  const server = await startServer();
  const last = await startProxy(cluster('1', [server]));
  const first = await startProxy(cluster('1', [last]));
  expect((await askOnce(first.port, '/')).text).toBe('ok');
  expect(fieldValues((await server.arrival(0)).head, 'via')).toEqual(['1.1 cutover', '1.1 cutover']);
  const [port] = await freePorts(1);
  const circle = await startProxy(cluster('1', [{ port: port as number }]), {
    proxy: { hostname: '127.0.0.1', port: port as number },
  });
  const answer = await askOnce(circle.port, { method: 'POST', body: 'round' });
  expect(answer).toMatchObject({ status: 508, text: 'The request goes round in a circle\n' });
  const others = { fields: [['Via', '1.1 a, 1.1 b (cutover), 1.1 cutover-2, HTTP/1.1 cutover, 1.0 cutover']] } as const;
  expect((await askOnce(last.port, others)).text).toBe('ok');
});
