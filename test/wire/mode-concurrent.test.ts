/** CONCURRENT: the newest versions are asked at once; the newest that behaves answers (thesis 6.2.2). */
import { expect, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { setCookie } from '../kit/cookies.ts';
import { startProxy } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import {
  answers,
  answersStatus,
  closes,
  hangs,
  resets,
  responseText,
  type Script,
  startBlackHole,
  startServer,
} from '../kit/scripted-server.ts';

async function startConcurrent(
  newScript: Script,
  more: Readonly<Record<string, unknown>> = {},
  oldScript = answers('old'),
) {
  const [old, next] = [await startServer(oldScript), await startServer(newScript)];
  const proxy = await startProxy(cluster('3.9.1', [old]));
  const id = await proxy.put(cluster('3.9.2', [next], { mode: 'CONCURRENT', ...more }));
  return { proxy, old, next, id };
}

test('both versions get the whole request; the client gets the answer of the newest alone', async () => {
  const bodies: string[] = [];
  const keeps =
    (text: string): Script =>
    async (arrival) => {
      bodies.push(`${text} ${(await arrival.body()).toString()}`);
      arrival.send(responseText(200, text));
    };
  const { proxy, old, next, id } = await startConcurrent(keeps('new'), {}, keeps('old'));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 3; n += 1) {
    const answer = await client.ask({ method: 'POST', target: `/${n}`, body: `body ${n}` });
    expect([answer.status, answer.text]).toEqual([200, 'new']);
    expect(setCookie(answer, 'dynsoftup')?.value).toBe(id);
    expect(setCookie(answer, 'dynsoftup')?.attributes).not.toHaveProperty('expires');
  }
  await old.until(() => bodies.length === 6);
  expect([old.targets, next.targets]).toEqual([
    ['/0', '/1', '/2'],
    ['/0', '/1', '/2'],
  ]);
  expect([...bodies].sort()).toEqual([
    'new body 0',
    'new body 1',
    'new body 2',
    'old body 0',
    'old body 1',
    'old body 2',
  ]);
});

test('hop-by-hop fields of the answer that was held back stay behind', async () => {
  const { proxy } = await startConcurrent(
    answers('new', [
      ['Connection', 'X-Hop'],
      ['X-Hop', 'gone'],
      ['Keep-Alive', 'timeout=3'],
      ['X-Kept', 'yes'],
    ]),
  );
  const answer = await askOnce(proxy.port, '/');
  for (const name of ['X-Hop', 'Keep-Alive']) expect(field(answer, name), name).toBeUndefined();
  expect(field(answer, 'X-Kept')).toBe('yes');
});

test('many answers of 10 kB: the dropped ones never block', async () => {
  const large = 'x'.repeat(10_000);
  const { proxy } = await startConcurrent(answers(`new${large}`), {}, answers(`old${large}`));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 600; n += 1) expect((await client.ask('/')).text.slice(0, 3)).toBe('new');
});

test.for([
  ['answers 500', answersStatus(500, 'broken')],
  ['answers 503', answersStatus(503, 'busy')],
  ['resets', resets],
  ['closes without a byte', closes],
  ['sends junk', (arrival) => arrival.send('SSH-2.0-OpenSSH_9.2\r\n')],
] as readonly (readonly [string, Script])[])("a newest version that %s: the older one's answer", async ([, script]) => {
  const { proxy, old } = await startConcurrent(script);
  for (let n = 0; n < 3; n += 1) {
    const answer = await askOnce(proxy.port, { method: 'POST', body: 'x' });
    expect([answer.status, answer.text]).toEqual([200, 'old']);
  }
  // Each request reached the older version once: it was duplicated, not replayed.
  expect(old.arrivals).toHaveLength(3);
});

test.for([200, 204, 301, 404, 499])('a newest version that answers %d behaves', async (status) => {
  const { proxy } = await startConcurrent((arrival) =>
    arrival.send(`HTTP/1.1 ${status} Scripted\r\n${status === 204 ? '' : 'Content-Length: 0\r\n'}\r\n`),
  );
  expect((await askOnce(proxy.port, '/')).status).toBe(status);
});

test('both fail: the client gets an error, once, and the next request is served', async () => {
  const { proxy, old, next } = await startConcurrent(
    answersStatus(500, 'new broken'),
    {},
    answersStatus(500, 'old broken'),
  );
  const client = await connectTo(proxy.port);
  expect((await client.ask('/')).status).toBeGreaterThanOrEqual(500);
  old.script = answers('old');
  next.script = answers('new');
  expect((await askOnce(proxy.port, '/')).text).toMatch(/new|old/);
});

test('a newest version that refuses: the older one answers, and the newest is removed', async () => {
  const { proxy, next, id } = await startConcurrent(answers('new'));
  expect((await askOnce(proxy.port, '/')).text).toBe('new');
  await next.stop();
  for (let n = 0; n < 3; n += 1) expect((await askOnce(proxy.port, '/')).text).toBe('old');
  await proxy.log.line('WARNING', /Removing cluster from configuration - version: 3\.9\.2/);
  expect((await fetch(`http://127.0.0.1:${proxy.configPort}/configuration/cluster/${id}`)).status).toBe(404);
});

test('a slow newest version is waited for no longer than its patience once the older answer stands ready', async () => {
  const { proxy } = await startConcurrent(hangs, { patience: 0.3 });
  const began = performance.now();
  expect((await askOnce(proxy.port, '/')).text).toBe('old');
  const waited = performance.now() - began;
  expect(waited).toBeGreaterThan(250);
  expect(waited).toBeLessThan(1500);
});

test('the older answer that stands ready is given byte for byte when the newest fails after it', async () => {
  const go = Promise.withResolvers<void>();
  const { proxy, old, next } = await startConcurrent(async (arrival) => {
    if (arrival.head.target !== '/first') return arrival.send(responseText(200, 'x'.repeat(100)));
    await go.promise;
    arrival.send(responseText(500, 'y'.repeat(100)));
  });
  const first = askOnce(proxy.port, '/first');
  await Promise.all([old.arrival(0), next.arrival(0)]);
  for (let count = 0; count < 5; count += 1) await askOnce(proxy.port, '/other');
  go.resolve();
  expect(await first).toMatchObject({ status: 200, text: 'old' });
});

test('a newest version that answers within its patience is the one that is heard', async () => {
  const release = Promise.withResolvers<void>();
  const { proxy, old } = await startConcurrent(async (arrival) => {
    await release.promise;
    arrival.send(responseText(200, 'new'));
  });
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  await old.arrival(0);
  release.resolve();
  expect((await client.answer()).text).toBe('new');
});

test('a version that is reached late gets the request as it was, not what the client has asked for since', async () => {
  const hole = { port: await startBlackHole() };
  const old = await startServer(answers('old'));
  const proxy = await startProxy(cluster('1', [hole, old]), { timeouts: { connect: 0.2 } });
  await proxy.put(cluster('2', [await startServer(answers('new'))], { mode: 'CONCURRENT' }));
  const client = await connectTo(proxy.port);
  const asked = ['/first', '/second', '/third', '/fourth'];
  for (const target of asked) expect((await client.ask({ target, fields: [['X-Target', target]] })).text).toBe('new');
  await old.until(() => old.arrivals.length === asked.length);
  expect([...old.targets].sort()).toEqual([...asked].sort());
  for (const arrival of old.arrivals) expect(arrival.field('x-target')).toBe(arrival.head.target);
});

test('a slow older version delays nobody', async () => {
  const { proxy } = await startConcurrent(answers('new'), {}, hangs);
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 10; n += 1) expect((await client.ask('/')).text).toBe('new');
});

test('methods narrows what is duplicated', async () => {
  const { proxy, old, next } = await startConcurrent(answers('new'), { methods: ['GET', 'HEAD', 'OPTIONS'] });
  const client = await connectTo(proxy.port);
  await client.ask({ method: 'POST', target: '/write', body: 'x' });
  await client.ask('/read');
  await old.arrival(0);
  expect(old.targets).toEqual(['/read']);
  expect(next.targets).toEqual(['/write', '/read']);
});

test('writes that are duplicated are warned of at PUT', async () => {
  const { proxy } = await startConcurrent(answers('new'));
  await proxy.log.line('WARNING', /duplicat/i);
});

test.for(['length', 'chunked'])('a body over the replay limit goes to one version alone: %s', async (framing) => {
  const body = Buffer.alloc(300_000, 'b');
  const seen: string[] = [];
  const counts =
    (text: string): Script =>
    async (arrival) => {
      const { length } = await arrival.body();
      seen.push(`${text} ${length}`);
      arrival.send(responseText(200, text));
    };
  const [old, next] = [await startServer(counts('old')), await startServer(counts('new'))];
  const proxy = await startProxy(cluster('1', [old]), { replay: { bodyBytes: 65_536 } });
  await proxy.put(cluster('2', [next], { mode: 'CONCURRENT' }));
  const client = await connectTo(proxy.port);
  if (framing === 'length') client.send(requestText({ method: 'PUT', body }));
  else {
    client.send('PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    client.send(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]));
  }
  expect((await client.answer('PUT')).text).toBe('new');
  expect(seen).toEqual(['new 300000']);
});

test('an upgrade goes to one version alone', async () => {
  const { proxy, old } = await startConcurrent((arrival) =>
    arrival.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhi'),
  );
  const client = await connectTo(proxy.port);
  const fields = [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'echo'],
  ] as const;
  expect((await client.ask({ fields })).status).toBe(101);
  expect((await client.source.take(2)).toString()).toBe('hi');
  expect(old.arrivals).toHaveLength(0);
});

test('versions says how many are asked', async () => {
  const [one, two, three] = [
    await startServer(answers('1')),
    await startServer(answers('2')),
    await startServer(answers('3')),
  ];
  const proxy = await startProxy(cluster('1', [one]));
  await proxy.put(cluster('2', [two]));
  await proxy.put(cluster('3', [three], { mode: 'CONCURRENT', versions: 3 }));
  expect((await askOnce(proxy.port, '/a')).text).toBe('3');
  await Promise.all([one.arrival(0), two.arrival(0)]);
  three.script = answersStatus(500, 'broken');
  two.script = answersStatus(500, 'broken');
  expect((await askOnce(proxy.port, '/b')).text).toBe('1');
});

test('with two of three versions asked the oldest is left alone', async () => {
  const [one, two, three] = [
    await startServer(answers('1')),
    await startServer(answers('2')),
    await startServer(answers('3')),
  ];
  const proxy = await startProxy(cluster('1', [one]));
  await proxy.put(cluster('2', [two]));
  await proxy.put(cluster('3', [three], { mode: 'CONCURRENT' }));
  for (let n = 0; n < 5; n += 1) expect((await askOnce(proxy.port, '/')).text).toBe('3');
  await two.arrival(4);
  expect(one.arrivals).toHaveLength(0);
});

test('the log shows both attempts, the newest first', async () => {
  const { proxy, old, next } = await startConcurrent(answers('new'));
  await askOnce(proxy.port, '/');
  expect(proxy.log.of('INFO').filter((text) => text.startsWith('Serving response'))).toEqual([
    `Serving response 0 from ip: [127.0.0.1] port: [${next.port}] version: [3.9.2] mode: [CONCURRENT]`,
    `Serving response 0 from ip: [127.0.0.1] port: [${old.port}] version: [3.9.1] mode: [INSTANT]`,
  ]);
});
