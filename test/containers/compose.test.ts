/** `examples/compose.yaml`, as its first lines say it is used. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { sharedEngine } from '../kit/engine.ts';
import { nodeImage } from '../kit/images.ts';
import { settledPort } from '../kit/run-image.ts';

const ROOT = join(import.meta.dirname, '../..');
const engine = sharedEngine();
const port = await settledPort();
const env = {
  ...process.env,
  DOCKER_HOST: `unix://${engine.socketPath}`,
  // Networks and volumes, too, are this run's by the project's label.
  COMPOSE_PROJECT_NAME: `cutover-test-${engine.label.value}`,
  BASE: await nodeImage(engine),
  LISTEN: `127.0.0.1:${port}`,
};

/** Debian's docker-compose; the plugin takes the same words. */
async function compose(...args: readonly string[]): Promise<string> {
  const words = ['-f', 'examples/compose.yaml', ...args];
  return (await promisify(execFile)('docker-compose', words, { env, cwd: ROOT })).stdout.trim();
}

afterAll(() => compose('down', '--volumes', '--rmi', 'local', '--timeout', '5'));

async function answer(): Promise<string> {
  for (;;) {
    const text = await fetch(`http://127.0.0.1:${port}/`).then(
      (got) => got.text(),
      () => null,
    );
    if (text !== null) return text;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('an application is reached on its network, and upgraded there', async () => {
  await compose('up', '-d', '--build');
  expect(await answer()).toBe('version 1.0');
  const id = await compose('exec', '-T', 'cutover', 'cutover', 'put', '--version', '2.0', '--server', 'two:80');
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(await answer()).toBe('version 2.0');
});
