/** GRADUAL: clients move one after the other as requests are answered, and never back (thesis 6.2.2). */
import { expect, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { CookieJar, setCookie } from '../kit/cookies.ts';
import { type RunningCutover, startProxy } from '../kit/cutover.ts';
import { askOnce, connectTo } from '../kit/raw-client.ts';
import { answers, answersStatus, startServer } from '../kit/scripted-server.ts';

/** The thesis's own cookie; its bucket is 3. */
const THESIS_COOKIE = 'transition=952c8557-2088-11e4-87e3-600308a8245e';

async function startGradual(percentageTransitionPerRequest: number, more: Readonly<Record<string, unknown>> = {}) {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('3.9.1', [old]));
  const options = { mode: 'GRADUAL', percentageTransitionPerRequest, ...more };
  const id = await proxy.put(cluster('3.9.2', [next], options));
  return { proxy, old, next, id };
}

async function texts(proxy: RunningCutover, count: number, cookie: string): Promise<readonly string[]> {
  const client = await connectTo(proxy.port);
  const seen: string[] = [];
  for (let n = 0; n < count; n += 1) seen.push((await client.ask({ fields: [['Cookie', cookie]] })).text);
  return seen;
}

test.for([
  [1, ['old', 'old', 'old', 'new', 'new', 'new']],
  [0.5, ['old', 'old', 'old', 'old', 'old', 'old', 'new', 'new']],
  [100, ['new', 'new']],
  [4, ['new', 'new']],
  [3, ['old', 'new']],
] as const)("the thesis's cookie at %d %% per request: %j", async ([percentage, expected]) => {
  const { proxy } = await startGradual(percentage);
  expect(await texts(proxy, expected.length, THESIS_COOKIE)).toEqual(expected);
});

test('the log shows the counter and the percentage as the thesis does', async () => {
  const { proxy, old, next } = await startGradual(1);
  await texts(proxy, 5, THESIS_COOKIE);
  const lines = proxy.log.of('INFO').filter((text) => text.startsWith('Serving response'));
  const tail = (counter: string) => ` transition counter [${counter}] percentage transition per request [1.00]`;
  expect(lines).toEqual([
    `Serving response 0 from ip: [127.0.0.1] port: [${old.port}] version: [3.9.1] mode: [INSTANT]`,
    `Serving response 1 from ip: [127.0.0.1] port: [${old.port}] version: [3.9.1] mode: [INSTANT]`,
    `Serving response 2 from ip: [127.0.0.1] port: [${old.port}] version: [3.9.1] mode: [INSTANT]`,
    `Serving response 0 from ip: [127.0.0.1] port: [${next.port}] version: [3.9.2] mode: [GRADUAL]${tail('4.00')}`,
    `Serving response 1 from ip: [127.0.0.1] port: [${next.port}] version: [3.9.2] mode: [GRADUAL]${tail('5.00')}`,
  ]);
});

test('a client without the transition cookie is given one, for life; one that has it is not', async () => {
  const { proxy } = await startGradual(1);
  const first = await askOnce(proxy.port, '/');
  const cookie = setCookie(first, 'transition');
  expect(cookie?.value).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  expect(cookie?.attributes).toEqual({ path: '/', httponly: '', samesite: 'Lax' });
  expect(setCookie(first, 'dynsoftup')?.attributes).not.toHaveProperty('expires');
  const second = await askOnce(proxy.port, { fields: [['Cookie', `transition=${cookie?.value}`]] });
  expect(setCookie(second, 'transition')).toBeUndefined();
});

test.for(['junk', '', '952c8557'])('a malformed transition cookie is replaced: %j', async (value) => {
  const { proxy } = await startGradual(1);
  const answer = await askOnce(proxy.port, { fields: [['Cookie', `transition=${value}`]] });
  expect([answer.status, setCookie(answer, 'transition')?.value]).toEqual([
    200,
    expect.stringMatching(/^[0-9a-f-]{36}$/),
  ]);
});

test("who holds the new version's cookie stays there, whatever the threshold", async () => {
  const { proxy, id } = await startGradual(0.001);
  expect(await texts(proxy, 3, `${THESIS_COOKIE}; dynsoftup=${id}`)).toEqual(['new', 'new', 'new']);
});

test('no client with its cookies ever moves back; all arrive; then the version is released', async () => {
  const { proxy } = await startGradual(1);
  const jars = Array.from({ length: 20 }, () => ({ jar: new CookieJar(), last: 'old' }));
  const client = await connectTo(proxy.port);
  for (let round = 0; round < 6; round += 1) {
    for (const visitor of jars) {
      const answer = await client.ask({ fields: visitor.jar.fields });
      visitor.jar.take(answer);
      if (visitor.last === 'new') expect(answer.text).toBe('new');
      visitor.last = answer.text;
    }
  }
  expect(jars.every((visitor) => visitor.last === 'new')).toBe(true);
  expect(
    (await askOnce(proxy.port, { fields: [['Cookie', 'transition=106719e4-2087-11e4-bf9e-600308a8245e']] })).text,
  ).toBe('new');
});

test('failed answers do not raise the threshold', async () => {
  const { proxy, old } = await startGradual(1);
  old.script = answersStatus(503, 'busy');
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 5; n += 1) await client.ask({ method: 'POST', body: 'x', fields: [['Cookie', THESIS_COOKIE]] });
  old.script = answers('old');
  expect(await texts(proxy, 4, THESIS_COOKIE)).toEqual(['old', 'old', 'old', 'new']);
});

test('paths that are ignored raise nothing', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('1', [old]), { ignorePaths: ['/health'] });
  await proxy.put(cluster('2', [next], { mode: 'GRADUAL', percentageTransitionPerRequest: 1 }));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 10; n += 1) await client.ask({ target: '/health', fields: [['Cookie', THESIS_COOKIE]] });
  expect(await texts(proxy, 4, THESIS_COOKIE)).toEqual(['old', 'old', 'old', 'new']);
});

test('a header can be the key of the buckets: a client without cookies does not flap', async () => {
  const { proxy } = await startGradual(1, { key: 'X-User' });
  const client = await connectTo(proxy.port);
  const users = Array.from({ length: 10 }, (_, n) => ({ name: `user-${n}`, last: 'old' }));
  for (let round = 0; round < 12; round += 1) {
    for (const user of users) {
      const { text } = await client.ask({ fields: [['X-User', user.name]] });
      if (user.last === 'new') expect(text).toBe('new');
      user.last = text;
    }
  }
  expect(users.every((user) => user.last === 'new')).toBe(true);
});

test('a PUT during the ramp overtakes it: the overtaken version keeps its clients', async () => {
  const { proxy, id } = await startGradual(1);
  const moved = `${THESIS_COOKIE}; dynsoftup=${id}`;
  expect(await texts(proxy, 1, moved)).toEqual(['new']);
  const newest = await startServer(answers('newest'));
  await proxy.put(cluster('4', [newest], { mode: 'SESSION', sessionTimeout: 60 }));
  expect(await texts(proxy, 2, moved)).toEqual(['new', 'new']);
  expect((await askOnce(proxy.port, '/')).text).toBe('newest');
});

test('when the new version refuses, its client is served by the old one and stays served', async () => {
  const { proxy, next } = await startGradual(1);
  expect(await texts(proxy, 4, THESIS_COOKIE)).toEqual(['old', 'old', 'old', 'new']);
  await next.stop();
  expect(await texts(proxy, 5, THESIS_COOKIE)).toEqual(Array(5).fill('old'));
});
