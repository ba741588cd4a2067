/** How containers come to run, as a terminal shows it: a pseudo-terminal, and images that take a moment to pull. */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { BIN, spawnCutover, temporaryFolder } from '../kit/cutover.ts';
import { removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, buildImage, nodeImage } from '../kit/images.ts';
import { freePorts } from '../kit/ports.ts';
import { startRegistry } from '../kit/registry.ts';
import { screenOf } from '../kit/screen.ts';

const engine = sharedEngine();
const { docker, socketPath } = engine;
const registry = await startRegistry();
afterAll(() => registry.remove());
afterEach(() => removeContainers(engine));

/** Of one layer that is in no other image. */
const LAYER_BYTES = 25_000_000;

beforeAll(async () => {
  for (const tag of ['1', '2']) await push(tag);
});

async function push(tag: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-large-'));
  cpSync(join(import.meta.dirname, '../kit/container-app.ts'), join(folder, 'container-app.ts'));
  writeFileSync(join(folder, 'large'), randomBytes(LAYER_BYTES));
  const dockerfile = [
    `FROM ${await nodeImage(engine)}`,
    'COPY . /app/',
    `ENV APP_VERSION=${tag} APP_PORT=${APP_PORT}`,
    'CMD ["node", "/app/container-app.ts"]',
  ];
  writeFileSync(join(folder, 'Dockerfile'), dockerfile.join('\n'));
  const name = `cutover-test-terminal:${tag}`;
  await buildImage(engine, { name, folder });
  const { reference } = await registry.push(engine, name, `terminal:${tag}`);
  for (const image of [name, reference]) await docker.getImage(image).remove();
  rmSync(folder, { recursive: true });
}

/** A folder with a configuration of version 1. */
async function configured() {
  const folder = temporaryFolder();
  const [port, configPort] = (await freePorts(2)) as [number, number];
  const containers = [{ image: `${registry.host}/terminal`, tag: '1', portToProxy: APP_PORT, stopTimeout: 1 }];
  const config = { proxy: { port }, configService: { port: configPort }, cluster: { version: '1', containers } };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return { folder, port, configPort };
}

/** Runs `bin/cutover` with these words on a terminal of 100 columns. */
function onTerminal(words: string, folder: string, env = 'TERM=xterm') {
  const command = `stty cols 100; echo $$ > pid; exec env NO_COLOR= DOCKER_HOST=unix://${socketPath} ${env} ${BIN} ${words}`;
  return spawnCutover(['-qfec', command, '/dev/null'], folder, { bin: 'script' });
}

/** Ends the program inside the terminal before the terminal. */
function endAtLast(folder: string): void {
  onTestFinished(() => {
    try {
      process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGTERM');
    } catch {
      // It has ended.
    }
  });
}

async function answers(port: number, version: string): Promise<void> {
  for (;;) {
    const got = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    if ((await got?.text()) === version) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const BAR = /[0-9a-f]{12} (downloading|extracting) {1,2}\[=*>? *\] +[\d.]+ of 25\.0 MB/;

test('at start and with put: bars while an image comes, lines for what is done, and nothing of the bars at the end', async () => {
  const { folder, port, configPort } = await configured();
  const started = onTerminal('run --config config.json', folder);
  endAtLast(folder);
  await answers(port, '1');
  const serves = /is ready, and serves/;
  while (!serves.test(started.stdout)) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(started.stdout).toMatch(BAR);
  expect(started.stdout).toContain('waiting for version 1 to be ready');
  const shown = screenOf(started.stdout).join('\n');
  expect(shown).toMatch(
    /NOTICE - pulled \S+\/terminal:1 \(\S+@sha256:[0-9a-f]{64}\)\n.*created .*started .*is ready, and serves/s,
  );
  expect(shown).not.toMatch(BAR);
  expect(shown).not.toContain('waiting for version');

  const url = `http://127.0.0.1:${configPort}`;
  const put = onTerminal(
    `put --url ${url} --image ${registry.host}/terminal:2 --port ${APP_PORT} --version 2`,
    temporaryFolder(),
  );
  await put.exited;
  expect(put.stdout).toMatch(BAR);
  const lines = screenOf(put.stdout).filter((line) => line !== '');
  const id = lines.at(-1) ?? '';
  expect(lines).toEqual([
    `accepted ${id}`,
    expect.stringMatching(/^pulled \S+\/terminal:2 /),
    expect.stringMatching(/^created /),
    expect.stringMatching(/^started /),
    expect.stringMatching(/^cutover-default-\S+: version 2 starts$/),
    expect.stringMatching(/^[0-9a-f-]{36}$/),
  ]);
  await answers(port, '2');
});

test('a terminal that can not, or somebody who asks for plain text: lines alone', async () => {
  const { folder, port } = await configured();
  const started = onTerminal('run --config config.json', folder, 'TERM=dumb');
  endAtLast(folder);
  await answers(port, '1');
  expect(started.stdout).toMatch(/NOTICE - started /);
  expect(started.stdout).not.toContain('\x1b');
});
