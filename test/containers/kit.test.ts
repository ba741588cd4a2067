/** What the container tests stand on: an engine that runs images made here, and a registry that keeps them. */
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { progress, removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, buildAppImage, importImage } from '../kit/images.ts';
import { CREDENTIALS, startRegistry } from '../kit/registry.ts';
import { firstAnswer, healthOf, runImage } from '../kit/run-image.ts';

const engine = sharedEngine();
const { docker } = engine;
const registry = await startRegistry('credentials');
afterEach(() => removeContainers(engine));
afterAll(() => registry.remove());

test('an image serves its version on a published port', async () => {
  const running = await runImage(engine, await buildAppImage(engine, 'cutover-test-app:1', { version: '1.0' }), {
    port: APP_PORT,
  });
  expect(await firstAnswer(running)).toBe('1.0');
});

test('an image that ends at once says why', async () => {
  const image = await buildAppImage(engine, 'cutover-test-app:exits', { version: '2.0', behaviour: 'exits' });
  const { container } = await runImage(engine, image);
  expect(await container.wait()).toMatchObject({ StatusCode: 3 });
  expect(String(await container.logs({ stdout: true, stderr: true }))).toContain('cannot find its settings');
});

test('an image that leaks is killed for its memory', async () => {
  const image = await buildAppImage(engine, 'cutover-test-app:leaks', { version: '2.0', behaviour: 'leaks' });
  const running = await runImage(engine, image, { port: APP_PORT, memory: 128 << 20 });
  const { container, url } = running;
  await firstAnswer(running);
  let isAlive = true;
  const ended = container.wait().finally(() => {
    isAlive = false;
  });
  while (isAlive)
    await fetch(url)
      .then((got) => got.text())
      .catch(() => {});
  await ended;
  expect((await container.inspect()).State.OOMKilled).toBe(true);
});

test('an image whose health check fails is unhealthy', async () => {
  const image = await buildAppImage(engine, 'cutover-test-app:ill', { version: '2.0', healthcheck: 'fails' });
  const { container } = await runImage(engine, image);
  expect(await healthOf(engine, container)).toBe('unhealthy');
});

test('a registry keeps an image, and wants its credentials', async () => {
  // Small, since the whole of it is pushed.
  const image = 'cutover-test-small:1';
  await importImage(engine, { name: image, root: join(import.meta.dirname, '../kit'), changes: ['CMD ["none"]'] });
  const { reference, digest } = await registry.push(engine, image, 'app:1');
  await docker.getImage(reference).remove();
  const authconfig = { ...CREDENTIALS, serveraddress: registry.host };
  await expect(docker.pull(reference, {}).then(progress)).rejects.toThrow(/no basic auth credentials/);
  await registry.stop();
  await expect(docker.pull(reference, { authconfig }).then(progress)).rejects.toThrow(/connection refused/);
  await registry.start();
  await docker.pull(reference, { authconfig }).then(progress);
  expect((await docker.getImage(reference).inspect()).RepoDigests).toContain(`${registry.host}/app@${digest}`);
});
