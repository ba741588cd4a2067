/** The `Dockerfile`: built and run as docs/containers.md says, in front of containers of the same engine. */
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../kit/cutover.ts';
import { removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, buildAppImage, nodeImage } from '../kit/images.ts';
import { firstAnswer, healthOf, type RunningImage, runImage } from '../kit/run-image.ts';

const ROOT = join(import.meta.dirname, '../..');
const engine = sharedEngine();
const { docker, label, socketPath } = engine;
const mark = `${label.key}=${label.value}`;
const name = `cutover-test-self:${label.value}`;
/** Networks and volumes are this run's too. */
const network = `cutover-test-${label.value}`;

/** The Docker client as people use it; it leaves out what `.dockerignore` says. */
async function dockerClient(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, DOCKER_HOST: `unix://${socketPath}`, DOCKER_BUILDKIT: '0' };
  return (await promisify(execFile)('docker', args, { env, cwd: ROOT })).stdout.trim();
}

beforeAll(async () => {
  const base = await nodeImage(engine);
  await dockerClient(
    'build',
    '--quiet',
    '--network',
    'none',
    '--label',
    mark,
    '--build-arg',
    `BASE=${base}`,
    '-t',
    name,
    '.',
  );
  await docker.createNetwork({ Name: network, Labels: { [label.key]: label.value } });
});
afterEach(() => removeContainers(engine));

/** A configuration in a folder that can be mounted to /etc/cutover, and the body of a PUT beside it. */
function configFolder(cluster: object, next: object = {}): string {
  const folder = temporaryFolder();
  const config = {
    proxy: { port: 8080 },
    configService: { port: 9090 },
    state: { file: '/var/lib/cutover/state.json' },
    cluster,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config), { mode: 0o644 });
  writeFileSync(join(folder, 'next.json'), JSON.stringify({ cluster: next }), { mode: 0o644 });
  chmodSync(folder, 0o755);
  return folder;
}

test('it runs without root, is healthy, upgrades what stands on its network, drains at SIGTERM and keeps its state', async () => {
  const [one, two] = [
    await buildAppImage(engine, 'cutover-test-app:1', { version: '1.0' }),
    await buildAppImage(engine, 'cutover-test-app:2', { version: '2.0' }),
  ];
  await runImage(engine, one, { name: 'one', network });
  await runImage(engine, two, { name: 'two', network });
  const first = { version: '1.0', servers: [{ hostname: 'one', port: APP_PORT }] };
  await docker.createVolume({ Name: network, Labels: { [label.key]: label.value } });
  const binds = [`${configFolder(first)}:/etc/cutover:ro`, `${network}:/var/lib/cutover`];

  const cutover = await runImage(engine, name, { network, port: 8080, binds, healthIntervalMs: 1000 });
  const { container, url } = cutover;
  expect(await healthOf(engine, container)).toBe('healthy');
  expect(await firstAnswer(cutover)).toBe('1.0');
  expect(await dockerClient('exec', container.id, 'node', '-p', 'process.getuid()')).toBe('1000');
  const put = ['cutover', 'put', '--version', '2.0', '--server', `two:${APP_PORT}`];
  expect(await dockerClient('exec', container.id, ...put)).toMatch(/^[0-9a-f-]{36}$/);
  expect(await firstAnswer(cutover)).toBe('2.0');

  const slow = fetch(`${url}/slow`).then((answer) => answer.text());
  await firstAnswer(cutover);
  await container.stop({ t: 30 });
  expect(await slow).toBe('2.0');
  expect((await container.inspect()).State.ExitCode).toBe(0);

  const again = await runImage(engine, name, { network, port: 8080, binds });
  expect(await firstAnswer(again)).toBe('2.0');
});

test('it starts containers on its own engine, publishes none of them, and finds them again when it is replaced', async () => {
  for (const tag of ['1', '2']) await buildAppImage(engine, `cutover-test-app:${tag}`, { version: `${tag}.0` });
  const versionOf = (tag: string) => ({
    version: `${tag}.0`,
    containers: [{ image: 'cutover-test-app', tag, portToProxy: APP_PORT, stopTimeout: 1 }],
  });
  const state = temporaryFolder();
  chownSync(state, 1000, 1000);
  const binds = [
    `${configFolder(versionOf('1'), versionOf('2'))}:/etc/cutover:ro`,
    `${state}:/var/lib/cutover`,
    `${socketPath}:/var/run/docker.sock`,
  ];
  const options = { network, port: 8080, binds, groups: [String(statSync(socketPath).gid)] };
  const cutover = await runImage(engine, name, options);
  await answers(cutover, '1.0');
  await dockerClient('exec', cutover.container.id, 'cutover', 'put', '/etc/cutover/next.json');
  await answers(cutover, '2.0');
  const running = await startedByCutover();
  expect(running.map(({ Labels }) => Labels['cutover.version']).sort()).toEqual(['1.0', '2.0']);
  for (const { Ports, NetworkSettings } of running) {
    expect(Ports.filter(({ PublicPort }) => PublicPort !== undefined)).toEqual([]);
    expect(Object.keys(NetworkSettings.Networks)).toEqual([network]);
  }

  await cutover.container.stop({ t: 30 });
  const again = await runImage(engine, name, options);
  await answers(again, '2.0');
  expect((await startedByCutover()).map(({ Id }) => Id).sort()).toEqual(running.map(({ Id }) => Id).sort());
});

async function startedByCutover() {
  const filters = { label: ['cutover.id', mark] };
  return docker.listContainers({ filters });
}

/** Until the version of this name answers; before, Cutover itself says that there is none. */
async function answers(cutover: RunningImage, version: string): Promise<void> {
  while ((await firstAnswer(cutover)) !== version) await new Promise((resolve) => setTimeout(resolve, 50));
}
