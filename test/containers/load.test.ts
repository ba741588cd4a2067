/** From one image to the next under load, and images that do not do what they should: no client sees an error. */
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { put, type WireCluster } from '../kit/config-service.ts';
import { type RunningCutover, startProxy } from '../kit/cutover.ts';
import { removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, type AppImage, buildAppImage } from '../kit/images.ts';
import { SteadyLoad } from '../kit/steady-load.ts';

const engine = sharedEngine();
const { docker, label } = engine;
const IMAGE = 'cutover-test-load';

beforeAll(async () => {
  await buildAppImage(engine, `${IMAGE}:1`, { version: '1.0' });
  await buildAppImage(engine, `${IMAGE}:2`, { version: '2.0' });
});
afterEach(() => removeContainers(engine));

function clusterOf(version: string, tag: string, transition: object = {}, container: object = {}): WireCluster {
  const dockerHost = { socketPath: engine.socketPath };
  const containers = [{ image: IMAGE, tag, portToProxy: APP_PORT, stopTimeout: 2, dockerHost, ...container }];
  return { version, containers, upgradeTransition: { mode: 'INSTANT', ...transition } };
}

/** Cutover with a container of version 1.0, under load. */
async function underLoad(): Promise<{ readonly proxy: RunningCutover; readonly load: SteadyLoad }> {
  const proxy = await startProxy(clusterOf('1.0', '1'));
  await proxy.log.line('NOTICE', /^The containers of version 1\.0 .* run/);
  while (!(await fetch(`http://127.0.0.1:${proxy.port}/`)).ok) await new Promise((resolve) => setTimeout(resolve, 20));
  const load = new SteadyLoad(proxy.port);
  onTestFinished(() => load.end());
  await load.more('1.0', 50);
  return { proxy, load };
}

async function containersOf(version: string) {
  const mine = [`${label.key}=${label.value}`, `cutover.version=${version}`];
  const found = await docker.listContainers({ all: true, filters: { label: mine } });
  return found.map(({ Id }) => docker.getContainer(Id));
}

async function goneFrom(version: string): Promise<void> {
  while ((await containersOf(version)).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** An image of version 2.0 that does not do what it should; gives its tag. */
async function badImage(app: Pick<AppImage, 'behaviour'>): Promise<string> {
  await buildAppImage(engine, `${IMAGE}:${app.behaviour}`, { version: '2.0', ...app });
  return app.behaviour ?? '';
}

async function endsWell(load: SteadyLoad): Promise<void> {
  await load.end();
  expect(load.failures).toEqual([]);
}

describe('from tag 1 to tag 2 under load', () => {
  const MODES = [
    { mode: 'INSTANT' },
    { mode: 'SESSION', sessionTimeout: 1 },
    { mode: 'GRADUAL', percentageTransitionPerRequest: 1 },
    { mode: 'CONCURRENT' },
  ];

  test.each(MODES)('$mode: then the container of tag 2 is stopped', async (transition) => {
    const { proxy, load } = await underLoad();
    await proxy.put(clusterOf('2.0', '2', transition));
    await load.more('2.0', 200);
    const [next] = await containersOf('2.0');
    await next?.stop({ t: 10 });
    await load.more('1.0', 200);
    await goneFrom('2.0');
    await endsWell(load);
  });

  test('INSTANT: when tag 2 has earned trust the container of tag 1 is drained, stopped and removed', async () => {
    const { proxy, load } = await underLoad();
    await proxy.put(clusterOf('2.0', '2', { regretWindow: 0.5 }));
    await goneFrom('1.0');
    await load.more('2.0', 100);
    await endsWell(load);
  });
});

describe('a candidate', () => {
  test('that is killed for its memory is taken back', async () => {
    const { proxy, load } = await underLoad();
    await proxy.put(clusterOf('2.0', await badImage({ behaviour: 'leaks' }), {}, { memory: 96 << 20 }));
    await load.more('2.0', 1);
    await proxy.log.line('WARNING', /^Container .* is out of memory/);
    await proxy.log.line('WARNING', /over: failed/);
    await goneFrom('2.0');
    await load.more('1.0', 50);
    await endsWell(load);
  });

  test('that answers 500 is taken back, and its container goes', async () => {
    const { proxy, load } = await underLoad();
    await proxy.put(clusterOf('2.0', await badImage({ behaviour: 'fails' })));
    await proxy.log.line('WARNING', /over: failed/);
    await goneFrom('2.0');
    await endsWell(load);
    expect([...load.answers.keys()]).toEqual(['1.0']);
  });

  test('that never listens never serves, and its container goes', async () => {
    const { proxy, load } = await underLoad();
    const cluster = clusterOf('2.0', await badImage({ behaviour: 'silent' }), { readyTimeout: 1 });
    expect((await put(proxy.configPort, cluster)).text).toMatch(/\nerror: .*not ready within 1 s/);
    await goneFrom('2.0');
    await load.more('1.0', 50);
    await endsWell(load);
    expect([...load.answers.keys()]).toEqual(['1.0']);
  });
});
