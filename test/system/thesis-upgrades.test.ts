/** The upgrades of the thesis's section 6.2, replayed with curl against the built `bin/cutover`. */
import { expect, test } from 'vitest';
import { type App, startApp } from '../kit/app.ts';
import { cluster, UUID_V1 } from '../kit/config-service.ts';
import { setCookie, setCookies } from '../kit/cookies.ts';
import { curl } from '../kit/curl.ts';
import { type ServingCutover, startChild } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';

/** The PUT of the thesis: curl sends it as a form. */
async function putCluster(cutover: ServingCutover, app: App, options: string): Promise<string> {
  const body = `{"cluster": {"servers":[{"hostname": "127.0.0.1", "port": ${app.port}}], "version": "${app.version}", "upgradeTransition": ${options}}}`;
  const answer = await curl('-v', cutover.configUrl, '-X', 'PUT', '--data', body);
  expect([answer.status, field(answer, 'content-length'), field(answer, 'content-type')]).toEqual([
    202,
    '36',
    'text/plain; charset=utf-8',
  ]);
  expect(answer.body).toMatch(UUID_V1);
  await cutover.process.log(/INFO - Received new cluster configuration:/);
  return answer.body;
}

function serving(count: number, app: App, mode: string): RegExp {
  const text = `INFO - Serving response ${count} from ip: [127.0.0.1] port: [${app.port}] version: [${app.version}] mode: [${mode}]`;
  return new RegExp(text.replace(/[[\].]/g, '\\$&'));
}

async function startOld(): Promise<{
  readonly old: App;
  readonly next: App;
  readonly cutover: ServingCutover;
  readonly oldId: string;
}> {
  const [old, next] = [await startApp('3.9.1'), await startApp('3.9.2')];
  const cutover = await startChild(cluster('3.9.1', [old]));
  const answer = await curl('-v', cutover.url);
  expect([answer.status, answer.body, field(answer, 'x-version')]).toEqual([200, '3.9.1', '3.9.1']);
  await cutover.process.log(serving(0, old, 'INSTANT'));
  const cookie = setCookie(answer, 'dynsoftup');
  expect(cookie?.value).toMatch(UUID_V1);
  expect(Object.keys(cookie?.attributes ?? {})).toEqual(expect.not.arrayContaining(['expires', 'max-age']));
  return { old, next, cutover, oldId: cookie?.value as string };
}

/** The new version is stopped: the next request is answered by the old one, and the log says what happened. */
async function expectTakenBack(
  { cutover, old, next, oldId }: Awaited<ReturnType<typeof startOld>>,
  id: string,
  ...args: readonly string[]
): Promise<void> {
  await next.stop();
  const answer = await curl('-v', cutover.url, ...args);
  expect([answer.status, answer.body, setCookie(answer, 'dynsoftup')?.value]).toEqual([200, old.version, oldId]);
  await cutover.process.log(
    new RegExp(`ERROR - Error communicating with server - dial tcp 127\\.0\\.0\\.1:${next.port}: connection refused`),
  );
  await cutover.process.log(
    new RegExp(`WARNING - Removing cluster from configuration - version: 3\\.9\\.2 \\[127\\.0\\.0\\.1:${next.port}\\]`),
  );
  expect((await curl(`${cutover.configUrl}/${id}`)).status).toBe(404);
  expect((await curl(cutover.url, ...args)).body).toBe(old.version);
}

test('the start echo shows the configuration and what was understood of it (6.2.1)', async () => {
  const apps = [await startApp('2.5.1'), await startApp('2.5.1'), await startApp('2.5.1')];
  const cutover = await startChild(cluster('2.5.1', apps), { args: ['-configFile=./config.json'] });
  await cutover.process.log(/NOTICE - Parsed config file:/);
  await cutover.process.log(/^as:\s*$/m);
  await cutover.process.log(new RegExp(`Proxy Address:\\s+0\\.0\\.0\\.0:${cutover.port}`));
  await cutover.process.log(new RegExp(`ConfigService Port:\\s+${cutover.configPort}`));
  const addresses = apps.map((app) => `127\\.0\\.0\\.1:${app.port}`).join(', ');
  await cutover.process.log(new RegExp(`Proxied Servers:\\s+version: \\[?2\\.5\\.1\\]?\\s+\\[${addresses}\\]`));
});

test('requests go round the servers of a cluster (6.2.1)', async () => {
  const apps = [await startApp('2.5'), await startApp('2.5'), await startApp('2.5')];
  const cutover = await startChild(cluster('2.5', apps));
  for (let n = 0; n < 6; n += 1) {
    expect((await curl('-v', `http://Administrator:password@127.0.0.1:${cutover.port}/pools/default`)).status).toBe(
      200,
    );
  }
  const served = [
    ...cutover.process.stderr.matchAll(/Serving response (\d) from ip: \[127\.0\.0\.1\] port: \[(\d+)\]/g),
  ];
  expect(served.map(([, count]) => count)).toEqual(['0', '1', '2', '3', '4', '5']);
  const ports = served.map(([, , port]) => Number(port));
  expect([...ports.slice(0, 3)].sort()).toEqual(apps.map((app) => app.port).sort());
  expect(ports.slice(3)).toEqual(ports.slice(0, 3));
});

test('INSTANT (6.2.2)', async () => {
  const stage = await startOld();
  const { cutover, next } = stage;
  const id = await putCluster(cutover, next, '{ "mode": "INSTANT" }');
  const answer = await curl('-v', cutover.url);
  expect([answer.body, setCookie(answer, 'dynsoftup')?.value]).toEqual(['3.9.2', id]);
  expect(setCookie(answer, 'dynsoftup')?.attributes).not.toHaveProperty('expires');
  await cutover.process.log(serving(0, next, 'INSTANT'));
  await expectTakenBack(stage, id);
});

test('SESSION (6.2.2)', async () => {
  const stage = await startOld();
  const { cutover, old, next, oldId } = stage;
  const id = await putCluster(cutover, next, '{ "mode": "SESSION", "sessionTimeout": 60 }');

  const fresh = await curl('-v', cutover.url);
  expect([fresh.body, setCookie(fresh, 'dynsoftup')?.value]).toEqual(['3.9.2', id]);
  const expires = Date.parse(setCookie(fresh, 'dynsoftup')?.attributes.expires ?? '');
  expect(Math.abs(expires - Date.now() - 60_000)).toBeLessThan(5000);
  expect(setCookie(fresh, 'dynsoftup')?.attributes['max-age']).toBe('60');
  const tail = ` session timeout \\[60\\] uuid \\[${id}\\]`;
  await cutover.process.log(new RegExp(serving(0, next, 'SESSION').source + tail));

  const session = await curl('-v', `${cutover.url}/`, '-H', `Cookie: dynsoftup=${oldId};`);
  expect([session.body, setCookie(session, 'dynsoftup')?.value]).toEqual(['3.9.1', oldId]);
  expect(setCookie(session, 'dynsoftup')?.attributes['max-age']).toBe('60');
  await cutover.process.log(serving(1, old, 'INSTANT'));

  await expectTakenBack(stage, id, '-H', `Cookie: dynsoftup=${id}`);
  // With the SESSION version gone the cookie has no expiry any more.
  expect(setCookies(await curl(cutover.url))[0]?.attributes).not.toHaveProperty('expires');
});

test('GRADUAL (6.2.2)', async () => {
  const stage = await startOld();
  const { cutover, next } = stage;
  const id = await putCluster(cutover, next, '{ "mode": "GRADUAL", "percentageTransitionPerRequest": 1 }');
  const cookie = ['-H', 'Cookie: transition=952c8557-2088-11e4-87e3-600308a8245e;'];
  const bodies: string[] = [];
  for (let n = 0; n < 5; n += 1) bodies.push((await curl('-v', `${cutover.url}/`, ...cookie)).body);
  expect(bodies).toEqual(['3.9.1', '3.9.1', '3.9.1', '3.9.2', '3.9.2']);
  for (const [count, counter] of [
    [0, '4.00'],
    [1, '5.00'],
  ] as const) {
    const tail = ` transition counter \\[${counter}\\] percentage transition per request \\[1\\.00\\]`;
    await cutover.process.log(new RegExp(serving(count, next, 'GRADUAL').source + tail));
  }
  const stranger = await curl(cutover.url);
  expect(
    setCookies(stranger)
      .map((set) => set.name)
      .sort(),
  ).toEqual(['dynsoftup', 'transition']);
  await expectTakenBack(stage, id, ...cookie);
});

test('CONCURRENT (6.2.2)', async () => {
  const stage = await startOld();
  const { cutover, old, next, oldId } = stage;
  const id = await putCluster(cutover, next, '{ "mode": "CONCURRENT"}');
  const answer = await curl('-v', cutover.url, '-H', 'X-Request-Id: both');
  expect([answer.body, setCookie(answer, 'dynsoftup')?.value]).toEqual(['3.9.2', id]);
  await cutover.process.log(serving(0, next, 'CONCURRENT'));
  await cutover.process.log(serving(1, old, 'INSTANT'));
  expect([old.served.get('both'), next.served.get('both')]).toEqual([1, 1]);

  // The new version's 5xx is dropped; the cookie names the version that answered.
  next.failing = true;
  const fallen = await curl('-v', cutover.url);
  expect([fallen.status, fallen.body, setCookie(fallen, 'dynsoftup')?.value]).toEqual([200, '3.9.1', oldId]);
  next.failing = false;
  await expectTakenBack(stage, id);
});

test('all modes: nothing but log lines is written, and never a stack trace', async () => {
  const stage = await startOld();
  const id = await putCluster(stage.cutover, stage.next, '{ "mode": "INSTANT" }');
  await expectTakenBack(stage, id);
  await stage.old.stop();
  const answer = await curl(stage.cutover.url);
  expect([502, 503]).toContain(answer.status);
  expect(answer.body.length).toBeGreaterThan(0);
  await stage.cutover.process.log(/ERROR - .*no version/i);
  expect(stage.cutover.process.stderr + answer.body).not.toMatch(/^\s+at .*:\d+:\d+/m);
});
