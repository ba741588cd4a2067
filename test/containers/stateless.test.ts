/** `"state": null`: what a start finds of an earlier one on the engine. */
import { afterEach, beforeAll, expect, test } from 'vitest';
import { put } from '../kit/config-service.ts';
import { type ServingCutover, startChild } from '../kit/cutover.ts';
import { removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, buildAppImage } from '../kit/images.ts';

const engine = sharedEngine();
const { docker, socketPath } = engine;
const IMAGE = 'cutover-test-stateless';

beforeAll(async () => {
  for (const version of ['1.0', '2.0']) await buildAppImage(engine, `${IMAGE}:${version}`, { version });
});
afterEach(() => removeContainers(engine));

const shared = { image: IMAGE, tag: '1.0', name: 'cutover-stateless-db', stopTimeout: 1, dockerHost: { socketPath } };
const versionOf = (tag: string, mode = 'INSTANT') => ({
  version: tag,
  containers: [shared, { image: IMAGE, tag, portToProxy: APP_PORT, stopTimeout: 1, dockerHost: { socketPath } }],
  upgradeTransition: { mode },
});

async function answers({ port }: ServingCutover, version: string): Promise<void> {
  for (;;) {
    const got = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    if ((await got?.text()) === version) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The ids of the containers, the latest first. */
async function ids(): Promise<readonly string[]> {
  const filters = { label: [`${engine.label.key}=${engine.label.value}`] };
  return (await docker.listContainers({ all: true, filters })).map(({ Id }) => Id);
}

async function killed(cutover: ServingCutover): Promise<void> {
  cutover.process.signal('SIGKILL');
  await cutover.process.exited;
}

test("the version of the file is found again, what was put is removed, and another Cutover's is let be", async () => {
  const first = await startChild(versionOf('1.0'));
  await answers(first, '1.0');
  const before = await ids();
  await put(first.configPort, versionOf('2.0'));
  const Labels = {
    'cutover.id': 'x',
    'cutover.service': 'default',
    'cutover.version': '9',
    'cutover.owner': 'another',
  };
  const { id: foreign } = await docker.createContainer({ Image: `${IMAGE}:1.0`, Labels });
  await killed(first);
  const second = await startChild(versionOf('1.0'), { after: first });
  await answers(second, '1.0');
  expect(new Set(await ids())).toEqual(new Set([...before, foreign]));
  await second.process.log(/of version 2\.0 is left of an earlier start, and is removed/);
});

test('a file that has changed meanwhile: the old containers go, but for those that are the same', async () => {
  const first = await startChild(versionOf('1.0'));
  await answers(first, '1.0');
  const before = await ids();
  await killed(first);
  const second = await startChild(versionOf('2.0'), { after: first });
  await answers(second, '2.0');
  const now = await ids();
  expect(now).toHaveLength(2);
  const database = (await docker.getContainer(shared.name).inspect()).Id;
  expect(now.filter((id) => before.includes(id))).toEqual([database]);
});
