/** Containers are started, and started again, while the state can't be written: requests follow them, and releases wait. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { inContainers, launchedContainer, spec } from '../release/specs.ts';
import { settled, World } from './fakes.ts';

const OLD = '127.0.0.1:4001';
const NEW = '127.0.0.1:4002';

async function starting(): Promise<World> {
  const world = new World();
  world.store.keeps = 'everything';
  await world.controller.start(inContainers('INSTANT', { version: '1', uuid: 'a' }));
  world.controller.beginContainers();
  return world;
}

async function serving(): Promise<World> {
  const world = await starting();
  await runsAt(world, OLD);
  return world;
}

async function runsAt(world: World, server: string): Promise<void> {
  world.containers.launches.at(-1)?.resolve([launchedContainer(server)]);
  await settled();
}

/** `b` is put above `a`, and its containers are being started. */
async function putNewer(world: World): Promise<void> {
  const newer = inContainers('INSTANT', { version: '2', uuid: 'b' });
  await world.controller.submit({ kind: 'put', spec: newer, origin: 'rest' });
}

/** The container of `a` has ended, and runs again somewhere else. */
async function movesTo(world: World, server: string): Promise<void> {
  const containerId = launchedContainer(OLD).containerId;
  const ended = { slot: '0', condition: 'down', cause: 'It exited', restarts: false, done: false, output: [] } as const;
  world.containers.sink?.notice({ versionId: 'a', containerId, ...ended });
  await world.clock.pass(1_000);
  await runsAt(world, server);
}

/** @returns has it written again */
function fill(world: World): () => void {
  const save = vi.spyOn(world.store, 'save').mockRejectedValue(new Error('No space left'));
  onTestFinished(() => save.mockRestore());
  return () => save.mockRestore();
}

const asked = (world: World) =>
  world.dataPlane.table.chain.map(({ id, servers }) => `${id} ${servers.map(({ key }) => key).join()}`);

test('the only version is asked at its new place as soon as somebody listens there, and not before', async () => {
  const world = await serving();
  fill(world);
  world.network.down.add(NEW);
  await movesTo(world, NEW);
  await world.clock.pass(10_000);
  expect(asked(world)).toEqual([]);
  world.network.down.delete(NEW);
  await world.clock.pass(1_000);
  expect(asked(world)).toEqual([`a ${NEW}`]);
  expect(world.store.noted?.versions[0]).toMatchObject({ phase: 'stable', spec: { servers: [{ port: 4002 }] } });
});

test('the first version serves once it is ready', async () => {
  const world = await starting();
  fill(world);
  await runsAt(world, OLD);
  expect(asked(world)).toEqual([`a ${OLD}`]);
});

test('a version beside others is asked at its new place', async () => {
  const world = await serving();
  const older = spec('INSTANT', { version: '0.5', uuid: 'older' });
  await world.controller.submit({ kind: 'put', spec: older, origin: 'rest' });
  fill(world);
  await movesTo(world, NEW);
  expect(asked(world)).toEqual([`a ${NEW}`, 'older 10.0.0.1:80']);
});

test('a version whose container its engine starts again is asked at its new place, though it was never kept that it runs', async () => {
  const world = await serving();
  const older = inContainers('INSTANT', { version: '0.5', uuid: 'older' });
  await world.controller.submit({ kind: 'put', spec: older, origin: 'rest' });
  fill(world);
  await runsAt(world, NEW);
  const started = { slot: '0', condition: 'running', cause: '', restarts: true, done: false, output: [] } as const;
  const { containerId } = launchedContainer(NEW);
  // The first news is of the start that was asked for.
  for (let i = 0; i < 2; i += 1) world.containers.sink?.notice({ versionId: 'older', containerId, ...started });
  await runsAt(world, '127.0.0.1:4003');
  expect(asked(world)).toEqual([`a ${OLD}`, 'older 127.0.0.1:4003']);
});

test('a release waits: a new version does not come to serve beside others until that is kept', async () => {
  const world = await serving();
  await putNewer(world);
  const recovers = fill(world);
  await runsAt(world, NEW);
  await world.clock.pass(3_000);
  expect(asked(world)).toEqual([`a ${OLD}`]);
  recovers();
  await world.clock.pass(1_500);
  expect(asked(world)).toEqual([`b ${NEW}`, `a ${OLD}`]);
});

test('but no longer than others serve, however many commands are refused meanwhile', async () => {
  const world = await serving();
  await putNewer(world);
  fill(world);
  await runsAt(world, NEW);
  world.network.down.add('127.0.0.1:4003');
  await movesTo(world, '127.0.0.1:4003');
  expect(asked(world)).toEqual([]);
  for (let i = 0; i < 5; i += 1) {
    await world.controller.submit({ kind: 'delete', id: 'b' });
    await world.clock.pass(300);
  }
  expect(asked(world)).toEqual([`b ${NEW}`]);
});
