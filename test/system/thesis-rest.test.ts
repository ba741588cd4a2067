/** The REST API of the thesis's section 5.6 and chapter 8, replayed with curl against the built `bin/cutover`. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startApp } from '../kit/app.ts';
import { cluster, UUID_V1 } from '../kit/config-service.ts';
import { type CurlAnswer, curl } from '../kit/curl.ts';
import { startChild, temporaryFolder } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';

const EXAMPLE = (first: number, second: number): string =>
  `{"cluster": {"servers":[{"hostname": "127.0.0.1", "port": ${first}},{"hostname": "127.0.0.1", "port": ${second}}], "version": "1.1", "upgradeTransition": {"mode": "SESSION", "sessionTimeout": 60 }}}`;

async function start() {
  const [one, two] = [await startApp('1.1'), await startApp('1.1')];
  const cutover = await startChild(cluster('1.0', [await startApp('1.0')]));
  return { cutover, url: cutover.configUrl, body: EXAMPLE(one.port, two.port), one, two };
}

function expectLine(answer: CurlAnswer, status: number): void {
  expect(answer.status).toBe(status);
  expect(field(answer, 'content-type')).toMatch(/^text\/plain/);
  expect(answer.body.trim().split('\n')).toHaveLength(1);
}

test('PUT, GET and DELETE of chapter 8', async () => {
  const { cutover, url, body, one, two } = await start();
  const put = await curl(url, '-X', 'PUT', '--data', body);
  expect([put.status, field(put, 'content-length'), field(put, 'content-type')]).toEqual([
    202,
    '36',
    'text/plain; charset=utf-8',
  ]);
  expect(put.body).toMatch(UUID_V1);

  const get = await curl(`${url}/${put.body}`, '-X', 'GET');
  expect([get.status, field(get, 'content-type')]).toEqual([200, expect.stringMatching(/^application\/json/)]);
  expect(get.body.trim()).toBe(
    `{"cluster":{"servers":[{"hostname":"127.0.0.1","port":${one.port}},{"hostname":"127.0.0.1","port":${two.port}}],` +
      `"upgradeTransition":{"mode":"SESSION","sessionTimeout":60},"uuid":"${put.body}","version":"1.1"}}`,
  );

  for (const path of ['', '/']) {
    const list = await curl(`${url}${path}`);
    expect(list.status).toBe(200);
    const clusters = JSON.parse(list.body) as { cluster: { version: string; upgradeTransition: object } }[];
    expect(clusters.map((entry) => [entry.cluster.version, entry.cluster.upgradeTransition])).toEqual([
      ['1.1', { mode: 'SESSION', sessionTimeout: 60 }],
      ['1.0', { mode: 'INSTANT' }],
    ]);
  }

  expect((await curl(cutover.url)).body).toBe('1.1');
  const gone = await curl(`${url}/${put.body}`, '-X', 'DELETE');
  expect([gone.status, gone.body]).toEqual([202, '']);
  expect((await curl(cutover.url)).body).toBe('1.0');
  expectLine(await curl(`${url}/${put.body}`), 404);
  expectLine(await curl(`${url}/${put.body}`, '-X', 'DELETE'), 404);
});

test('servers may be given by ip, version and upgradeTransition may be left out', async () => {
  const { url, one } = await start();
  const put = await curl(
    url,
    '-X',
    'PUT',
    '--data',
    `{"cluster": {"servers": [{"ip": "127.0.0.1", "port": ${one.port}}]}}`,
  );
  const shown = JSON.parse((await curl(`${url}/${put.body}`)).body);
  expect(shown.cluster).toMatchObject({ version: '0.0', upgradeTransition: { mode: 'INSTANT' } });
});

test('the template of section 5.6.1, with every option present', async () => {
  const { url, one } = await start();
  const template = `{"cluster": {"servers": [{"hostname": "127.0.0.1", "port": ${one.port}}], "version": "1.2",
    "upgradeTransition": {"mode": "INSTANT", "sessionTimeout": 0, "percentageTransitionPerRequest": 0}}}`;
  expect((await curl(url, '-X', 'PUT', '--data', template)).status).toBe(202);
});

test.for([
  ['hello', /./],
  ['{"cluster": {}}', /servers/],
  ['{"cluster": {"servers": []}}', /servers/],
  ['{"cluster": {"servers": [{"hostname": "a", "port": 1}], "upgradeTransition": {"mode": "SLOW"}}}', /INSTANT/],
] as const)('400 Bad Request: %s', async ([body, reason]) => {
  const { url } = await start();
  const answer = await curl(url, '-X', 'PUT', '--data', body);
  expectLine(answer, 400);
  expect(answer.body).toMatch(reason);
  expect(JSON.parse((await curl(url)).body)).toHaveLength(1);
});

test('an id that is no id is a 404, and the last version can not be deleted', async () => {
  const { cutover, url } = await start();
  expectLine(await curl(`${url}/clusterId`), 404);
  const [only] = JSON.parse((await curl(url)).body) as { cluster: { uuid: string } }[];
  expectLine(await curl(`${url}/${only?.cluster.uuid}`, '-X', 'DELETE'), 409);
  expect((await curl(cutover.url)).body).toBe('1.0');
});

test('a body of a megabyte and more is 413', async () => {
  const { url } = await start();
  const answer = await curl(url, '-X', 'PUT', '--data', `{"cluster": "${'x'.repeat(100_000)}"}`);
  expect(answer.status).toBe(400);
  const file = `${temporaryFolder()}/big`;
  writeFileSync(file, ' '.repeat(2 * 1024 * 1024));
  expect((await curl(url, '-X', 'PUT', '--data-binary', `@${file}`)).status).toBe(413);
});
