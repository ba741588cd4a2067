/** The REST table (thesis 5.6 and chapter 8), call by call and many at once. */
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { call, cluster, listVersions, put, putVersion, remove, UUID_V1 } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { askOnce, connectTo } from '../kit/raw-client.ts';
import { answers, startServer } from '../kit/scripted-server.ts';

async function start() {
  const server = await startServer(answers('old'));
  const proxy = await startProxy(cluster('1.0', [server]));
  return { server, proxy, configPort: proxy.configPort };
}

test('PUT answers 202 with the id alone; GET shows it; DELETE takes it away', async () => {
  const { server, configPort } = await start();
  const answer = await put(configPort, cluster('1.1', [server, server], { mode: 'SESSION', sessionTimeout: 60 }));
  expect([answer.status, answer.type]).toEqual([202, 'text/plain; charset=utf-8']);
  expect(answer.text).toMatch(UUID_V1);
  expect(answer.headers.get('content-length')).toBe('36');

  const shown = await call(configPort, 'GET', `/${answer.text}`);
  expect([shown.status, shown.type]).toEqual([200, expect.stringMatching(/^application\/json/)]);
  const address = `{"hostname":"127.0.0.1","port":${server.port}}`;
  expect(shown.text.trim()).toBe(
    `{"cluster":{"servers":[${address},${address}],"upgradeTransition":{"mode":"SESSION","sessionTimeout":60},"uuid":"${answer.text}","version":"1.1"}}`,
  );

  const removed = await remove(configPort, answer.text);
  expect([removed.status, removed.text]).toEqual([202, '']);
  for (const method of ['GET', 'DELETE']) expect((await call(configPort, method, `/${answer.text}`)).status).toBe(404);
});

test('each mode shows its own option alone', async () => {
  const { server, configPort } = await start();
  const all = { sessionTimeout: 60, percentageTransitionPerRequest: 2 };
  const shown = {
    INSTANT: { mode: 'INSTANT' },
    SESSION: { mode: 'SESSION', sessionTimeout: 60 },
    GRADUAL: { mode: 'GRADUAL', percentageTransitionPerRequest: 2 },
    CONCURRENT: { mode: 'CONCURRENT' },
  };
  for (const [mode, expected] of Object.entries(shown)) {
    const id = await putVersion(configPort, cluster('2', [server], { mode, ...all }));
    const answer = JSON.parse((await call(configPort, 'GET', `/${id}`)).text);
    expect(answer.cluster.upgradeTransition).toEqual(expected);
  }
});

test('options of another mode that are 0 are taken with a warning, as in the template of the thesis', async () => {
  const { server, proxy } = await start();
  const options = { mode: 'INSTANT', sessionTimeout: 0, percentageTransitionPerRequest: 0 };
  expect((await put(proxy.configPort, cluster('2', [server], options))).status).toBe(202);
  await proxy.log.line('WARNING', /sessionTimeout/);
});

test('GET lists every version, the newest first, with and without the slash', async () => {
  const { server, configPort } = await start();
  for (const version of ['3', '13', '1.10', '1.9', '2.0-rc.1', '2.0'])
    await putVersion(configPort, cluster(version, [server]));
  for (const path of ['', '/']) {
    const answer = await call(configPort, 'GET', path);
    expect(answer.status).toBe(200);
    const versions = (JSON.parse(answer.text) as { cluster: { version: string } }[]).map(
      (entry) => entry.cluster.version,
    );
    expect(versions).toEqual(['13', '3', '2.0', '2.0-rc.1', '1.10', '1.9', '1.0']);
  }
});

test('an id that is given is kept; one in use, or no UUID, is refused', async () => {
  const { server, configPort } = await start();
  const uuid = '1DCBB083-257F-11E4-BCBC-600308A8245E';
  expect((await put(configPort, { ...cluster('2', [server]), uuid })).text).toBe(uuid.toLowerCase());
  expect((await call(configPort, 'GET', `/${uuid}`)).status).toBe(200);
  expect((await put(configPort, { ...cluster('3', [server]), uuid })).status).toBe(409);
  expect((await put(configPort, { ...cluster('3', [server]), uuid: 'mine' })).status).toBe(400);
  expect(await listVersions(configPort)).toHaveLength(2);
});

test.for(['/00000000-0000-1000-8000-000000000000', '/not-a-uuid', '/1/2'])(
  'an unknown id is a 404: %s',
  async (path) => {
    const { configPort } = await start();
    for (const method of ['GET', 'DELETE']) {
      const answer = await call(configPort, method, path);
      expect([answer.status, answer.type]).toEqual([404, expect.stringMatching(/^text\/plain/)]);
      expect(answer.text.trim().split('\n')).toHaveLength(1);
    }
  },
);

test('the last serving version cannot be deleted', async () => {
  const { proxy, configPort } = await start();
  const [only] = await listVersions(configPort);
  const answer = await remove(configPort, only?.uuid as string);
  expect(answer.status).toBe(409);
  expect(answer.text.length).toBeGreaterThan(10);
  expect((await askOnce(proxy.port, '/')).text).toBe('old');
});

const wrong: readonly (readonly [string, string, RegExp])[] = [
  ['no JSON', 'hello', /./],
  ['half of it', '{"cluster": {"servers": [', /./],
  ['an array', '[]', /./],
  ['no cluster', '{}', /cluster/],
  ['no servers', '{"cluster": {"version": "2"}}', /servers/],
  ['an empty list', '{"cluster": {"servers": []}}', /servers/],
  ['a port as text', '{"cluster": {"servers": [{"hostname": "a", "port": "80"}]}}', /port/],
  ['a port out of range', '{"cluster": {"servers": [{"hostname": "a", "port": 65536}]}}', /port.*65536|65536.*port/],
  ['no host', '{"cluster": {"servers": [{"port": 80}]}}', /hostname|ip/],
  ['an unknown key', '{"cluster": {"servers": [{"hostname": "a", "port": 80}], "sevrers": 1}}', /sevrers/],
  [
    'an unknown mode',
    '{"cluster": {"servers": [{"hostname": "a", "port": 80}], "upgradeTransition": {"mode": "FAST"}}}',
    /FAST|INSTANT/,
  ],
  [
    'a timeout of 0',
    '{"cluster": {"servers": [{"hostname": "a", "port": 80}], "upgradeTransition": {"mode": "SESSION", "sessionTimeout": 0}}}',
    /sessionTimeout/,
  ],
  [
    '101 percent',
    '{"cluster": {"servers": [{"hostname": "a", "port": 80}], "upgradeTransition": {"mode": "GRADUAL", "percentageTransitionPerRequest": 101}}}',
    /percentageTransitionPerRequest/,
  ],
  [
    'a version of the wrong type',
    '{"cluster": {"servers": [{"hostname": "a", "port": 80}], "version": {}}}',
    /version/,
  ],
];

test.for(wrong)('a bad body is a 400 that names what is wrong, and changes nothing: %s', async ([, body, reason]) => {
  const { configPort } = await start();
  const answer = await call(configPort, 'PUT', '', body);
  expect([answer.status, answer.type]).toEqual([400, expect.stringMatching(/^text\/plain/)]);
  expect(answer.text).toMatch(reason);
  expect(answer.text.trim().split('\n')).toHaveLength(1);
  expect(answer.text).not.toMatch(/at .*\.[jt]s:\d+/);
  expect(await listVersions(configPort)).toHaveLength(1);
});

test('any Content-Type will do, and a body that comes in pieces', async () => {
  const { server, configPort } = await start();
  const body = JSON.stringify({ cluster: cluster('2', [server]) });
  const types = ['application/x-www-form-urlencoded', 'application/json', 'text/plain', 'application/octet-stream'];
  for (const type of types) {
    expect((await call(configPort, 'PUT', '', body, { 'Content-Type': type })).status).toBe(202);
  }
  const client = await connectTo(configPort);
  await client.flush(
    `PUT /configuration/cluster HTTP/1.1\r\nHost: 127.0.0.1:${configPort}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  for (const byte of body) await client.flush(byte);
  expect((await client.answer('PUT')).status).toBe(202);
});

test('a body over 1 MiB is a 413 that a client can read while it is still sending', async () => {
  const { configPort } = await start();
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const outgoing = request(
      { port: configPort, host: '127.0.0.1', method: 'PUT', path: '/configuration/cluster' },
      (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(Buffer.alloc(3 * 1024 * 1024, ' '));
  });
  expect(status).toBe(413);
  expect((await call(configPort, 'GET')).status).toBe(200);
});

test('a version may be a number', async () => {
  const { server, configPort } = await start();
  await putVersion(configPort, cluster(2 as unknown as string, [server]));
  expect((await listVersions(configPort)).map((shown) => shown.version)).toEqual(['2', '1.0']);
});

test('another method or path is 404 or 405', async () => {
  const { configPort } = await start();
  expect([404, 405]).toContain((await call(configPort, 'POST')).status);
  expect([404, 405]).toContain((await call(configPort, 'PUT', '/00000000-0000-1000-8000-000000000000', '{}')).status);
  expect((await fetch(`http://127.0.0.1:${configPort}/`)).status).toBe(404);
});

test.for([
  ['a foreign Host (DNS rebinding)', [['Host', 'evil.example']]],
  ['a foreign Origin', [['Origin', 'http://evil.example']]],
] as const)('a call with %s is refused', async ([, fields]) => {
  const { configPort } = await start();
  const host = fields.some(([name]) => name === 'Host') ? [] : [['Host', `127.0.0.1:${configPort}`] as const];
  const answer = await askOnce(configPort, { target: '/configuration/cluster', fields: [...host, ...fields] });
  expect([400, 403, 421]).toContain(answer.status);
});

test('PUT, GET and DELETE at the same time: each is answered rightly, and what is left is what was not deleted', async () => {
  const { server, proxy, configPort } = await start();
  const kept: string[] = [];
  let over = false;
  const reader = (async () => {
    while (!over) {
      const versions = await listVersions(configPort);
      expect(versions.at(-1)?.version).toBe('1.0');
      expect((await askOnce(proxy.port, '/')).status).toBe(200);
    }
  })();
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const mode = ['INSTANT', 'SESSION', 'GRADUAL', 'CONCURRENT'][n % 4] as string;
      const id = await putVersion(configPort, cluster(`2.${n}`, [server], { mode }));
      expect((await call(configPort, 'GET', `/${id}`)).status).toBe(200);
      if (n % 3 === 0) return void kept.push(id);
      const twice = await Promise.all([remove(configPort, id), remove(configPort, id)]);
      expect(twice.map((answer) => answer.status).sort()).toEqual([202, 404]);
    }),
  );
  over = true;
  await reader;
  const left = (await listVersions(configPort)).map((shown) => shown.uuid);
  expect(left).toHaveLength(kept.length + 1);
  for (const id of kept) expect(left).toContain(id);
});
