/** The life of a version that is given by its containers, on a real engine. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { call, put } from '../kit/config-service.ts';
import { type RunningCutover, startChild, startProxy } from '../kit/cutover.ts';
import { removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, buildAppImage } from '../kit/images.ts';

const engine = sharedEngine();
const { docker, socketPath } = engine;
const IMAGE = 'cutover-test-life';

beforeAll(async () => {
  for (const version of ['1.0', '2.0']) await buildAppImage(engine, `${IMAGE}:${version}`, { version });
  await buildAppImage(engine, `${IMAGE}:late`, { version: 'late', behaviour: 'late' });
  await buildAppImage(engine, `${IMAGE}:well`, { version: 'well', healthcheck: 'passes' });
  await buildAppImage(engine, `${IMAGE}:ill`, { version: 'ill', healthcheck: 'fails' });
  await buildAppImage(engine, `${IMAGE}:exits`, { version: 'exits', behaviour: 'exits' });
  await buildAppImage(engine, `${IMAGE}:silent`, { version: 'silent', behaviour: 'silent' });
});
afterEach(() => removeContainers(engine));

const versionOf = (tag: string, more: object = {}, transition: object = {}) => ({
  version: tag,
  containers: [{ image: IMAGE, tag, portToProxy: APP_PORT, stopTimeout: 1, dockerHost: { socketPath }, ...more }],
  upgradeTransition: { mode: 'INSTANT', ...transition },
});

async function answer(port: number): Promise<{ status: number; text: string }> {
  const got = await fetch(`http://127.0.0.1:${port}/`);
  return { status: got.status, text: await got.text() };
}

/** Until the version serves. */
async function serving(proxy: { readonly port: number }, version: string): Promise<void> {
  for (;;) {
    const { text } = await answer(proxy.port);
    if (text === version) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const ours = async () => {
  const containers = await docker.listContainers({ all: true, filters: { label: ['cutover.id'] } });
  return containers.filter(({ Labels }) => Labels[engine.label.key] === engine.label.value);
};

/** What clients are told until the version serves. */
async function toldUntil(proxy: RunningCutover, version: string): Promise<ReadonlySet<string>> {
  const told = new Set<string>();
  for (;;) {
    const got = await fetch(`http://127.0.0.1:${proxy.port}/`);
    if ((await got.text()) === version) return told;
    told.add(`${got.status}, Retry-After: ${got.headers.get('retry-after')}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('while nothing serves: both ports are open at once, and clients get 503 until the application listens', async () => {
  const proxy = await startProxy(versionOf('late'));
  expect(await toldUntil(proxy, 'late')).toEqual(new Set(['503, Retry-After: 1']));
  const [container] = await ours();
  expect(container?.Labels).toMatchObject({ 'cutover.service': 'default', 'cutover.version': 'late' });
  // The same when it has to be started again.
  await docker.getContainer(container?.Id ?? '').kill();
  expect(await toldUntil(proxy, 'late')).toEqual(new Set(['503, Retry-After: 1']));
});

test('a container with a health check takes traffic once its engine finds it healthy, and not when it finds it unhealthy', async () => {
  const proxy = await startProxy(versionOf('1.0'));
  await serving(proxy, '1.0');
  const ill = await put(proxy.configPort, versionOf('ill', {}, { readyTimeout: 0.5 }));
  expect(ill.text.trimEnd().split('\n').at(-1)).toMatch(/^error: .*container ".*" is unhealthy/);
  await put(proxy.configPort, versionOf('well', {}, { readyTimeout: 0.5 }));
  expect(await answer(proxy.port)).toEqual({ status: 200, text: 'well' });
  const container = (await ours()).find(({ Labels }) => Labels['cutover.version'] === 'well');
  const { State } = await docker.getContainer(container?.Id ?? '').inspect();
  expect(State.Health?.Status).toBe('healthy');
});

test('an engine that comes up after Cutover: a PUT is told at once, the version of the file serves when the engine is there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-engine-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dockerHost = { socketPath: join(folder, 'docker.sock') };
  const proxy = await startProxy(versionOf('1.0', { dockerHost }));
  await proxy.log.line('WARNING', /could not be started yet/);
  const answered = await put(proxy.configPort, versionOf('2.0', { dockerHost }));
  expect(answered.text.trimEnd().split('\n').at(-1)).toMatch(/^error: .*does not answer/);
  expect(await answer(proxy.port)).toMatchObject({ status: 503 });
  symlinkSync(socketPath, dockerHost.socketPath);
  await serving(proxy, '1.0');
});

test('a reload with another version while the engine is away: that one is tried again too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-engine-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dockerHost = { socketPath: join(folder, 'docker.sock') };
  const cutover = await startChild(versionOf('1.0', { dockerHost }));
  await cutover.process.log(/containers of version 1\.0 could not be started yet, and are tried again/);
  const file = join(cutover.folder, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...config, cluster: versionOf('2.0', { dockerHost }) }));
  cutover.process.signal('SIGHUP');
  await cutover.process.log(/containers of version 2\.0 could not be started yet, and are tried again/);
  expect(await answer(cutover.port)).toMatchObject({ status: 503 });
  symlinkSync(socketPath, dockerHost.socketPath);
  await serving(cutover, '2.0');
});

test('an upgrade by image: progress, the id last, the old containers go when the new version is stable', async () => {
  const proxy = await startProxy(versionOf('1.0'));
  await serving(proxy, '1.0');
  const answered = await put(proxy.configPort, versionOf('2.0', {}, { regretWindow: 0.5 }));
  expect(answered.status).toBe(202);
  const lines = answered.text.trimEnd().split('\n');
  const id = lines.at(-1) ?? '';
  expect(lines).toEqual(
    expect.arrayContaining([expect.stringMatching(/^created /), expect.stringMatching(/^started /)]),
  );
  expect(await answer(proxy.port)).toEqual({ status: 200, text: '2.0' });
  await proxy.log.line('NOTICE', /is stable|over: stable/);
  while ((await ours()).length > 1) await new Promise((resolve) => setTimeout(resolve, 50));
  const shown = JSON.parse((await call(proxy.configPort, 'GET', `/${id}`)).text);
  expect(shown.cluster.containers).toHaveLength(1);
  expect(shown.cluster.servers).toEqual([{ hostname: '127.0.0.1', port: expect.any(Number) }]);
});

describe('a candidate that is no good', () => {
  test.each([
    ['exits', /exited with code 3/],
    ['silent', /not ready within 1 s/],
  ])('%s: the PUT says why, nobody saw it, nothing is left of it', async (tag, reason) => {
    const proxy = await startProxy(versionOf('1.0'));
    await serving(proxy, '1.0');
    const answered = await put(proxy.configPort, versionOf(tag, {}, { readyTimeout: 1 }));
    expect(answered.text.trimEnd().split('\n').at(-1)).toMatch(reason);
    expect(await answer(proxy.port)).toEqual({ status: 200, text: '1.0' });
    while ((await ours()).length > 1) await new Promise((resolve) => setTimeout(resolve, 50));
  });
});
