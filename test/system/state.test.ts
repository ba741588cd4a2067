/** The state of `bin/cutover` on a real disk: killed at any moment, on a full disk, damaged, held by another one. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type App, startApp } from '../kit/app.ts';
import { call, cluster, listVersions, put, putVersion, remove, type WireCluster } from '../kit/config-service.ts';
import { curl } from '../kit/curl.ts';
import { type ServingCutover, spawnCutover, startChild, temporaryFolder } from '../kit/cutover.ts';
import { LoyalClient } from '../kit/loyal-clients.ts';
import { freePorts } from '../kit/ports.ts';
import { tinyDisk } from '../kit/tiny-disk.ts';

/** The default: a file beside the configuration. */
const KEPT = { state: undefined };
const FILE = 'config.state.json';
const JOURNAL = `${FILE}.journal`;
const isLinux = process.platform === 'linux';

const start = (first: WireCluster, after?: ServingCutover): Promise<ServingCutover> =>
  startChild(first, { config: KEPT, ...(after === undefined ? {} : { after }) });

async function kill(cutover: ServingCutover): Promise<void> {
  cutover.process.signal('SIGKILL');
  await cutover.process.exited;
}

const stateFile = (cutover: ServingCutover): string => join(cutover.folder, FILE);

const versionsOf = async (cutover: ServingCutover): Promise<readonly string[]> =>
  (await listVersions(cutover.configPort)).map(({ version }) => version);

test('what was acknowledged is there after kill -9: versions, ids, deletions', async () => {
  const [one, two, three] = await Promise.all([startApp('1'), startApp('2'), startApp('3')]);
  const first = cluster('1', [one]);
  const cutover = await start(first);
  expect(statSync(stateFile(cutover)).mode & 0o777).toBe(0o600);
  const id = await putVersion(cutover.configPort, cluster('2', [two], { mode: 'SESSION', sessionTimeout: 60 }));
  const gone = await putVersion(cutover.configPort, cluster('3', [three]));
  expect((await remove(cutover.configPort, gone)).status).toBe(202);
  const before = await call(cutover.configPort, 'GET', '/');
  await kill(cutover);
  expect(statSync(join(cutover.folder, JOURNAL)).mode & 0o777).toBe(0o600);

  const again = await start(first, cutover);
  expect((await call(again.configPort, 'GET', '/')).text).toBe(before.text);
  expect((await call(again.configPort, 'GET', `/${id}`)).status).toBe(200);
  expect((await call(again.configPort, 'GET', `/${gone}`)).status).toBe(404);
  expect((await curl(again.url)).body).toBe('2');
  await again.process.log(/NOTICE - The cluster of the configuration has been applied before: the state goes on/);
  again.process.signal('SIGTERM');
  await again.process.exited;
  expect(readdirSync(again.folder).sort()).toEqual(['config.json', FILE]);
});

const writtenVersions = (cutover: ServingCutover): readonly string[] =>
  (JSON.parse(readFileSync(stateFile(cutover), 'utf8')) as { versions: { spec: { version: string } }[] }).versions.map(
    ({ spec }) => spec.version,
  );

/** One that was killed before its document had the version that was put last. */
async function killedAhead(
  first: WireCluster,
  app: App,
  before?: ServingCutover,
): Promise<{ killed: ServingCutover; last: string }> {
  let killed = before;
  for (let n = 3; ; n += 2) {
    killed = await start(first, killed);
    // The first one after a start may have to wait for the document.
    for (const version of [n - 1, n]) await putVersion(killed.configPort, cluster(String(version), [app]));
    await kill(killed);
    if (!writtenVersions(killed).includes(String(n))) return { killed, last: String(n) };
  }
}

test('what the document lacks is in the journal', async () => {
  const app = await startApp('1');
  const first = cluster('1', [app]);
  const { killed, last } = await killedAhead(first, app);
  const again = await start(first, killed);
  expect((await versionsOf(again))[0]).toBe(last);
  while (!writtenVersions(again).includes(last)) await new Promise((resolve) => setTimeout(resolve, 50));
});

test('a copy of the state that is put back after kill -9 is the state', async () => {
  const app = await startApp('1');
  const first = cluster('1', [app]);
  const earlier = await start(first);
  earlier.process.signal('SIGTERM');
  await earlier.process.exited;
  const copy = readFileSync(stateFile(earlier));
  const { killed } = await killedAhead(first, app, earlier);
  writeFileSync(stateFile(killed), copy);
  expect(await versionsOf(await start(first, killed))).toEqual(['1']);
});

test.for([
  ['cut short', (path: string) => truncateSync(path, 300)],
  ['overwritten', (path: string) => writeFileSync(path, 'Dear diary')],
  [
    'a folder',
    (path: string) => {
      rmSync(path);
      mkdirSync(path);
    },
  ],
] as const)('a journal that is %s: the document is used, with a warning', async ([, damage]) => {
  const app = await startApp('1');
  const first = cluster('1', [app]);
  const { killed } = await killedAhead(first, app);
  damage(join(killed.folder, JOURNAL));
  const again = await start(first, killed);
  expect(await versionsOf(again)).toEqual(writtenVersions(killed));
  await again.process.log(/WARN.* journal ".*" .*: what was saved last may be missing/);
  const id = await putVersion(again.configPort, cluster('99', [app]));
  await kill(again);
  expect((await listVersions((await start(first, again)).configPort))[0]?.uuid).toBe(id);
});

test('a session finds its version again after kill -9', async () => {
  const [one, two] = await Promise.all([startApp('1'), startApp('2')]);
  const first = cluster('1', [one], { mode: 'SESSION', sessionTimeout: 60 });
  const cutover = await start(first);
  const [old] = await listVersions(cutover.configPort);
  await putVersion(cutover.configPort, cluster('2', [two], { mode: 'SESSION', sessionTimeout: 60 }));
  await kill(cutover);
  const again = await start(first, cutover);
  expect((await curl('--cookie', `dynsoftup=${old?.uuid}`, again.url)).body).toBe('1');
  expect((await curl(again.url)).body).toBe('2');
});

test('kill -9 at random moments of a GRADUAL release under load: no client goes back', async () => {
  const [one, two] = await Promise.all([startApp('1'), startApp('2')]);
  const first = cluster('1', [one]);
  let cutover = await start(first);
  const id = await putVersion(
    cutover.configPort,
    cluster('2', [two], { mode: 'GRADUAL', percentageTransitionPerRequest: 0.05 }),
  );
  const clients = Array.from({ length: 12 }, () => new LoyalClient());
  // From here on a document that lags behind has somebody to lose.
  while (clients.every(({ last }) => last !== '2'))
    await Promise.all(clients.map((client) => client.ask(cutover.port)));
  const delays: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    const delayMs = Math.floor(Math.random() * 300);
    delays.push(delayMs);
    const asking = clients.map((client) => client.askUntilCut(cutover.port));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await kill(cutover);
    await Promise.all(asking);
    cutover = await start(first, cutover);
    await Promise.all(clients.map((client) => client.ask(cutover.port)));
    const moments = `killed after ${delays.join(', ')} ms`;
    expect(
      clients.flatMap(({ stepsBack }) => stepsBack),
      moments,
    ).toEqual([]);
    expect((await listVersions(cutover.configPort)).map(({ uuid }) => uuid)[0], moments).toBe(id);
  }
});

test('a PUT under kill -9: answered, it is there; not answered, it is whole or not there', async () => {
  const [one, two] = await Promise.all([startApp('1'), startApp('2')]);
  const first = cluster('1', [one]);
  let cutover = await start(first);
  const accepted: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    const answered = Promise.withResolvers<void>();
    const putting = (async () => {
      for (let n = 0; ; n += 1) {
        const answer = await put(cutover.configPort, cluster(`2.${round}.${n}`, [two])).catch(() => null);
        if (answer === null) return;
        accepted.push(answer.text);
        answered.resolve();
      }
    })();
    // In every other round the very first PUT may meet the kill.
    if (round % 2 === 0) await answered.promise;
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
    await kill(cutover);
    await putting;
    cutover = await start(first, cutover);
    const there = new Set((await listVersions(cutover.configPort)).map(({ uuid }) => uuid));
    expect(accepted.filter((id) => !there.has(id))).toEqual([]);
    expect(there.size).toBeLessThanOrEqual(accepted.length + 2 + round);
  }
  expect(accepted.length).toBeGreaterThan(0);
});

test('a version that has failed stays failed, and an orderly end keeps a threshold', async () => {
  const [one, two, three] = await Promise.all([startApp('1'), startApp('2'), startApp('3')]);
  const first = cluster('1', [one]);
  const cutover = await start(first);
  const id = await putVersion(cutover.configPort, cluster('2', [two], { mode: 'SESSION' }));
  await two.stop();
  while ((await call(cutover.configPort, 'GET', `/${id}`)).status === 200) await curl(cutover.url);
  await putVersion(cutover.configPort, cluster('3', [three], { mode: 'GRADUAL', percentageTransitionPerRequest: 7 }));
  for (let i = 0; i < 3; i += 1) expect((await curl(cutover.url)).exitCode).toBe(0);
  cutover.process.signal('SIGTERM');
  expect(await cutover.process.exited).toEqual({ code: 0, signal: null });
  expect(JSON.parse(readFileSync(stateFile(cutover), 'utf8')).versions).toMatchObject([
    { phase: 'releasing', threshold: 28, raises: 3 },
    { phase: 'failed' },
    { phase: 'stable' },
  ]);
  const again = await start(first, cutover);
  expect(await versionsOf(again)).toEqual(['3', '1']);
  expect((await call(again.configPort, 'GET', `/${id}`)).status).toBe(404);
});

test('the configuration file against the state: a changed cluster is a PUT, an unchanged one is not', async () => {
  const [one, two] = await Promise.all([startApp('1'), startApp('2')]);
  const cutover = await start(cluster('1', [one]));
  await kill(cutover);
  const second = await start(cluster('2', [two]), cutover);
  expect(await versionsOf(second)).toEqual(['2', '1']);
  expect((await curl(second.url)).body).toBe('2');
  const [, old] = await listVersions(second.configPort);
  expect((await remove(second.configPort, old?.uuid ?? '')).status).toBe(202);
  await kill(second);
  const third = await start(cluster('2', [two]), second);
  expect(await versionsOf(third)).toEqual(['2']);
});

test('"state": null keeps nothing', async () => {
  const app = await startApp('1');
  const cutover = await startChild(cluster('1', [app]));
  await putVersion(cutover.configPort, cluster('2', [app]));
  await kill(cutover);
  expect(readdirSync(cutover.folder)).toEqual(['config.json']);
  const again = await startChild(cluster('1', [app]), { after: cutover });
  expect(await versionsOf(again)).toEqual(['1']);
});

test.skipIf(!isLinux)('a second Cutover on one state is refused, and may have it once the first is gone', async () => {
  const app = await startApp('1');
  const cutover = await start(cluster('1', [app]));
  const [port, configPort] = await freePorts(2);
  const other = join(cutover.folder, 'other.json');
  const config = {
    proxy: { port },
    configService: { port: configPort },
    state: { file: FILE },
    cluster: cluster('9', [app]),
  };
  writeFileSync(other, JSON.stringify(config));
  const second = spawnCutover(['-configFile=other.json'], cutover.folder);
  expect(await second.exited).toEqual({ code: 1, signal: null });
  expect(second.stderr).toBe(`The state "${stateFile(cutover)}" is in use by another Cutover\n`);
  expect(writtenVersions(cutover)).toEqual(['1']);
  await kill(cutover);
  const third = spawnCutover(['-configFile=other.json', '-logLevel=NOTICE'], cutover.folder);
  await third.log(/Version 1 .* is restored: stable/);
});

test('a damaged state is set aside with an error, and the configuration is used', async () => {
  const app = await startApp('1');
  const first = cluster('1', [app]);
  const cutover = await start(first);
  await putVersion(cutover.configPort, cluster('2', [app]));
  await kill(cutover);
  truncateSync(stateFile(cutover), 300);
  const again = await start(first, cutover);
  expect(await versionsOf(again)).toEqual(['1']);
  const aside = readdirSync(again.folder).find((name) => name.startsWith(`${FILE}.damaged-20`));
  expect(statSync(join(again.folder, aside ?? '')).size).toBe(300);
  await again.process.log(/ERROR - The state ".*" is damaged .* the configuration is used/);
  expect(existsSync(stateFile(again))).toBe(true);
});

/** A state file that Cutover can't start with: the configuration's `state`, and how to prepare the folder. */
const UNUSABLE: readonly [string, string, (folder: string) => void, RegExp][] = [
  [
    'a newer format',
    FILE,
    (folder) => writeFileSync(join(folder, FILE), '{"format": 99}'),
    /^The state ".*" has format 99 and this Cutover reads formats up to [0-9]+: start a newer one, or move the file away\n$/,
  ],
  [
    'a folder that is not there',
    'no/where',
    () => {},
    /^Opening the state ".*no\/where" failed: its folder: no such file\n$/,
  ],
  [
    'a folder in place of the file',
    'folder',
    (folder) => mkdirSync(join(folder, 'folder')),
    /^Reading the state ".*" failed: it is a directory\n$/,
  ],
  [
    'a folder that nobody may write',
    '/sys/cutover.json',
    () => {},
    /^Writing beside the state "\/sys\/cutover\.json" failed: .*; "state\.file" can name another place, and "state": null keeps nothing\n$/,
  ],
];

test.for(UNUSABLE)('%s: exit code 2 and one line', async ([name, file, prepare, line], context) => {
  context.skip(name === 'a folder that nobody may write' && !isLinux, 'needs /sys');
  const folder = temporaryFolder();
  prepare(folder);
  const [port, configPort] = await freePorts(2);
  const first = cluster('1', [{ port: 1 }]);
  const config = { proxy: { port }, configService: { port: configPort }, state: { file }, cluster: first };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const cutover = spawnCutover([], folder);
  expect(await cutover.exited).toEqual({ code: 2, signal: null });
  expect(cutover.stderr).toMatch(line);
});

/** Enough servers that the state of this version needs room. */
const large = (app: App): WireCluster =>
  cluster(
    '2',
    Array.from({ length: 400 }, () => app),
  );

/** A change that does not fit is refused, nothing changes, and traffic goes on. */
async function expectRefused(cutover: ServingCutover, app: App, reason: RegExp): Promise<void> {
  const before = await call(cutover.configPort, 'GET', '/');
  const refused = await put(cutover.configPort, large(app));
  expect([refused.status, refused.type]).toEqual([507, 'text/plain; charset=utf-8']);
  expect(refused.text).toMatch(reason);
  expect((await call(cutover.configPort, 'GET', '/')).text).toBe(before.text);
  for (let i = 0; i < 3; i += 1) expect((await curl(cutover.url)).body).toBe('1');
  await cutover.process.log(/ERROR - Writing (beside )?the state .* changes are refused until it succeeds/);
}

test('a state that would be larger than the process may write: 507, and traffic goes on', async () => {
  const app = await startApp('1');
  const first = cluster('1', [app]);
  const cutover = await startChild(first, { config: KEPT, shell: 'ulimit -f 16' });
  await expectRefused(cutover, app, /^Writing the state ".*" failed: the file would be larger than is allowed\n$/);
  expect(readdirSync(cutover.folder).sort()).toEqual(['config.json', FILE]);
  await putVersion(cutover.configPort, cluster('1.1', [app]));
  await kill(cutover);
  const again = await start(first, cutover);
  expect(await versionsOf(again)).toEqual(['1.1', '1']);
});

test('a full disk: 507, traffic and releases go on, and changes are taken again once there is room', async (context) => {
  const disk = tinyDisk();
  if (disk === null) return context.skip('mounting a tmpfs needs root');
  const app = await startApp('1');
  const first = cluster('1', [app]);
  const config = { state: { file: join(disk.folder, 'state.json') } };
  const cutover = await startChild(first, { config });
  disk.fill();
  await expectRefused(cutover, app, /^Writing the state ".*" failed: no space left on the device\n$/);
  await kill(cutover);
  const again = await startChild(first, { config, after: cutover });
  await again.process.log(/ERROR - Writing beside the state .* no space left/);
  await expectRefused(again, app, /no space left/);
  disk.makeRoom();
  await putVersion(again.configPort, large(app));
  await again.process.log(/NOTICE - The state ".*" is written again/);
});
