/** INSTANT: the next request of anybody goes to the new version (thesis 6.2.2). */
import { expect, test } from 'vitest';
import { cluster, listVersions, remove } from '../kit/config-service.ts';
import { setCookie, setCookies } from '../kit/cookies.ts';
import { startProxy } from '../kit/cutover.ts';
import { askOnce, connectTo } from '../kit/raw-client.ts';
import { answers, responseText, startServer } from '../kit/scripted-server.ts';

test('the first request after the answer to PUT is served by the new version, on the same client connection', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('1', [old]));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 10; n += 1) expect((await client.ask('/')).text).toBe('old');
  await proxy.put(cluster('2', [next], { mode: 'INSTANT' }));
  for (let n = 0; n < 10; n += 1) expect((await client.ask('/')).text).toBe('new');
});

test('busy keep-alive clients all notice the switch, and none loses a request', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('1', [old]));
  let answered = false;
  const clients = Array.from({ length: 30 }, async () => {
    const client = await connectTo(proxy.port);
    for (let late = 0; late < 5; ) {
      const after = answered;
      const { status, text } = await client.ask('/');
      expect(status).toBe(200);
      if (after) {
        expect(text).toBe('new');
        late += 1;
      }
    }
  });
  await old.arrival(200);
  await proxy.put(cluster('2', [next]));
  answered = true;
  await Promise.all(clients);
});

test('an exchange in flight finishes on the version that it began on', async () => {
  const release = Promise.withResolvers<void>();
  const old = await startServer(async (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nold');
    await release.promise;
    arrival.send('old');
  });
  const proxy = await startProxy(cluster('1', [old]));
  const client = await connectTo(proxy.port);
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const head = await client.head();
  await proxy.put(cluster('2', [await startServer(answers('new'))]));
  release.resolve();
  expect((await client.body(head)).bytes.toString()).toBe('oldold');
  expect((await client.ask('/')).text).toBe('new');
});

test('the cookie names the version that answered, has no expiry, and is sent once', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('1', [old]));
  const first = await askOnce(proxy.port, '/');
  const [shown] = await listVersions(proxy.configPort);
  expect(setCookies(first)).toEqual([
    { name: 'dynsoftup', value: shown?.uuid, attributes: { path: '/', httponly: '', samesite: 'Lax' } },
  ]);
  const fields = [['Cookie', `theme=dark; dynsoftup=${shown?.uuid}; x=y`]] as const;
  expect(setCookies(await askOnce(proxy.port, { fields }))).toEqual([]);
  const id = await proxy.put(cluster('2', [next]));
  expect(setCookie(await askOnce(proxy.port, { fields }), 'dynsoftup')?.value).toBe(id);
});

test('the cookies of the application and of Cutover pass side by side', async () => {
  const server = await startServer(
    answers('x', [
      ['Set-Cookie', 'sid=1; HttpOnly'],
      ['Set-Cookie', 'dynsoftup=mine'],
    ]),
  );
  const proxy = await startProxy(cluster('1', [server]));
  const lines = setCookies(await askOnce(proxy.port, { fields: [['Cookie', 'sid=0']] }));
  expect(lines.filter((cookie) => cookie.name === 'sid')).toHaveLength(1);
  expect((await server.arrival(0)).field('cookie')).toBe('sid=0');
});

test.for([
  '',
  'x',
  'not-a-uuid',
  '00000000-0000-1000-8000-000000000000',
  '"',
  'e6203784-2c93-11e4-88f5-28cfe9158b63; dynsoftup=y',
])('a forged or unknown cookie is ignored and replaced: %j', async (value) => {
  const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
  const id = await proxy.put(cluster('2', [await startServer(answers('new'))]));
  const answer = await askOnce(proxy.port, { fields: [['Cookie', `dynsoftup=${value}`]] });
  expect([answer.status, answer.text, setCookie(answer, 'dynsoftup')?.value]).toEqual([200, 'new', id]);
});

test('names and attributes of the cookies are those of the configuration', async () => {
  const proxy = await startProxy(cluster('1', [await startServer()]), {
    cookies: { version: 'release', sameSite: 'Strict' },
  });
  const [cookie, ...others] = setCookies(await askOnce(proxy.port, '/'));
  expect(others).toEqual([]);
  expect([cookie?.name, cookie?.attributes.samesite]).toEqual(['release', 'Strict']);
});

test('with three versions the newest serves, and after its DELETE the next older one', async () => {
  const proxy = await startProxy(cluster('1', [await startServer(answers('one'))]));
  const two = await proxy.put(cluster('2', [await startServer(answers('two'))]));
  const three = await proxy.put(cluster('10', [await startServer(answers('ten'))]));
  const client = await connectTo(proxy.port);
  expect((await client.ask('/')).text).toBe('ten');
  expect((await remove(proxy.configPort, three)).status).toBe(202);
  expect((await client.ask('/')).text).toBe('two');
  expect((await remove(proxy.configPort, two)).status).toBe(202);
  expect((await client.ask('/')).text).toBe('one');
});

test('a PUT below the newest is accepted, takes no traffic, and is said so in the log', async () => {
  const proxy = await startProxy(cluster('3', [await startServer(answers('three'))]));
  const id = await proxy.put(cluster('1.10', [await startServer(answers('lower'))]));
  await proxy.log.line('WARNING', /1\.10/);
  expect((await askOnce(proxy.port, '/')).text).toBe('three');
  expect((await listVersions(proxy.configPort)).map((shown) => shown.version)).toEqual(['3', '1.10']);
  expect((await remove(proxy.configPort, id)).status).toBe(202);
});

test('of two PUTs with the same version the later one serves', async () => {
  const proxy = await startProxy(cluster('1', [await startServer(answers('first'))]));
  await proxy.put(cluster('1', [await startServer(answers('second'))]));
  expect((await askOnce(proxy.port, '/')).text).toBe('second');
});

test('a request that waits in flight keeps a deleted version working until it is answered', async () => {
  const release = Promise.withResolvers<void>();
  const next = await startServer(async (arrival) => {
    await release.promise;
    arrival.send(responseText(200, 'new'));
  });
  const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
  const id = await proxy.put(cluster('2', [next]));
  const client = await connectTo(proxy.port);
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await next.arrival(0);
  expect((await remove(proxy.configPort, id)).status).toBe(202);
  release.resolve();
  expect((await client.answer()).text).toBe('new');
  expect((await client.ask('/')).text).toBe('old');
});
