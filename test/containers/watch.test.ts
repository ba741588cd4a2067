/** What an engine says of containers reaches routing at once; Cutover goes on while an engine is away, and finds things again. */
import { copyFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeAuthority } from '../kit/certificates.ts';
import { call, put } from '../kit/config-service.ts';
import { startChild, startProxy } from '../kit/cutover.ts';
import { Dockerd } from '../kit/dockerd.ts';
import { engineAt, removeContainers } from '../kit/engine.ts';
import { APP_PORT, buildAppImage } from '../kit/images.ts';
import { freePort } from '../kit/ports.ts';
import { tinyDisk } from '../kit/tiny-disk.ts';

const folder = mkdtempSync(join(tmpdir(), 'cutover-certificates-'));
const authority = makeAuthority(folder, 'authority');
const tls = { port: await freePort(), folder: authority.issue('engine', 'serverAuth') };
/** Of our own, since it is stopped in between. */
const dockerd = new Dockerd(tls);
const engine = engineAt(dockerd.socketPath);
const { docker } = engine;
const IMAGE = 'cutover-test-watch';

beforeAll(async () => {
  await dockerd.start();
  for (const version of ['1.0', '2.0']) await buildAppImage(engine, `${IMAGE}:${version}`, { version });
});
afterEach(() => removeContainers(engine).catch(() => {}));
afterAll(async () => {
  await dockerd.remove();
  rmSync(folder, { recursive: true });
});

const versionOf = (tag: string, more: object = {}, transition: object = {}) => ({
  version: tag,
  containers: [
    {
      image: IMAGE,
      tag,
      portToProxy: APP_PORT,
      stopTimeout: 1,
      dockerHost: { socketPath: dockerd.socketPath },
      ...more,
    },
  ],
  upgradeTransition: { mode: 'INSTANT', ...transition },
});

async function answerOf(port: number): Promise<string> {
  const got = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
  return got === null ? '' : got.text();
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 25));
}

const containersOf = (version: string) =>
  docker.listContainers({ all: true, filters: { label: [`cutover.version=${version}`] } });

test('a candidate whose container is killed is taken back without a request having found out', async () => {
  const proxy = await startProxy(versionOf('1.0'));
  await until(async () => (await answerOf(proxy.port)) === '1.0');
  const id = await proxy.put(versionOf('2.0'));
  expect(await answerOf(proxy.port)).toBe('2.0');
  const [container] = await containersOf('2.0');
  await docker.getContainer(container?.Id ?? '').kill();
  await proxy.log.line('WARNING', /over: failed by rule dead: .*exited with code 137/);
  expect(await answerOf(proxy.port)).toBe('1.0');
  await until(async () => (await containersOf('2.0')).length === 0);
  const ledger = JSON.parse((await call(proxy.configPort, 'GET', `/${id}/ledger`)).text);
  expect(ledger[0]).toMatchObject({ decision: 'failed', rule: 'dead', output: ['version 2.0 starts'] });
});

test('one of two replicas that ends is ejected, and the version stays', async () => {
  const proxy = await startProxy(versionOf('1.0'));
  await until(async () => (await answerOf(proxy.port)) === '1.0');
  await proxy.put(versionOf('2.0', { replicas: 2 }));
  const [container] = await containersOf('2.0');
  await docker.getContainer(container?.Id ?? '').kill();
  await proxy.log.line('WARNING', /takes no more requests: container ".*" exited with code 137/);
  for (let i = 0; i < 10; i += 1) expect(await answerOf(proxy.port)).toBe('2.0');
});

test('a trusted version that ends is started again, and found at its new port', async () => {
  const proxy = await startProxy(versionOf('1.0'));
  await until(async () => (await answerOf(proxy.port)) === '1.0');
  const [container] = await containersOf('1.0');
  await docker.getContainer(container?.Id ?? '').kill();
  await proxy.log.line('WARNING', /exited with code 137/);
  await until(async () => (await answerOf(proxy.port)) === '1.0');
  expect((await containersOf('1.0')).map(({ Id }) => Id)).toEqual([container?.Id]);
});

test('so it is while the disk is full, and after a start on a full one', async (context) => {
  const disk = tinyDisk();
  if (disk === null) return context.skip('mounting a tmpfs needs root');
  const config = { state: { file: join(disk.folder, 'state.json') } };
  const first = await startChild(versionOf('1.0'), { config });
  await until(async () => (await answerOf(first.port)) === '1.0');
  disk.fill();
  const [container] = await containersOf('1.0');
  await docker.getContainer(container?.Id ?? '').kill();
  await first.process.log(/exited with code 137/);
  await until(async () => (await answerOf(first.port)) === '1.0');
  await first.process.log(/ERROR - Writing the state .* no space left/);
  first.process.signal('SIGKILL');
  await first.process.exited;
  await docker.getContainer(container?.Id ?? '').kill();
  const second = await startChild(versionOf('1.0'), { config, after: first });
  await until(async () => (await answerOf(second.port)) === '1.0');
  disk.makeRoom();
  await second.process.log(/NOTICE - The state .* is written again/);
});

test('kill -9 of Cutover: its containers are found again, not started anew', async () => {
  const first = await startChild(versionOf('1.0'), { config: { state: { file: 'state.json' } } });
  await until(async () => (await answerOf(first.port)) === '1.0');
  const before = await containersOf('1.0');
  first.process.signal('SIGKILL');
  await first.process.exited;
  const second = await startChild(versionOf('1.0'), { config: { state: { file: 'state.json' } }, after: first });
  expect(await answerOf(second.port)).toBe('1.0');
  await second.process.log(/found cutover-default-\S+ running/);
  const after = await containersOf('1.0');
  expect(after.map(({ Id, Created }) => [Id, Created])).toEqual(before.map(({ Id, Created }) => [Id, Created]));
});

test('an engine by TLS: with the right certificates all is well, and what is wrong with others is told', async () => {
  const reached = (certPath?: string) => ({ ip: '127.0.0.1', port: tls.port, ...(certPath && { certPath }) });
  const good = authority.issue('client', 'clientAuth');
  const proxy = await startProxy(versionOf('1.0', { dockerHost: reached(good) }));
  await until(async () => (await answerOf(proxy.port)) === '1.0');

  const other = makeAuthority(folder, 'another authority');
  const distrusting = join(folder, 'distrusting');
  cpSync(good, distrusting, { recursive: true });
  copyFileSync(other.certificate, join(distrusting, 'ca.pem'));
  const stranger = other.issue('stranger', 'clientAuth');
  copyFileSync(authority.certificate, join(stranger, 'ca.pem'));
  const said = async (certPath?: string): Promise<string> => {
    const answered = await put(proxy.configPort, versionOf('2.0', { dockerHost: reached(certPath) }));
    return answered.text.trimEnd().split('\n').at(-1) ?? '';
  };
  const engineName = `The Docker engine at tcp://127.0.0.1:${tls.port} does not answer: `;
  expect(await said(distrusting)).toContain(`${engineName}its certificate is not of the authority in ca.pem`);
  expect(await said(stranger)).toContain(`${engineName}it does not take the certificate in cert.pem`);
  expect(await said(join(folder, 'none'))).toContain(`${engineName}${join(folder, 'none', 'ca.pem')} can't be read`);
  expect(await said()).toContain(`${engineName}it wants TLS, and there is no certPath`);
  expect(await answerOf(proxy.port)).toBe('1.0');
});

/** The last one: containers that an engine was stopped under can't always be removed afterwards. */
test('the engine stopped and started in mid-release: the release goes on, and its containers run again', async () => {
  const proxy = await startProxy(versionOf('1.0'));
  await until(async () => (await answerOf(proxy.port)) === '1.0');
  const half = { mode: 'GRADUAL', percentageTransitionPerRequest: 0.001 };
  const id = await proxy.put(versionOf('2.0', {}, half));
  await dockerd.stop();
  await proxy.log.line('WARNING', /The Docker engine at .* is away/);
  const during = JSON.parse((await call(proxy.configPort, 'GET', `/${id}/status`)).text);
  expect(during.phase).toBe('releasing');
  await dockerd.start();
  await proxy.log.line('NOTICE', /answers again/);
  await until(async () => (await answerOf(proxy.port)) === '1.0');
  await until(async () => (await containersOf('2.0')).some(({ State }) => State === 'running'));
  expect(JSON.parse((await call(proxy.configPort, 'GET', `/${id}/status`)).text).phase).toBe('releasing');
});
