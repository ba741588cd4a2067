/** What the container tests stand on: an engine that runs images made here, and a registry that keeps them. */
import { afterAll, afterEach, expect, test } from 'vitest';
import { progress, removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, buildAppImage } from '../kit/images.ts';
import { CREDENTIALS, startRegistry } from '../kit/registry.ts';

const engine = sharedEngine();
const { docker } = engine;
const registry = await startRegistry('credentials');
afterEach(() => removeContainers(engine));
afterAll(() => registry.remove());

/** Runs an image with its port published on a free one of loopback. */
async function run(image: string, options: { readonly memory?: number } = {}) {
  const container = await docker.createContainer({
    Image: image,
    HostConfig: { PortBindings: { [`${APP_PORT}/tcp`]: [{ HostIp: '127.0.0.1' }] }, Memory: options.memory ?? 0 },
  });
  await container.start();
  const { NetworkSettings } = await container.inspect();
  const published = NetworkSettings.Ports[`${APP_PORT}/tcp`]?.[0]?.HostPort;
  return { container, url: `http://127.0.0.1:${published}` };
}

/** The port accepts from the start, whoever listens behind it: an answer is what to wait for. */
async function answer(url: string): Promise<string> {
  for (;;) {
    const text = await fetch(url)
      .then((got) => got.text())
      .catch(() => null);
    if (text !== null) return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('an image serves its version on a published port', async () => {
  const { url } = await run(await buildAppImage(engine, 'cutover-test-app:1', { version: '1.0' }));
  expect(await answer(url)).toBe('1.0');
});

test('an image that ends at once says why', async () => {
  const image = await buildAppImage(engine, 'cutover-test-app:exits', { version: '2.0', behaviour: 'exits' });
  const { container } = await run(image);
  expect(await container.wait()).toMatchObject({ StatusCode: 3 });
  expect(String(await container.logs({ stdout: true, stderr: true }))).toContain('cannot find its settings');
});

test('an image that leaks is killed for its memory', async () => {
  const image = await buildAppImage(engine, 'cutover-test-app:leaks', { version: '2.0', behaviour: 'leaks' });
  const { container, url } = await run(image, { memory: 128 << 20 });
  await answer(url);
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
  const { container } = await run(image);
  const events = await docker.getEvents({ filters: { container: [container.id], event: ['health_status'] }, since: 1 });
  await new Promise((resolve) => events.once('data', resolve));
  (events as unknown as { destroy(): void }).destroy();
  expect((await container.inspect()).State.Health?.Status).toBe('unhealthy');
});

test('a registry keeps an image, and wants its credentials', async () => {
  const image = await buildAppImage(engine, 'cutover-test-app:1', { version: '1.0' });
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
