/** SESSION: who has a session stays on its version, who has none goes to the new one (thesis 6.2.2). */
import { expect, test } from 'vitest';
import { cluster, remove } from '../kit/config-service.ts';
import { CookieJar, type SetCookie, setCookie, setCookies } from '../kit/cookies.ts';
import { type RunningCutover, startProxy } from '../kit/cutover.ts';
import { type Answer, askOnce, connectTo } from '../kit/raw-client.ts';
import { answers, startServer } from '../kit/scripted-server.ts';

/** One request by the holder of a jar; the jar takes the answer's cookies. */
async function visit(proxy: RunningCutover, jar: CookieJar): Promise<Answer> {
  const answer = await askOnce(proxy.port, { fields: jar.fields });
  jar.take(answer);
  return answer;
}

function expectExpiry(cookie: SetCookie | undefined, seconds: number): void {
  expect(cookie?.attributes['max-age']).toBe(`${seconds}`);
  const expires = cookie?.attributes.expires ?? '';
  expect(expires).toMatch(/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
  expect(Math.abs(Date.parse(expires) - Date.now() - seconds * 1000)).toBeLessThan(3000);
  expect(cookie?.attributes).toMatchObject({ path: '/', httponly: '', samesite: 'Lax' });
}

test('an old session stays and is prolonged; no session goes to the new version with an expiry', async () => {
  const proxy = await startProxy(cluster('3.9.1', [await startServer(answers('old'))]));
  const jar = new CookieJar();
  const first = await visit(proxy, jar);
  expect(setCookie(first, 'dynsoftup')?.attributes).not.toHaveProperty('max-age');
  const oldId = jar.get('dynsoftup');

  const options = { mode: 'SESSION', sessionTimeout: 60 };
  const newId = await proxy.put(cluster('3.9.2', [await startServer(answers('new'))], options));
  for (let n = 0; n < 3; n += 1) {
    const answer = await visit(proxy, jar);
    expect(answer.text).toBe('old');
    expect(setCookie(answer, 'dynsoftup')?.value).toBe(oldId);
    expectExpiry(setCookie(answer, 'dynsoftup'), 60);
  }

  const fresh = new CookieJar();
  for (let n = 0; n < 3; n += 1) {
    const answer = await visit(proxy, fresh);
    expect(answer.text).toBe('new');
    expect(setCookie(answer, 'dynsoftup')?.value).toBe(newId);
    expectExpiry(setCookie(answer, 'dynsoftup'), 60);
  }
});

test('an upgradeTransition without a mode means SESSION, for half an hour', async () => {
  const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
  await proxy.put(cluster('2', [await startServer(answers('new'))], {}));
  expectExpiry(setCookie(await askOnce(proxy.port, '/'), 'dynsoftup'), 1800);
});

test.for(['e6203784-2c93-11e4-88f5-28cfe9158b63', 'junk', ''])(
  'a cookie of no serving version is no session: %j',
  async (value) => {
    const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
    const id = await proxy.put(
      cluster('2', [await startServer(answers('new'))], { mode: 'SESSION', sessionTimeout: 60 }),
    );
    const answer = await askOnce(proxy.port, { fields: [['Cookie', `dynsoftup=${value}`]] });
    expect([answer.text, setCookie(answer, 'dynsoftup')?.value]).toEqual(['new', id]);
  },
);

test('the session id is read without regard to letter case and among other cookies', async () => {
  const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
  const jar = new CookieJar();
  await visit(proxy, jar);
  await proxy.put(cluster('2', [await startServer(answers('new'))], { mode: 'SESSION', sessionTimeout: 60 }));
  const id = (jar.get('dynsoftup') as string).toUpperCase();
  const answer = await askOnce(proxy.port, {
    fields: [
      ['cookie', 'a=b; xdynsoftup=1; c="d"'],
      ['COOKIE', `e=f;  dynsoftup=${id};`],
    ],
  });
  expect(answer.text).toBe('old');
});

test('one keep-alive connection may carry requests of both', async () => {
  const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
  const jar = new CookieJar();
  await visit(proxy, jar);
  await proxy.put(cluster('2', [await startServer(answers('new'))], { mode: 'SESSION', sessionTimeout: 60 }));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 5; n += 1) {
    expect((await client.ask({ fields: jar.fields })).text).toBe('old');
    expect((await client.ask('/')).text).toBe('new');
  }
});

test('the version is released when no old session came for the timeout: then old cookies move', async () => {
  const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
  const jar = new CookieJar();
  await visit(proxy, jar);
  await proxy.put(cluster('2', [await startServer(answers('new'))], { mode: 'SESSION', sessionTimeout: 1 }));
  expect((await askOnce(proxy.port, { fields: jar.fields })).text).toBe('old');
  await proxy.log.line('NOTICE', /older session/i);
  expect((await askOnce(proxy.port, { fields: jar.fields })).text).toBe('new');
});

test('three versions: a session of the middle one and of the oldest each stay where they are', async () => {
  const options = { mode: 'SESSION', sessionTimeout: 60 };
  const proxy = await startProxy(cluster('1', [await startServer(answers('one'))]));
  const [first, second, third] = [new CookieJar(), new CookieJar(), new CookieJar()];
  await visit(proxy, first);
  await proxy.put(cluster('2', [await startServer(answers('two'))], options));
  await visit(proxy, second);
  await proxy.put(cluster('3', [await startServer(answers('three'))], { ...options, sessionTimeout: 30 }));
  expect((await visit(proxy, first)).text).toBe('one');
  expect((await visit(proxy, second)).text).toBe('two');
  const answer = await visit(proxy, third);
  expect(answer.text).toBe('three');
  // The first SESSION version met on the way down the chain gives the expiry, whoever answers.
  expectExpiry(setCookie(answer, 'dynsoftup'), 30);
  expectExpiry(setCookie(await visit(proxy, second), 'dynsoftup'), 30);
});

test('when the new version is deleted its sessions move to the old one, and the expiry goes away', async () => {
  const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
  const id = await proxy.put(
    cluster('2', [await startServer(answers('new'))], { mode: 'SESSION', sessionTimeout: 60 }),
  );
  const jar = new CookieJar();
  expect((await visit(proxy, jar)).text).toBe('new');
  expect((await remove(proxy.configPort, id)).status).toBe(202);
  const answer = await visit(proxy, jar);
  expect(answer.text).toBe('old');
  expect(setCookies(answer)).toHaveLength(1);
  expect(setCookie(answer, 'dynsoftup')?.attributes).not.toHaveProperty('expires');
  expect(setCookies(await visit(proxy, jar))).toEqual([]);
});

test('when the new version refuses, its session is served by the old one and its cookie rewritten', async () => {
  const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
  const jar = new CookieJar();
  await visit(proxy, jar);
  const oldId = jar.get('dynsoftup');
  const next = await startServer(answers('new'));
  await proxy.put(cluster('2', [next], { mode: 'SESSION', sessionTimeout: 60 }));
  const session = new CookieJar();
  expect((await visit(proxy, session)).text).toBe('new');
  await next.stop();
  const answer = await visit(proxy, session);
  expect([answer.status, answer.text, session.get('dynsoftup')]).toEqual([200, 'old', oldId]);
});

test('the log shows the timeout and the id with each answer', async () => {
  const proxy = await startProxy(cluster('3.9.1', [await startServer(answers('old'))]));
  const next = await startServer(answers('new'));
  const id = await proxy.put(cluster('3.9.2', [next], { mode: 'SESSION', sessionTimeout: 60 }));
  await askOnce(proxy.port, '/');
  expect(proxy.log.of('INFO')).toContain(
    `Serving response 0 from ip: [127.0.0.1] port: [${next.port}] version: [3.9.2] mode: [SESSION] session timeout [60] uuid [${id}]`,
  );
});
