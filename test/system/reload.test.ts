/** `cutover reload` and SIGHUP: another configuration or newer code takes over, and no request notices; what is wrong changes nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusView } from '../../src/client.ts';
import { startApp } from '../kit/app.ts';
import { call, cluster, listVersions, putVersion, type WireCluster } from '../kit/config-service.ts';
import { setCookie } from '../kit/cookies.ts';
import { curl } from '../kit/curl.ts';
import { type ServingCutover, spawnCutover, startChild, temporaryFolder } from '../kit/cutover.ts';
import { installAt } from '../kit/install.ts';
import { field } from '../kit/messages.ts';
import { freePorts } from '../kit/ports.ts';
import { childrenOf } from '../kit/processes.ts';
import { askOnce, connectTo, type RawClient, requestText } from '../kit/raw-client.ts';
import { answers, answersExcept, responseText, startServer } from '../kit/scripted-server.ts';

const CLIENTS = process.env.CUTOVER_TEST_FULL === undefined ? 200 : 1000;

const children = (cutover: ServingCutover) => childrenOf(cutover.process.child.pid as number);

/** Changes the configuration file. */
function edit(cutover: ServingCutover, changes: Readonly<Record<string, unknown>>): void {
  const file = join(cutover.folder, 'config.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...changes }));
}

async function reload(cutover: ServingCutover) {
  const command = spawnCutover(['reload', '--url', `127.0.0.1:${cutover.configPort}`], cutover.folder);
  const { code } = await command.exited;
  return { code, out: command.stdout, err: command.stderr };
}

const versionsOf = async (cutover: ServingCutover) =>
  (await listVersions(cutover.configPort)).map(({ version }) => version);

async function start(first: WireCluster, state: null | undefined = null): Promise<ServingCutover> {
  return startChild(first, { config: { state } });
}

test('a changed cluster is a PUT, by the processes that are there; the same one is nothing', async () => {
  const [one, two] = await Promise.all([startApp('1'), startApp('2')]);
  const cutover = await start(cluster('1', [one]));
  const before = children(cutover);
  expect(await reload(cutover)).toEqual({ code: 0, out: 'Nothing has changed\n', err: '' });
  edit(cutover, { cluster: cluster('2', [two]) });
  expect(await reload(cutover)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^The cluster of the configuration is put as [0-9a-f-]{36}\n$/),
  });
  expect((await curl(cutover.url)).body).toBe('2');
  expect(await versionsOf(cutover)).toEqual(['2', '1']);
  expect(children(cutover)).toEqual(before);
});

test('a cluster that is not ready is told of as by put: while it is starting, and when it has failed', async () => {
  const cutover = await start(cluster('1', [await startApp('1')]));
  const [port] = (await freePorts(1)) as [number];
  edit(cutover, { cluster: cluster('2', [{ port }]) });
  const starting = /^Version 2 is still starting: It was put; not ready yet \(.*: connection refused, \d+ tries\)\. /;
  expect(await reload(cutover)).toMatchObject({ code: 0, err: expect.stringMatching(starting) });
  edit(cutover, { cluster: cluster('3', [{ port }], { readyTimeout: 0.2 }) });
  const failed = /^Version 3 has failed: It served nobody: /;
  expect(await reload(cutover)).toMatchObject({ code: 1, err: expect.stringMatching(failed) });
  // The same where other processes take over, which are told of as well.
  edit(cutover, { cluster: cluster('4', [{ port }]), timeouts: { connect: 2 } });
  const { code, out, err } = await reload(cutover);
  expect(code).toBe(0);
  expect(out).toMatch(
    /^new processes serve, one worker drains; the cluster of the configuration is put as [0-9a-f-]{36}\n$/,
  );
  expect(err).toMatch(/^Version 4 is still starting: /);
  expect((await curl(cutover.url)).body).toBe('1');
});

test.for([[null], [undefined]] as const)(
  'another configuration: new processes with all that was known (state: %j)',
  async ([state]) => {
    const [one, two] = await Promise.all([startApp('1'), startApp('2')]);
    const cutover = await start(cluster('1', [one]), state);
    const id = await putVersion(cutover.configPort, cluster('2', [two], { mode: 'SESSION', sessionTimeout: 60 }));
    const before = await call(cutover.configPort, 'GET', '/');
    const old = children(cutover);
    edit(cutover, { workers: 2, cookies: { version: 'sweet' } });
    expect(await reload(cutover)).toMatchObject({ code: 0, out: 'new processes serve, one worker drains\n' });
    expect((await call(cutover.configPort, 'GET', '/')).text).toBe(before.text);
    expect(setCookie(await askOnce(cutover.port, '/'), 'sweet')?.value).toBe(id);
    await untilChildren(cutover, 2);
    const now = children(cutover);
    expect([now.control.length, now.workers.length]).toEqual([1, 2]);
    expect([...now.control, ...now.workers].filter((pid) => [...old.control, ...old.workers].includes(pid))).toEqual(
      [],
    );
  },
);

test('a file that is wrong changes nothing, and the reason is told: by the command, and after SIGHUP in the log', async () => {
  const cutover = await start(cluster('1', [await startApp('1')]));
  const before = children(cutover);
  edit(cutover, { workers: 'many' });
  const reason = '"workers" must be a whole number from 0 to 1024 or "auto", not "many"';
  const { code, err } = await reload(cutover);
  expect([code, err]).toEqual([1, expect.stringContaining(reason)]);
  expect((await curl(cutover.url)).body).toBe('1');
  edit(cutover, { workers: 1, state: { file: 'elsewhere.json' } });
  cutover.process.signal('SIGHUP');
  await cutover.process.log(/ERROR - Reload failed, everything is as before: "state" can be changed by a restart only/);
  // The process that has read the file ends a moment later.
  await untilChildren(cutover, 1);
  expect(children(cutover)).toEqual(before);
});

test('another port: it is open when the reload is done, and the old one is closed', async () => {
  const cutover = await start(cluster('1', [await startApp('1')]));
  const [port, taken] = [...(await freePorts(1)), (await startApp('x')).port];
  edit(cutover, { proxy: { port: taken } });
  expect(await reload(cutover)).toMatchObject({ code: 1, err: expect.stringMatching(/port .* failed: it is in use/) });
  edit(cutover, { proxy: { port } });
  expect((await reload(cutover)).code).toBe(0);
  expect((await curl(`http://127.0.0.1:${port}`)).body).toBe('1');
  while ((await curl(cutover.url)).exitCode !== 7) {}
});

test('newly installed code takes over; code that does not start is told, and changes nothing', async () => {
  const app = await startApp('1');
  const install = temporaryFolder();
  const program = installAt(install, 'one');
  const cutover = await startChild(cluster('1', [app]), { bin: program });
  const before = children(cutover);
  installAt(install, 'two');
  writeFileSync(join(install, 'two/dist/worker.js'), 'throw new Error("broken");\n');
  const failed = await reload(cutover);
  expect(failed).toMatchObject({
    code: 1,
    err: expect.stringMatching(/Starting a worker failed: it ended with exit code 1/),
  });
  expect(children(cutover)).toEqual(before);
  expect((await curl(cutover.url)).body).toBe('1');
  expect(await versionsOf(cutover)).toEqual(['1']);

  // It starts, and fails when it is to be in charge: the old one takes its place again.
  installAt(install, 'worse');
  const part = join(install, 'worse/dist/assemble-control.js');
  const text = readFileSync(part, 'utf8');
  expect(text).toContain('async begin(socket) {');
  writeFileSync(part, text.replace('async begin(socket) {', "async begin(socket) { throw new Error('broken inside');"));
  const id = await putVersion(cutover.configPort, cluster('2', [await startApp('2')]));
  expect(await reload(cutover)).toMatchObject({ code: 1, err: expect.stringMatching(/broken inside/) });
  expect((await curl(cutover.url)).body).toBe('2');
  expect((await call(cutover.configPort, 'GET', `/${id}/status`)).status).toBe(200);
  await untilChildren(cutover, 1);
  expect(children(cutover)).toEqual(before);

  installAt(install, 'three');
  expect(await reload(cutover)).toMatchObject({ code: 0, out: 'new processes serve, one worker drains\n' });
  await untilChildren(cutover, 1);
  const [control] = children(cutover).control;
  expect(readFileSync(`/proc/${control}/cmdline`, 'utf8')).toContain(join(install, 'three/dist/control.js'));
  expect((await curl(cutover.url)).body).toBe('2');
  expect(await versionsOf(cutover)).toEqual(['2', '1']);
});

/** Waits for the old processes to end; another process has no event to offer. */
async function untilChildren(cutover: ServingCutover, workers: number): Promise<void> {
  for (let now = children(cutover); now.control.length + now.workers.length > 1 + workers; now = children(cutover)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('busy keep-alive connections lose no request through reloads, and each counts once', {
  timeout: 120_000,
}, async () => {
  const [server, next] = [await startServer(answers('ok')), await startServer(answers('ok'))];
  const cutover = await start(cluster('1', [server]));
  const percent = 0.0001;
  const options = { mode: 'GRADUAL', percentageTransitionPerRequest: percent };
  const id = await putVersion(cutover.configPort, cluster('2', [next], options));
  let over = false;
  let answered = 0;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!over) {
      const client = await connectTo(cutover.port);
      await askUntilClosed(client, () => {
        answered += 1;
        return over;
      });
    }
  });
  for (const connect of [2, 3]) {
    await server.arrival(server.arrivals.length + 5 * CLIENTS);
    edit(cutover, { timeouts: { connect } });
    expect(await reload(cutover)).toMatchObject({ code: 0 });
  }
  over = true;
  await Promise.all(clients);
  expect(cutover.process.stderr).not.toContain('ERROR');
  const status = async (): Promise<StatusView> =>
    JSON.parse((await call(cutover.configPort, 'GET', `/${id}/status`)).text);
  const counted = ({ evidence, baseline }: StatusView) => (evidence?.answered ?? 0) + (baseline?.requests ?? 0);
  while (counted(await status()) < answered) await new Promise((resolve) => setTimeout(resolve, 20));
  const told = await status();
  expect(counted(told)).toBe(answered);
  expect(told.threshold).toBeCloseTo(percent * (1 + answered), 6);
});

/** Asks until an answer says that the connection closes, or nothing more is wanted. */
async function askUntilClosed(client: RawClient, isOver: () => boolean): Promise<void> {
  for (;;) {
    const answer = await client.ask('/');
    expect([answer.status, answer.text]).toEqual([200, 'ok']);
    const isOverNow = isOver();
    if (field(answer, 'connection') === 'close') {
      expect((await client.closed()).how).toBe('fin');
      break;
    }
    if (isOverNow) break;
  }
  client.end();
}

test('reloads while versions are put and deleted: no call fails, and what a table waits for is heard to the end', {
  timeout: 120_000,
}, async () => {
  const app = await startApp('1');
  const cutover = await start(cluster('1', [app]), undefined);
  const url = `http://127.0.0.1:${cutover.configPort}/configuration/cluster`;
  let isOver = false;
  const upheaval = async (name: string): Promise<void> => {
    const body = JSON.stringify({ cluster: cluster(name, [app], { mode: 'INSTANT', regretWindow: 0 }) });
    while (!isOver) {
      const put = await curl(url, '--request', 'PUT', '--data', body);
      expect(put).toMatchObject({ exitCode: 0, status: 202 });
      expect(await curl(`${url}/${put.body}`, '--request', 'DELETE')).toMatchObject({ exitCode: 0, status: 202 });
    }
  };
  const upheavals = ['a', 'b', 'c'].map(upheaval);
  for (let count = 0; count < 8; count += 1) {
    edit(cutover, { timeouts: { connect: 1 + (count % 2) } });
    expect(await reload(cutover)).toMatchObject({ code: 0, err: '' });
  }
  isOver = true;
  await Promise.all(upheavals);
  expect((await curl(cutover.url)).body).toBe('1');
});

test('a reload while control and a worker are about to be started anew: there is one of each then, and no more', async () => {
  const cutover = await start(cluster('1', [await startApp('1')]), undefined);
  const main = cutover.process;
  // The more often one has ended, the longer its successor waits: 0.8 s at last.
  for (let deaths = 0; deaths < 5; deaths += 1) {
    await versionsOf(cutover);
    expect((await curl(cutover.url)).body).toBe('1');
    const { control, workers } = children(cutover);
    for (const pid of [...control, ...workers]) {
      process.kill(pid, 'SIGKILL');
      await main.log(new RegExp(`\\(${pid}\\) was ended by SIGKILL`));
    }
  }
  edit(cutover, { timeouts: { connect: 2 } });
  main.signal('SIGHUP');
  await main.log(/Reloaded: new processes serve/);
  const { control, workers } = children(cutover);
  expect([control.length, workers.length]).toEqual([1, 1]);
  // Nothing is to happen, so there is nothing else to wait for.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(children(cutover)).toEqual({ control, workers });
  expect(await versionsOf(cutover)).toEqual(['1']);
});

test('SIGTERM in the middle of a reload: it is given up, what is in flight finishes, and nothing is left', async () => {
  const server = await startServer(answersExcept('/slow', 'ok'));
  const cutover = await start(cluster('1', [server]));
  const client = await connectTo(cutover.port);
  client.send(requestText({ target: '/slow' }));
  const slow = await server.arrival(0);
  edit(cutover, { timeouts: { connect: 2 } });
  cutover.process.signal('SIGHUP');
  // The new control has been started, and needs a while to load.
  while (children(cutover).control.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  cutover.process.signal('SIGTERM');
  await cutover.process.log(/Reload given up: Cutover stops/);
  slow.send(responseText(200, 'slow'));
  expect((await client.answer()).text).toBe('slow');
  client.end();
  expect(await cutover.process.exited).toEqual({ code: 0, signal: null });
  expect(cutover.process.stderr).not.toContain('ERROR');
});
