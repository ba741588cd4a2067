/** The image watcher, all of it: a real registry with credentials, a real engine, and clients that see no error. */
import { afterAll, afterEach, expect, test } from 'vitest';
import { call } from '../kit/config-service.ts';
import { type RunningCutover, startChild, startProxy } from '../kit/cutover.ts';
import { progress, removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, type AppImage, buildAppImage } from '../kit/images.ts';
import { CREDENTIALS, startRegistry } from '../kit/registry.ts';
import { SteadyLoad } from '../kit/steady-load.ts';

const engine = sharedEngine();
const registry = await startRegistry('credentials');
const auth = Buffer.from(`${CREDENTIALS.username}:${CREDENTIALS.password}`).toString('base64');
process.env.DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { [registry.host]: { auth } } });
afterEach(() => removeContainers(engine));
afterAll(() => registry.remove());

/** Builds an image and pushes it under this tag; the engine forgets it, so that it has to be pulled. */
async function publish(tag: string, app: AppImage, repository = 'shop'): Promise<string> {
  const image = await buildAppImage(engine, 'cutover-test-published:1', app);
  const { reference, digest } = await registry.push(engine, image, `${repository}:${tag}`);
  await engine.docker.getImage(reference).remove();
  return digest;
}

const containerOf = (tag: string, more: object = {}) => ({
  image: `${registry.host}/shop`,
  tag,
  portToProxy: APP_PORT,
  stopTimeout: 1,
  dockerHost: { socketPath: engine.socketPath },
  ...more,
});

async function answers(port: number, version: string): Promise<void> {
  for (;;) {
    const got = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    if ((await got?.text()) === version) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const deployed = (proxy: RunningCutover, digest: string) =>
  proxy.log.line('NOTICE', new RegExp(`^New image .*${digest}.* is deployed`));

test('a good image is rolled out; a bad one is taken back and left alone; its successor is rolled out', async () => {
  await publish('1.0', { version: '1.0' });
  const watch = { semver: '1.x', interval: 1 };
  const proxy = await startProxy({ version: '1.0', containers: [containerOf('1.0', { watch })] });
  await answers(proxy.port, '1.0');
  const load = new SteadyLoad(proxy.port);
  await load.more('1.0', 20);

  await deployed(proxy, await publish('1.1', { version: '1.1' }));
  await load.more('1.1', 20);

  const bad = await publish('1.2', { version: '1.2', behaviour: 'fails' });
  await deployed(proxy, bad);
  await proxy.log.line('WARNING', /over: failed/);
  await load.more('1.1', 20);

  // By the time that another image is there, the bad one has been found again.
  const good = await publish('1.2', { version: '1.2 mended' });
  await deployed(proxy, good);
  await load.more('1.2 mended', 20);
  await load.end();
  expect(load.failures).toEqual([]);
  const lines = proxy.log.of('NOTICE').filter((line) => line.includes(bad));
  expect(lines.filter((line) => line.includes('is deployed'))).toHaveLength(1);
});

test('kill -9: what was taken back is not deployed by the next process either', async () => {
  const watch = { semver: '1.x', interval: 1 };
  const config = { config: { state: { file: 'state.json' } } };
  const cluster = { version: '1.0', containers: [containerOf('1.0', { image: `${registry.host}/kept`, watch })] };
  await publish('1.0', { version: '1.0' }, 'kept');
  const first = await startChild(cluster, config);
  await answers(first.port, '1.0');
  const bad = await publish('1.1', { version: '1.1', behaviour: 'fails' }, 'kept');
  await first.process.log(new RegExp(`New image .*${bad}.* is deployed`));
  const load = new SteadyLoad(first.port);
  await first.process.log(/over: failed/);
  await load.end();
  first.process.signal('SIGKILL');
  await first.process.exited;
  const second = await startChild(cluster, { ...config, after: first });
  // By the time that another image is found, the bad one has been found as well.
  await publish('1.0.1', { version: '1.0.1' }, 'kept');
  await answers(second.port, '1.0.1');
  expect(second.process.stderr).not.toContain(bad);
});

test('images that Cutover pulled go, but for the last two; a rollback is to the very image that ran', async () => {
  const tags = ['1', '2', '3', '4', '5'];
  for (const tag of tags) await publish(tag, { version: tag }, 'pruned');
  const repository = `${registry.host}/pruned`;
  await engine.docker
    .pull(`${repository}:1`, { authconfig: { ...CREDENTIALS, serveraddress: registry.host } })
    .then(progress);
  const there = async () => {
    const images = await engine.docker.listImages();
    return tags.filter((tag) => images.some(({ RepoTags }) => RepoTags?.includes(`${repository}:${tag}`)));
  };
  const versionOf = (tag: string) => ({
    version: tag,
    containers: [containerOf(tag, { image: repository })],
    upgradeTransition: { mode: 'INSTANT', regretWindow: 0.1 },
  });
  const proxy = await startProxy(versionOf('1'));
  await answers(proxy.port, '1');
  let id = '';
  for (const tag of tags.slice(1)) {
    id = await proxy.put(versionOf(tag));
    await proxy.log.line('INFO', new RegExp(`Version ${Number(tag) - 1} .* has drained`));
  }
  while ((await there()).length > 3) await new Promise((resolve) => setTimeout(resolve, 25));
  expect(await there()).toEqual(['1', '4', '5']);

  // Back to the image that ran, also where its tag has moved on and the engine has it no more.
  await engine.docker.getImage(`${repository}:4`).remove();
  await publish('4', { version: 'another' }, 'pruned');
  expect((await call(proxy.configPort, 'POST', `/${id}/rollback`)).status).toBe(202);
  await answers(proxy.port, '4');
});
