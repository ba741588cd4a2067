/** What the control plane does about containers: when engines are asked, what is tried again, and what their news lead to. */
import { describe, expect, test } from 'vitest';
import type { ContainerNotice } from '../../../src/control/ports.ts';
import { EngineAway, LaunchFault } from '../../../src/core/containers/launch.ts';
import { inContainers, launchedContainer, spec } from '../release/specs.ts';
import { settled, World } from './fakes.ts';

const SERVER = '127.0.0.1:4001';
const B = inContainers('INSTANT', { version: '2', uuid: 'b' });

async function begun(): Promise<World> {
  const world = new World();
  await world.controller.start(inContainers('INSTANT', { version: '1', uuid: 'a' }));
  world.controller.beginContainers();
  await settled();
  return world;
}

async function stable(): Promise<World> {
  const world = await begun();
  world.containers.launches[0]?.resolve([launchedContainer(SERVER)]);
  await settled();
  return world;
}

/** `b` runs above `a`, and is watched. */
async function candidate(): Promise<World> {
  const world = await stable();
  await world.controller.submit({
    kind: 'put',
    spec: inContainers('INSTANT', { version: '2', uuid: 'b' }),
    origin: 'rest',
  });
  world.containers.launches[1]?.resolve([launchedContainer('127.0.0.1:4002')]);
  await settled();
  return world;
}

const notice = (versionId: string, server: string, more: Partial<ContainerNotice> = {}): ContainerNotice => ({
  versionId,
  containerId: `c-${server}`,
  slot: '0',
  condition: 'down',
  cause: 'container "x" exited with code 1',
  restarts: false,
  done: false,
  output: ['why'],
  ...more,
});

test('no engine is asked before both ports are open', async () => {
  const world = new World();
  await world.controller.start(inContainers('INSTANT', { version: '1', uuid: 'a' }));
  await settled();
  expect(world.containers.launches).toEqual([]);
  world.controller.beginContainers();
  expect(world.containers.launches).toHaveLength(1);
});

test('a PUT with containers is answered before they run', async () => {
  const world = await stable();
  const put = inContainers('INSTANT', { version: '2', uuid: 'b' });
  expect(await world.controller.submit({ kind: 'put', spec: put, origin: 'rest' })).toEqual({
    kind: 'accepted',
    id: 'b',
  });
  expect(world.dataPlane.chain()).toEqual(['a']);
});

test('who follows hears what has been told already, and the end', async () => {
  const world = await begun();
  const [launch] = world.containers.launches;
  launch?.progress({ kind: 'pulling', image: 'app:1' });
  const told: string[] = [];
  const end = world.controller.follow('a', {
    onProgress: ({ kind }) => told.push(kind),
    signal: new AbortController().signal,
  });
  launch?.progress({ kind: 'started', container: 'x' });
  launch?.resolve([launchedContainer(SERVER)]);
  expect(await end).toBeNull();
  expect(told).toEqual(['pulling', 'started']);
});

test('a launch that fails ends the version that was put, with its reason and its output', async () => {
  const world = await stable();
  await world.controller.submit({ kind: 'put', spec: B, origin: 'rest' });
  world.containers.launches[1]?.reject(new LaunchFault('no such image', ['bye']));
  await settled();
  expect(world.phaseOf('b')).toBe('failed');
  expect(world.controller.ledger()[0]).toMatchObject({ rule: 'not-launched', output: ['bye'] });
  await world.clock.pass(1_000);
  expect(world.containers.stops.map(({ id }) => id)).toEqual(['b']);
});

describe('while nothing serves', () => {
  const A = launchedContainer(SERVER);
  const warnings = (world: World) => world.log.lines.filter((line) => line.startsWith('WARNING'));
  const runs = async (world: World, server = SERVER): Promise<void> => {
    world.containers.launches.at(-1)?.resolve([launchedContainer(server)]);
    await settled();
  };

  test('the version of the file is no route before it is ready, and is waited for without end; one line says so', async () => {
    const world = await begun();
    world.network.down.add(SERVER);
    await runs(world);
    await world.clock.pass(100_000);
    expect(world.dataPlane.chain()).toEqual([]);
    expect(warnings(world)).toEqual([
      `WARNING Version 1 is not ready yet, and is waited for, since nothing else serves: its server was not ready within 30 s (${SERVER}: dial tcp ${SERVER}: connection refused)`,
    ]);
    world.network.down.delete(SERVER);
    await world.clock.pass(1_000);
    expect(world.dataPlane.chain()).toEqual(['a']);
    expect(world.phaseOf('a')).toBe('stable');
  });

  test('it serves with the servers that are ready once its time is up', async () => {
    const world = await begun();
    const other = '127.0.0.1:4002';
    world.network.down.add(other);
    world.containers.launches[0]?.resolve([A, launchedContainer(other)]);
    await world.clock.pass(29_000);
    expect(world.dataPlane.chain()).toEqual([]);
    await world.clock.pass(2_000);
    expect(world.dataPlane.chain()).toEqual(['a']);
  });

  test('it is started again, ever more seldom, when its container ends or can not be started', async () => {
    const world = await begun();
    world.network.down.add(SERVER);
    await runs(world);
    world.containers.sink?.notice(notice('a', SERVER));
    await world.clock.pass(1_000);
    expect(world.containers.launches).toHaveLength(2);
    world.containers.launches[1]?.reject(new LaunchFault('Container "x" exited with code 1', ['why']));
    await settled();
    await world.clock.pass(1_999);
    expect(world.containers.launches).toHaveLength(2);
    await world.clock.pass(1);
    expect(world.containers.launches).toHaveLength(3);
    expect(world.phaseOf('a')).toBe('starting');
    expect(warnings(world)).toEqual([
      'WARNING Last output of version 1: why',
      'WARNING Version 1: container "x" exited with code 1',
      'WARNING Last output of version 1: why',
      'WARNING The containers of version 1 could not be started yet, and are tried again: Container "x" exited with code 1',
    ]);
    world.network.down.delete(SERVER);
    await runs(world);
    expect(world.dataPlane.chain()).toEqual(['a']);
  });

  test('a version that is put is told when it is not ready, and the one of the file is waited for all the same', async () => {
    const world = await begun();
    world.network.down.add(SERVER);
    await runs(world);
    await world.controller.submit({ kind: 'put', spec: B, origin: 'rest' });
    const ended = world.controller.follow('b', { onProgress: () => {}, signal: new AbortController().signal });
    world.network.down.add('127.0.0.1:4002');
    await runs(world, '127.0.0.1:4002');
    await world.clock.pass(30_000);
    expect(await ended).toContain('not ready within 30 s');
    world.network.down.delete(SERVER);
    await world.clock.pass(1_000);
    expect(world.dataPlane.chain()).toEqual(['a']);
  });

  test('one that the file brings later, when it is read again, is tried again too', async () => {
    const world = await begun();
    await world.controller.start(B, 'changed');
    world.containers.launches[1]?.reject(new EngineAway('The Docker engine at unix:///x does not answer'));
    await settled();
    expect(world.phaseOf('b')).toBe('starting');
    await world.clock.pass(1_000);
    await runs(world, '127.0.0.1:4002');
    expect(world.dataPlane.chain()).toEqual(['b']);
  });

  test('a trusted version whose container was started again is no route before it is ready', async () => {
    const world = await stable();
    world.containers.sink?.notice(notice('a', SERVER));
    await world.clock.pass(1_000);
    world.network.down.add('127.0.0.1:4009');
    await runs(world, '127.0.0.1:4009');
    expect(world.dataPlane.chain()).toEqual([]);
    await world.clock.pass(60_000);
    world.network.down.delete('127.0.0.1:4009');
    await world.clock.pass(1_000);
    expect(world.dataPlane.chain()).toEqual(['a']);
    expect(world.phaseOf('a')).toBe('stable');
    // It is no release.
    expect(world.controller.ledger('a')).toHaveLength(1);
  });

  test('and one that was found running serves on', async () => {
    const world = await stable();
    world.containers.sink?.engineIsBack();
    world.containers.launches[1]?.resolve([launchedContainer('127.0.0.1:4009')], []);
    await settled();
    expect(world.dataPlane.chain()).toEqual(['a']);
  });
});

describe('an engine that is away when Cutover starts', () => {
  const away = () => new EngineAway('The Docker engine at unix:///x does not answer: there is no such socket');
  const failed = (world: World, at: number) => {
    world.containers.launches[at]?.reject(away());
    return settled();
  };
  const warnings = (world: World) => world.log.lines.filter((line) => line.startsWith('WARNING'));

  test('is asked again, ever more seldom, until it answers; one line says so', async () => {
    const world = await begun();
    await failed(world, 0);
    expect(world.phaseOf('a')).toBe('starting');
    await world.clock.pass(1_000);
    await failed(world, 1);
    await world.clock.pass(1_999);
    expect(world.containers.launches).toHaveLength(2);
    await world.clock.pass(1);
    expect(warnings(world)).toEqual([
      `WARNING The containers of version 1 could not be started yet, and are tried again: ${away().message}`,
    ]);
    world.containers.launches[2]?.resolve([launchedContainer(SERVER)]);
    await settled();
    expect(world.dataPlane.chain()).toEqual(['a']);
  });

  test('is asked at once when it is known to be back, and soon again where that is in vain', async () => {
    const world = await begun();
    await failed(world, 0);
    world.containers.sink?.engineIsBack();
    expect(world.containers.launches).toHaveLength(2);
    await failed(world, 1);
    await world.clock.pass(1_000);
    expect(world.containers.launches).toHaveLength(3);
    world.containers.sink?.engineIsBack();
    expect(world.containers.launches).toHaveLength(4);
    await world.clock.pass(60_000);
    expect(world.containers.launches).toHaveLength(4);
  });

  test('does not keep a PUT waiting, which fails and leaves the other version to be started', async () => {
    const world = await begun();
    await failed(world, 0);
    const put = inContainers('INSTANT', { version: '2', uuid: 'b' });
    await world.controller.submit({ kind: 'put', spec: put, origin: 'rest' });
    const ended = world.controller.follow('b', { onProgress: () => {}, signal: new AbortController().signal });
    await failed(world, 1);
    expect(await ended).toContain('does not answer');
    await world.clock.pass(1_000);
    expect(world.containers.launches.map(({ id }) => id)).toEqual(['a', 'b', 'a']);
    world.containers.launches[2]?.resolve([launchedContainer(SERVER)]);
    await settled();
    expect(world.dataPlane.chain()).toEqual(['a']);
  });
});

test('deleting a version that starts calls its launch off', async () => {
  const world = await stable();
  await world.controller.submit({
    kind: 'put',
    spec: inContainers('INSTANT', { version: '2', uuid: 'b' }),
    origin: 'rest',
  });
  await world.controller.submit({ kind: 'delete', id: 'b' });
  expect(world.containers.launches[1]?.signal.aborted).toBe(true);
  expect(world.containers.stops.map(({ id }) => id)).toEqual(['b']);
});

test('an engine that is away when containers are to be stopped is asked again', async () => {
  const world = await candidate();
  world.containers.fault = 'The Docker engine does not answer';
  await world.controller.submit({ kind: 'rollback', id: 'b', reason: null });
  await world.clock.pass(1_000);
  expect(world.log.lines.join('\n')).toContain('Stopping the containers of version b failed, and is tried again');
  const tried = world.containers.stops.length;
  world.containers.fault = null;
  world.containers.output = ['last words'];
  await world.clock.pass(5_000);
  expect(world.containers.stops.length).toBeGreaterThan(tried);
  expect(world.controller.ledger('b')?.[0]).toMatchObject({ output: ['last words'] });
});

test('a stop that is tried again does not stop a version that was rolled back to meanwhile', async () => {
  const world = await candidate();
  world.containers.fault = 'The Docker engine does not answer';
  await world.controller.submit({ kind: 'promote', id: 'b', reason: null });
  await world.clock.pass(1_000);
  expect(world.containers.stops.map(({ id }) => id)).toContain('a');
  await world.controller.submit({ kind: 'rollback', id: 'b', reason: null });
  world.containers.fault = null;
  const tried = world.containers.stops.length;
  world.containers.launches.at(-1)?.resolve([launchedContainer('127.0.0.1:4005')]);
  await world.clock.pass(60_000);
  expect(world.dataPlane.chain()).toEqual(['a']);
  expect(world.containers.stops.slice(tried).map(({ id }) => id)).toEqual(['b']);
});

test('an engine may remove what no version that is known is, or uses', async () => {
  const world = await candidate();
  await world.controller.submit({ kind: 'rollback', id: 'b', reason: null });
  const linked = inContainers('INSTANT', { version: '3', uuid: 'c', container: { links: ['db'] } });
  await world.controller.submit({ kind: 'put', spec: linked, origin: 'rest' });
  const launch = world.containers.launches.at(-1);
  const isWanted = (versionId: string, name: string) => launch?.isWanted({ versionId, name }, null);
  expect(['a', 'b', 'c', 'd'].map((id) => isWanted(id, 'x'))).toEqual([true, true, true, false]);
  expect([isWanted('d', 'db'), isWanted('d', 'other')]).toEqual([true, false]);
});

test('what another version uses is told from what it does not', async () => {
  const world = await candidate();
  const linked = inContainers('INSTANT', { version: '3', uuid: 'c', container: { links: ['db'] } });
  await world.controller.submit({ kind: 'put', spec: linked, origin: 'rest' });
  await world.controller.submit({ kind: 'rollback', id: 'b', reason: null });
  await world.clock.pass(1_000);
  const [stop] = world.containers.stops;
  expect([stop?.isUsed('db', null), stop?.isUsed('other', null)]).toEqual([true, false]);
});

describe('a container that ends', () => {
  test('takes a candidate back at once, without a request', async () => {
    const world = await candidate();
    expect(world.dataPlane.chain()).toEqual(['b', 'a']);
    world.containers.sink?.notice(notice('b', '127.0.0.1:4002'));
    await world.clock.pass(0);
    await settled();
    expect(world.dataPlane.chain()).toEqual(['a']);
    expect(world.controller.ledger('b')?.[0]).toMatchObject({
      rule: 'dead',
      reason: expect.stringContaining('exited with code 1'),
    });
  });

  test('at the gate fails the version before its time is up', async () => {
    const world = await stable();
    world.network.down.add('127.0.0.1:4002');
    await world.controller.submit({
      kind: 'put',
      spec: inContainers('INSTANT', { version: '2', uuid: 'b' }),
      origin: 'rest',
    });
    world.containers.launches[1]?.resolve([launchedContainer('127.0.0.1:4002')]);
    await settled();
    world.containers.sink?.notice(notice('b', '127.0.0.1:4002'));
    await settled();
    expect(world.phaseOf('b')).toBe('failed');
  });

  test('at the gate, and was overtaken at the same moment, is started again', async () => {
    const world = await stable();
    world.network.down.add('127.0.0.1:4002');
    await world.controller.submit({ kind: 'put', spec: B, origin: 'rest' });
    world.containers.launches[1]?.resolve([launchedContainer('127.0.0.1:4002')]);
    await settled();
    const over = world.controller.submit({ kind: 'put', spec: spec('INSTANT', { version: '3' }), origin: 'rest' });
    world.containers.sink?.notice(notice('b', '127.0.0.1:4002'));
    await over;
    await world.clock.pass(1_000);
    expect(world.phaseOf('b')).toBe('standby');
    expect(world.containers.launches.map(({ id }) => id)).toEqual(['a', 'b', 'b']);
  });

  test('and is started again by its engine does not', async () => {
    const world = await stable();
    world.network.down.add('127.0.0.1:4002');
    await world.controller.submit({
      kind: 'put',
      spec: inContainers('INSTANT', { version: '2', uuid: 'b' }),
      origin: 'rest',
    });
    world.containers.launches[1]?.resolve([launchedContainer('127.0.0.1:4002')]);
    await settled();
    world.containers.sink?.notice(notice('b', '127.0.0.1:4002', { restarts: true }));
    await settled();
    expect(world.phaseOf('b')).toBe('starting');
  });

  test('on trial is started again when its version is trusted all the same', async () => {
    const world = await stable();
    const two = inContainers('INSTANT', { version: '2', uuid: 'b', container: { replicas: 2 }, regretWindowMs: 5_000 });
    await world.controller.submit({ kind: 'put', spec: two, origin: 'rest' });
    world.containers.launches[1]?.resolve([launchedContainer('127.0.0.1:4002'), launchedContainer('127.0.0.1:4003')]);
    await settled();
    world.containers.sink?.notice(notice('b', '127.0.0.1:4003'));
    await world.clock.pass(4_000);
    expect(world.containers.launches.map(({ id }) => id)).toEqual(['a', 'b']);
    await world.clock.pass(3_000);
    expect(world.phaseOf('b')).toBe('stable');
    expect(world.containers.launches.map(({ id }) => id)).toEqual(['a', 'b', 'b']);
  });

  test('of a trusted version is started again', async () => {
    const world = await stable();
    world.containers.sink?.notice(notice('a', SERVER));
    await world.clock.pass(1_000);
    expect(world.containers.launches.map(({ id }) => id)).toEqual(['a', 'a']);
    expect(world.dataPlane.chain()).toEqual(['a']);
  });
});

test('a container whose health check has not passed is waited for at the gate, until its engine says how it is', async () => {
  const world = await stable();
  await world.controller.submit({ kind: 'put', spec: B, origin: 'rest' });
  const healthOf = (condition: ContainerNotice['condition']) =>
    world.containers.sink?.notice(notice('b', '127.0.0.1:4002', { condition, cause: `it is ${condition}` }));
  healthOf('warming');
  world.containers.launches[1]?.resolve([launchedContainer('127.0.0.1:4002')]);
  await world.clock.pass(100_000);
  expect(world.phaseOf('b')).toBe('starting');
  healthOf('healthy');
  await world.clock.pass(1_000);
  expect(world.dataPlane.chain()).toEqual(['b', 'a']);
  await world.controller.submit({ kind: 'put', spec: { ...B, uuid: 'c' }, origin: 'rest' });
  world.containers.launches[2]?.resolve([launchedContainer('127.0.0.1:4003')]);
  world.containers.sink?.notice(
    notice('c', '127.0.0.1:4003', { condition: 'unhealthy', cause: 'container "x" is unhealthy' }),
  );
  await world.clock.pass(31_000);
  expect(world.controller.status('c')?.reason).toContain('container "x" is unhealthy');
});

test('a container that is unhealthy is kept out until it is well, though it takes connections', async () => {
  const world = await stable();
  const two = inContainers('INSTANT', { version: '2', uuid: 'b', container: { replicas: 2 } });
  await world.controller.submit({ kind: 'put', spec: two, origin: 'rest' });
  const servers = ['127.0.0.1:4002', '127.0.0.1:4003'];
  world.containers.launches[1]?.resolve(servers.map((server) => launchedContainer(server)));
  await settled();
  const asked = () => world.dataPlane.table.chain.find(({ id }) => id === 'b')?.servers.map(({ key }) => key);
  world.containers.sink?.notice(
    notice('b', '127.0.0.1:4003', { condition: 'unhealthy', cause: 'container "x" is unhealthy' }),
  );
  await world.clock.pass(5_000);
  expect(asked()).toEqual(['127.0.0.1:4002']);
  world.containers.sink?.notice(notice('b', '127.0.0.1:4003', { condition: 'running' }));
  await world.clock.pass(31_000);
  expect(asked()).toEqual(servers);
});

describe('a container that comes back elsewhere', () => {
  const [A, B, C, D] = ['127.0.0.1:4001', '127.0.0.1:4002', '127.0.0.1:4003', '127.0.0.1:4004'];
  const asked = (world: World) => world.dataPlane.table.chain[0]?.servers.map(({ key }) => key);

  /** One of two containers has ended, and was started again at `C`. */
  async function restarted(): Promise<World> {
    const world = new World();
    const two = inContainers('INSTANT', { version: '1', uuid: 'a', container: { replicas: 2 } });
    await world.controller.start(two);
    world.controller.beginContainers();
    world.containers.launches[0]?.resolve([launchedContainer(A), launchedContainer(B)]);
    await settled();
    world.containers.sink?.notice(notice('a', B));
    await world.clock.pass(1_000);
    world.network.down.add(C);
    world.containers.launches[1]?.resolve([launchedContainer(A), launchedContainer(C)], [launchedContainer(C)]);
    await settled();
    return world;
  }

  test('takes no request before a probe has passed', async () => {
    const world = await restarted();
    expect(asked(world)).toEqual([A]);
    await world.clock.pass(1_400);
    expect(asked(world)).toEqual([A]);
    const everAsked = world.dataPlane.tables.flatMap(({ chain }) => chain[0]?.servers.map(({ key }) => key) ?? []);
    expect(everAsked).not.toContain(C);
    world.network.down.delete(C);
    await world.clock.pass(100);
    expect(asked(world)).toEqual([A, C]);
  });

  test('is asked all the same when nothing else is there', async () => {
    const world = await restarted();
    world.network.down.add(A);
    world.report('a', 'refused', { server: A });
    await settled();
    expect(asked(world)).toEqual([A, C]);
  });

  test('changes nothing about the others: who was kept out still is', async () => {
    const world = await restarted();
    world.network.down.add(A);
    world.network.down.delete(C);
    world.report('a', 'refused', { server: A });
    await world.clock.pass(500);
    expect(asked(world)).toEqual([C]);
    world.containers.sink?.notice(notice('a', C));
    await world.clock.pass(1_000);
    world.containers.launches[2]?.resolve([launchedContainer(A), launchedContainer(D)], [launchedContainer(D)]);
    await settled();
    expect(asked(world)).toEqual([D]);
  });
});

describe('news that a container was started', () => {
  const started = (world: World) => {
    world.containers.sink?.notice(notice('a', SERVER, { condition: 'running' }));
    return settled();
  };

  test.each(['before', 'after'])('here, which come %s the launch is over, lead to nothing', async (when) => {
    const world = await begun();
    if (when === 'before') await started(world);
    world.containers.launches[0]?.resolve([launchedContainer(SERVER)]);
    await settled();
    if (when === 'after') await started(world);
    expect(world.containers.launches).toHaveLength(1);
    // By its engine: it may be found elsewhere.
    await started(world);
    expect(world.containers.launches).toHaveLength(2);
  });

  test('which may have been lost are not waited for', async () => {
    const world = await stable();
    world.containers.sink?.engineIsBack();
    world.containers.launches[1]?.resolve([launchedContainer(SERVER)], []);
    await settled();
    await started(world);
    expect(world.containers.launches).toHaveLength(3);
  });
});

test('an engine that is back is asked for what should run', async () => {
  const world = await candidate();
  world.containers.sink?.engineIsBack();
  expect(world.containers.launches.map(({ id }) => id)).toEqual(['a', 'b', 'b', 'a']);
});

test('a version of servers needs no engine', async () => {
  const world = new World();
  await world.controller.start(spec('INSTANT', { version: '1', uuid: 'a' }));
  world.controller.beginContainers();
  world.containers.sink?.engineIsBack();
  await world.controller.submit({ kind: 'put', spec: spec('INSTANT', { version: '2', uuid: 'b' }), origin: 'rest' });
  await world.controller.submit({ kind: 'delete', id: 'a' });
  await world.clock.pass(1_000);
  expect([world.containers.launches, world.containers.stops]).toEqual([[], []]);
});
