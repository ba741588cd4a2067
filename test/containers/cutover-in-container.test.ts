/** The `Dockerfile`: built and run as docs/containers.md says, in front of containers of the same engine. */
import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../kit/cutover.ts';
import { removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, buildAppImage, nodeImage } from '../kit/images.ts';
import { firstAnswer, healthOf, runImage } from '../kit/run-image.ts';

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

/** A configuration in a folder that can be mounted to /etc/cutover. */
function configFolder(): string {
  const folder = temporaryFolder();
  const config = {
    proxy: { port: 8080 },
    configService: { port: 9090 },
    state: { file: '/var/lib/cutover/state.json' },
    cluster: { version: '1.0', servers: [{ hostname: 'one', port: APP_PORT }] },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config), { mode: 0o644 });
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
  await docker.createVolume({ Name: network, Labels: { [label.key]: label.value } });
  const binds = [`${configFolder()}:/etc/cutover:ro`, `${network}:/var/lib/cutover`];

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
