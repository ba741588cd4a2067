/** The image watcher, all of it: a real registry with credentials, a real engine, and clients that see no error. */
import { afterAll, afterEach, expect, test } from 'vitest';
import { type RunningCutover, startProxy } from '../kit/cutover.ts';
import { removeContainers, sharedEngine } from '../kit/engine.ts';
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
async function publish(tag: string, app: AppImage): Promise<string> {
  const image = await buildAppImage(engine, 'cutover-test-published:1', app);
  const { reference, digest } = await registry.push(engine, image, `shop:${tag}`);
  await engine.docker.getImage(reference).remove();
  return digest;
}

const deployed = (proxy: RunningCutover, digest: string) =>
  proxy.log.line('NOTICE', new RegExp(`^New image .*${digest}.* is deployed`));

test('a good image is rolled out; a bad one is taken back and left alone; its successor is rolled out', async () => {
  await publish('1.0', { version: '1.0' });
  const container = { image: `${registry.host}/shop`, tag: '1.0', portToProxy: APP_PORT, stopTimeout: 1 };
  const watch = { semver: '1.x', interval: 1 };
  const proxy = await startProxy({
    version: '1.0',
    containers: [{ ...container, watch, dockerHost: { socketPath: engine.socketPath } }],
  });
  while (!(await fetch(`http://127.0.0.1:${proxy.port}/`)).ok) await new Promise((resolve) => setTimeout(resolve, 50));
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
