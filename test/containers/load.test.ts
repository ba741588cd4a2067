/** From one image to the next under load, and images that do not do what they should: no client sees an error. */
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { WireCluster } from '../kit/config-service.ts';
import { type RunningCutover, startProxy } from '../kit/cutover.ts';
import { removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, type AppImage, buildAppImage } from '../kit/images.ts';
import { firstAnswer, type RunningImage, runImage } from '../kit/run-image.ts';
import { SteadyLoad } from '../kit/steady-load.ts';

const engine = sharedEngine();
afterEach(() => removeContainers(engine));

let old: RunningImage;

beforeAll(async () => {
  await buildAppImage(engine, 'cutover-test-load:1', { version: '1.0' });
  await buildAppImage(engine, 'cutover-test-load:2', { version: '2.0' });
});

/** Cutover in front of a container of version 1.0, under load. */
async function underLoad(): Promise<{ readonly proxy: RunningCutover; readonly load: SteadyLoad }> {
  old = await runImage(engine, 'cutover-test-load:1', { port: APP_PORT });
  await firstAnswer(old);
  const proxy = await startProxy(clusterOf(old, '1.0'));
  const load = new SteadyLoad(proxy.port);
  onTestFinished(() => load.end());
  await load.more('1.0', 50);
  return { proxy, load };
}

function clusterOf({ url }: RunningImage, version: string, more: Partial<WireCluster> = {}): WireCluster {
  const { hostname, port } = new URL(url);
  return { version, servers: [{ hostname, port: Number(port) }], ...more };
}

/** A container of version 2.0 that does not do what it should. */
async function runBad(app: Omit<AppImage, 'version'>, memory?: number): Promise<RunningImage> {
  const image = await buildAppImage(engine, `cutover-test-load:${app.behaviour}`, { version: '2.0', ...app });
  return runImage(engine, image, { port: APP_PORT, ...(memory === undefined ? {} : { memory }) });
}

async function endsWell(load: SteadyLoad): Promise<void> {
  await load.end();
  expect(load.failures).toEqual([]);
}

describe('from tag 1 to tag 2 under load, then tag 2 is stopped', () => {
  test.each([
    { mode: 'INSTANT' },
    { mode: 'SESSION', sessionTimeout: 1 },
    { mode: 'GRADUAL', percentageTransitionPerRequest: 1 },
    { mode: 'CONCURRENT' },
  ])('$mode', async (upgradeTransition) => {
    const { proxy, load } = await underLoad();
    const next = await runImage(engine, 'cutover-test-load:2', { port: APP_PORT });
    await firstAnswer(next);
    await proxy.put(clusterOf(next, '2.0', { upgradeTransition }));
    await load.more('2.0', 200);
    await next.container.stop({ t: 10 });
    await load.more('1.0', 200);
    await endsWell(load);
    expect(proxy.log.of('ERROR').filter((line) => line.includes('No version'))).toEqual([]);
  });
});

describe('a candidate', () => {
  test('that is killed for its memory is taken back', async () => {
    const { proxy, load } = await underLoad();
    const bad = await runBad({ behaviour: 'leaks' }, 96 << 20);
    await firstAnswer(bad);
    await proxy.put(clusterOf(bad, '2.0'));
    await bad.container.wait();
    expect((await bad.container.inspect()).State.OOMKilled).toBe(true);
    await proxy.log.line('WARNING', /^Removing cluster from configuration - version: 2\.0/);
    await load.more('1.0', 50);
    await endsWell(load);
    expect(load.answers.get('2.0')).toBeGreaterThan(0);
  });

  test('that answers 500 is taken back', async () => {
    const { proxy, load } = await underLoad();
    await proxy.put(clusterOf(await runBad({ behaviour: 'fails' }), '2.0'));
    await proxy.log.line('WARNING', /^Removing cluster from configuration - version: 2\.0/);
    await endsWell(load);
    expect([...load.answers.keys()]).toEqual(['1.0']);
  });

  test('that never listens never serves', async () => {
    const { proxy, load } = await underLoad();
    // The engine accepts in the name of a container that does not listen: only an answer shows that it is there.
    const version = { healthCheck: { path: '/' }, upgradeTransition: { readyTimeout: 1 } };
    await proxy.put(clusterOf(await runBad({ behaviour: 'silent' }), '2.0', version));
    await proxy.log.line('WARNING', /^Version 2\.0 .* is not ready/);
    await load.more('1.0', 50);
    await endsWell(load);
    expect([...load.answers.keys()]).toEqual(['1.0']);
  });
});
