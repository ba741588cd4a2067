/** Cutover killed with -9 in each phase of a release and started again; back to a version whose containers are gone. */
import { afterEach, beforeAll, expect, test } from 'vitest';
import { call, put } from '../kit/config-service.ts';
import { type ServingCutover, startChild, startProxy } from '../kit/cutover.ts';
import { removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, buildAppImage } from '../kit/images.ts';

const engine = sharedEngine();
const { docker, socketPath } = engine;
const IMAGE = 'cutover-test-phases';

beforeAll(async () => {
  for (const version of ['1.0', '2.0']) await buildAppImage(engine, `${IMAGE}:${version}`, { version });
  await buildAppImage(engine, `${IMAGE}:silent`, { version: 'silent', behaviour: 'silent' });
});
afterEach(() => removeContainers(engine));

const versionOf = (tag: string, transition: object = {}) => ({
  version: tag === 'silent' ? '2.0' : tag,
  containers: [{ image: IMAGE, tag, portToProxy: APP_PORT, stopTimeout: 1, dockerHost: { socketPath } }],
  upgradeTransition: { mode: 'INSTANT', ...transition },
});

const CONFIG = { config: { state: { file: 'state.json' } } };

async function answerOf(port: number): Promise<string> {
  const got = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
  return got === null ? '' : got.text();
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 25));
}

const containers = () =>
  docker.listContainers({ all: true, filters: { label: [`${engine.label.key}=${engine.label.value}`] } });

async function started(): Promise<ServingCutover> {
  const first = await startChild(versionOf('1.0'), CONFIG);
  await until(async () => (await answerOf(first.port)) === '1.0');
  return first;
}

async function killed(first: ServingCutover): Promise<ServingCutover> {
  first.process.signal('SIGKILL');
  await first.process.exited;
  return startChild(versionOf('1.0'), { ...CONFIG, after: first });
}

const idIn = (text: string): string => /accepted (\S+)/.exec(text)?.[1] ?? '';

async function phaseOf(cutover: ServingCutover, id: string): Promise<string> {
  return JSON.parse((await call(cutover.configPort, 'GET', `/${id}/status`)).text).phase;
}

test('at the gate: the candidate is looked for again, has its time, and leaves nothing', async () => {
  const first = await started();
  void put(first.configPort, versionOf('silent', { readyTimeout: 2 })).catch(() => {});
  await until(async () => (await containers()).length === 2);
  const second = await killed(first);
  expect(await answerOf(second.port)).toBe('1.0');
  await second.process.log(/is not ready: its server was not ready within 2 s/);
  await until(async () => (await containers()).length === 1);
  expect(await answerOf(second.port)).toBe('1.0');
});

test('while it releases, and while it is watched: it goes on, in the same containers', async () => {
  const first = await started();
  const slow = { mode: 'GRADUAL', percentageTransitionPerRequest: 0.001 };
  const id = idIn((await put(first.configPort, versionOf('2.0', slow))).text);
  const before = (await containers()).map(({ Id }) => Id);
  const second = await killed(first);
  expect(await phaseOf(second, id)).toBe('releasing');
  await call(second.configPort, 'POST', `/${id}/promote`);
  expect(await answerOf(second.port)).toBe('2.0');
  const third = await killed(second);
  expect(await phaseOf(third, id)).toBe('watching');
  expect(await answerOf(third.port)).toBe('2.0');
  await third.process.log(/found \S+ running/);
  expect((await containers()).map(({ Id }) => Id)).toEqual(before);
});

test('while the old one is stopped: that is finished', async () => {
  const first = await started();
  await put(first.configPort, versionOf('2.0', { regretWindow: 0.2 }));
  await first.process.log(/drains, and its containers are stopped then/);
  const second = await killed(first);
  await until(async () => (await containers()).length === 1);
  expect(await answerOf(second.port)).toBe('2.0');
});

test('rollback of a stable version starts the previous one again, and goes back to it', async () => {
  const proxy = await startProxy(versionOf('1.0'));
  await until(async () => (await answerOf(proxy.port)) === '1.0');
  const id = await proxy.put(versionOf('2.0', { regretWindow: 0.2 }));
  await proxy.log.line('INFO', /Version 1\.0 .* has drained/);
  await until(async () => (await containers()).length === 1);
  expect(await answerOf(proxy.port)).toBe('2.0');
  expect((await call(proxy.configPort, 'POST', `/${id}/rollback`)).status).toBe(202);
  await until(async () => (await answerOf(proxy.port)) === '1.0');
  await until(async () => (await containers()).length === 1);
  expect(await phase(proxy.configPort, id)).toBe('failed');
});

async function phase(port: number, id: string): Promise<string> {
  return JSON.parse((await call(port, 'GET', `/${id}/status`)).text).phase;
}
