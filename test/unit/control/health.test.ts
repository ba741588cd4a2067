/** Ejection, the way back, and what becomes of a version whose servers fail: the controller and everything below it. */
import { describe, expect, test } from 'vitest';
import type { ClusterSpec, HealthCheck } from '../../../src/core/config/model.ts';
import type { Finding } from '../../../src/core/messages.ts';
import { spec } from '../release/specs.ts';
import { settled, World } from './fakes.ts';

const OLD = '10.0.1.1:80';
const [A, B, C] = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'];
const CHECK: HealthCheck = { path: '/health', intervalMs: 1_000, timeoutMs: 500, expect: null, host: null };

/** `old` is stable with one server; a candidate `new` with these servers is on trial. */
async function onTrial(servers: readonly string[] = [A, B, C], more: Partial<ClusterSpec> = {}): Promise<World> {
  const world = new World();
  await world.controller.start(spec('INSTANT', { version: '1', uuid: 'old', servers: [OLD] }));
  const cluster = { ...spec('INSTANT', { version: '2', uuid: 'new', servers }), ...more };
  await world.controller.submit({ kind: 'put', spec: cluster, origin: 'rest' });
  world.network.tried.length = 0;
  return world;
}

/** A version with these servers serves alone. */
async function alone(servers: readonly string[], more: Partial<ClusterSpec> = {}): Promise<World> {
  const world = new World();
  const cluster = { ...spec('INSTANT', { version: '1', uuid: 'old', servers }), ...more };
  await world.controller.start(cluster);
  return world;
}

function find(world: World, server: string, kind: Finding['kind'] = 'blamed', versionId = 'new'): void {
  const epoch = world.dataPlane.table.chain.find(({ id }) => id === versionId)?.epoch ?? -1;
  const absorbed = kind === 'blamed';
  world.observer.finding({ versionId, epoch, kind, cause: 'server-error', server, absorbed, text: 'it answered 500' });
}

/** The servers that may be asked, with their shares in percent. */
function shares(world: World, id = 'new'): readonly string[] {
  const servers = world.dataPlane.table.chain.find((route) => route.id === id)?.servers ?? [];
  return servers.map(({ key, weight }) => `${key} ${Math.round(weight * 100)}`);
}

const warnings = (world: World) => world.log.lines.filter((line) => line.startsWith('WARNING'));

describe('a server of a version on trial', () => {
  test.each(['blamed', 'unpaired'] as const)('is ejected after three %s failures in a row', async (kind) => {
    const world = await onTrial();
    find(world, B, kind);
    find(world, B, kind);
    await settled();
    expect(shares(world)).toHaveLength(3);
    find(world, B, kind);
    await settled();
    expect(shares(world)).toEqual([`${A} 100`, `${C} 100`]);
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
    expect(warnings(world)).toContainEqual(
      `WARNING Server ${B} of version 2 takes no more requests: its last requests failed: it answered 500`,
    );
  });

  test('is not, when it has answered in between, when the failure is shared, or when others failed', async () => {
    const world = await onTrial();
    for (const between of [() => world.report('new', 'answered', { server: B }), () => find(world, B, 'shared')]) {
      find(world, B);
      find(world, B);
      between();
    }
    find(world, A);
    find(world, C);
    await settled();
    expect(shares(world)).toHaveLength(3);
  });

  test.each([
    ['of another epoch', (world: World) => world.observer.finding({ ...FINDING, epoch: 99 })],
    ['of another server', (world: World) => find(world, '10.9.9.9:80')],
    ['of another version', (world: World) => find(world, B, 'blamed', 'gone')],
  ])('findings %s mean nothing', async (_, tell) => {
    const world = await onTrial();
    for (let n = 0; n < 4; n += 1) tell(world);
    await settled();
    expect(shares(world)).toHaveLength(3);
  });

  test('is judged by findings alone: what no exchange has decided yet says nothing', async () => {
    const world = await onTrial();
    for (let n = 0; n < 9; n += 1) world.report('new', 'server-error', { server: B });
    await settled();
    expect(shares(world)).toHaveLength(3);
  });

  test('is not ejected for what it answers when it is the only one', async () => {
    const world = await onTrial([A]);
    for (let n = 0; n < 3; n += 1) find(world, A);
    await settled();
    expect(world.log.lines.join()).not.toContain('takes no more requests');
  });

  test('comes back by a probe after 0.5 s, with a tenth of its share, which rises for 10 s', async () => {
    const world = await onTrial();
    for (let n = 0; n < 3; n += 1) find(world, B);
    await world.clock.pass(499);
    expect(shares(world)).toHaveLength(2);
    await world.clock.pass(1);
    expect(world.network.tried).toEqual([B]);
    expect(shares(world)).toEqual([`${A} 100`, `${B} 10`, `${C} 100`]);
    world.report('new', 'answered', { server: B });
    await world.clock.pass(5_000);
    expect(shares(world)[1]).toBe(`${B} 55`);
    await world.clock.pass(5_000);
    expect(shares(world)[1]).toBe(`${B} 100`);
    const { length } = world.dataPlane.tables;
    await world.clock.pass(60_000);
    expect(world.dataPlane.tables).toHaveLength(length);
  });

  test('is told with the status of its version', async () => {
    const world = await onTrial();
    for (let n = 0; n < 3; n += 1) find(world, B);
    await settled();
    const healths = () => world.controller.status('new')?.servers.map(({ health }) => health);
    expect(healths()).toEqual(['healthy', 'ejected', 'healthy']);
    await world.clock.pass(500);
    expect(healths()).toEqual(['healthy', 'returning', 'healthy']);
    await world.controller.submit({ kind: 'rollback', id: 'new', reason: null });
    expect(healths()).toEqual([undefined, undefined, undefined]);
  });

  test('that fails its first request after it returned is ejected at once, for twice as long', async () => {
    const world = await onTrial();
    for (let n = 0; n < 3; n += 1) find(world, B);
    await world.clock.pass(500);
    find(world, B);
    await settled();
    expect(shares(world)).toHaveLength(2);
    await world.clock.pass(999);
    expect(shares(world)).toHaveLength(2);
    await world.clock.pass(1);
    expect(shares(world)).toHaveLength(3);
  });

  test('what it did leaves the evidence, and the release goes on', async () => {
    const world = await onTrial();
    for (let n = 0; n < 3; n += 1) find(world, B);
    await settled();
    expect(world.controller.status('new')).toMatchObject({
      evidence: { blamed: 0, unpaired: 0, consecutive: 0 },
      verdict: { kind: 'clean' },
    });
    expect(world.controller.ledger('new')?.[0]?.counts).toMatchObject({ blamed: 3 });
  });

  test('what it did stays when most of the servers are sick: then it is the version that fails', async () => {
    const world = await onTrial([A, B], { transition: lenient() });
    for (let n = 0; n < 3; n += 1) find(world, A);
    await world.clock.pass(500);
    for (let n = 0; n < 3; n += 1) find(world, B);
    await settled();
    expect(world.controller.status('new')).toMatchObject({ evidence: { blamed: 3 } });
  });
});

const FINDING: Finding = {
  versionId: 'new',
  epoch: 0,
  kind: 'blamed',
  cause: 'reset',
  server: B,
  absorbed: true,
  text: 'connection reset',
};

/** Rules under which the verdict has no say here. */
function lenient(): ClusterSpec['transition'] {
  const { transition } = spec('INSTANT');
  return { ...transition, verdict: { ...transition.verdict, consecutive: 1_000 } };
}

describe('a refused connection', () => {
  test('ejects the server when a probe, sent at once, is refused again; the others are tried too', async () => {
    const world = await onTrial();
    world.network.down.add(B);
    world.report('new', 'refused', { server: B });
    await settled();
    expect(world.network.tried.sort()).toEqual([A, B, C]);
    expect(shares(world)).toEqual([`${A} 100`, `${C} 100`]);
    expect(warnings(world).join()).toContain(`Server ${B} of version 2 takes no more requests: dial tcp ${B}`);
  });

  test('that is not found again ejects nobody', async () => {
    const world = await onTrial();
    world.report('new', 'connect-timeout', { server: B });
    await settled();
    expect(shares(world)).toHaveLength(3);
  });

  test('a server that only the probe finds refusing is asked twice before it is ejected', async () => {
    const world = await onTrial();
    world.network.down.add(C);
    world.report('new', 'refused', { server: B });
    await settled();
    expect(world.network.tried.filter((server) => server === C)).toHaveLength(2);
    expect(shares(world)).toEqual([`${A} 100`, `${B} 100`]);
  });

  test('many of them make one look at a time, and one more after the gap', async () => {
    const world = await onTrial([A]);
    for (let n = 0; n < 100; n += 1) world.report('new', 'refused', { server: A });
    await settled();
    expect(world.network.tried).toEqual([A]);
    for (let n = 0; n < 100; n += 1) world.report('new', 'refused', { server: A });
    await world.clock.pass(250);
    expect(world.network.tried).toEqual([A, A]);
    await world.clock.pass(1_000);
    expect(world.network.tried).toEqual([A, A]);
  });

  test('the table is made anew only when other servers may be asked', async () => {
    const world = await alone([A]);
    const { length } = world.dataPlane.tables;
    world.network.down.add(A);
    world.report('old', 'refused', { server: A });
    await world.clock.pass(10_000);
    world.network.down.delete(A);
    await world.clock.pass(60_000);
    expect(world.dataPlane.tables).toHaveLength(length);
    expect(world.log.lines.join()).toContain(`Server ${A} of version 1 takes requests again`);
  });
});

describe('a dead version on trial', () => {
  const WARNING = `WARNING Removing cluster from configuration - version: 2 [${A}]`;

  test.each(['refused', 'connect-timeout'] as const)('is removed at once (%s)', async (kind) => {
    const world = await onTrial([A]);
    world.network.down.add(A);
    world.report('new', kind, { server: A });
    await settled();
    expect(world.dataPlane.chain()).toEqual(['old']);
    expect(world.phaseOf('new')).toBe('failed');
    expect(world.log.lines).toContainEqual(WARNING);
    expect(world.network.tried.sort()).toEqual([A, OLD]);
  });

  test('is one with more than half of its servers ejected, whatever for', async () => {
    const world = await onTrial([A, B, C], { transition: lenient() });
    world.network.down.add(B);
    world.report('new', 'refused', { server: B });
    await settled();
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
    for (let n = 0; n < 3; n += 1) find(world, C);
    await world.clock.pass(250);
    expect(world.dataPlane.chain()).toEqual(['old']);
  });

  test('one of two is not most of them', async () => {
    const world = await onTrial([A, B]);
    world.network.down.add(B);
    world.report('new', 'refused', { server: B });
    await world.clock.pass(60_000);
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
  });

  test('stays while nothing older answers, and is removed when something older does again', async () => {
    const world = await onTrial([A]);
    world.network.down.add(A).add(OLD);
    world.report('new', 'refused', { server: A });
    await settled();
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
    world.network.down.delete(OLD);
    await world.clock.pass(250);
    world.report('new', 'refused', { server: A });
    await settled();
    expect(world.dataPlane.chain()).toEqual(['old']);
  });

  test('is removed without traffic too, by the probe that finds it dead again', async () => {
    const world = await onTrial([A]);
    world.network.down.add(A).add(OLD);
    world.report('new', 'refused', { server: A });
    await world.clock.pass(2_000);
    world.network.down.delete(OLD);
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
    await world.clock.pass(2_000);
    expect(world.dataPlane.chain()).toEqual(['old']);
  });

  test('is not taken back for a dormant version, which has never carried its traffic', async () => {
    const world = await onTrial([A]);
    const between = spec('INSTANT', { version: '1.5', uuid: 'between', servers: ['10.0.2.1:80'] });
    await world.controller.submit({ kind: 'put', spec: between, origin: 'rest' });
    expect(world.dataPlane.chain()).toEqual(['new', 'between', 'old']);
    world.network.down.add(A).add(OLD);
    world.report('new', 'refused', { server: A });
    await world.clock.pass(5_000);
    expect(world.phaseOf('new')).toBe('watching');
  });

  test('an older version that answers a request meanwhile answers, whatever the probe of it says', async () => {
    const world = await onTrial([A]);
    world.network.down.add(A).add(OLD);
    const tryConnect = world.network.tryConnect.bind(world.network);
    world.network.tryConnect = (address) => {
      world.dataPlane.of('old').answered += 1;
      return tryConnect(address);
    };
    world.report('new', 'refused', { server: A });
    await settled();
    expect(world.dataPlane.chain()).toEqual(['old']);
  });

  test('a guilty verdict that waits for a sign of an older version gets it from a probe', async () => {
    const world = await onTrial([A]);
    for (let n = 0; n < 5; n += 1) find(world, A, 'unpaired');
    await settled();
    expect(world.network.tried).toEqual([OLD]);
    expect(world.phaseOf('new')).toBe('failed');
    expect(world.controller.ledger('new')?.[0]).toMatchObject({ rule: 'consecutive' });
  });

  test('a probe that ends after the version was deleted changes nothing', async () => {
    const world = await onTrial([A]);
    world.network.down.add(A);
    world.dataPlane.of('new').inFlight = 1;
    const { promise, resolve } = Promise.withResolvers<void>();
    const tryConnect = world.network.tryConnect.bind(world.network);
    world.network.tryConnect = async (address) => {
      await promise;
      return tryConnect(address);
    };
    world.report('new', 'refused', { server: A });
    await world.controller.submit({ kind: 'delete', id: 'new' });
    resolve();
    await settled();
    expect(world.phaseOf('new')).toBe('draining');
    expect(world.log.lines).not.toContainEqual(WARNING);
  });
});

describe('a version that is not on trial', () => {
  test('is never removed: the server that refuses is ejected and probed back in', async () => {
    const world = await alone([A, B]);
    world.network.down.add(A);
    world.report('old', 'refused', { server: A });
    await settled();
    expect(shares(world, 'old')).toEqual([`${B} 100`]);
    await world.clock.pass(500 + 1_000 + 2_000);
    expect(shares(world, 'old')).toEqual([`${B} 100`]);
    world.network.down.delete(A);
    await world.clock.pass(4_000);
    expect(shares(world, 'old')).toEqual([`${A} 10`, `${B} 100`]);
  });

  test('when all its servers are ejected they are asked all the same', async () => {
    const world = await alone([A, B]);
    world.network.down.add(A).add(B);
    world.report('old', 'refused', { server: A });
    await settled();
    expect(shares(world, 'old')).toEqual([`${A} 100`, `${B} 100`]);
  });

  test('an answer of a server that is asked all the same brings its probe forward', async () => {
    const world = await alone([A, B]);
    world.network.down.add(A).add(B);
    world.report('old', 'refused', { server: A });
    await world.clock.pass(20_000);
    world.network.down.delete(B);
    world.report('old', 'answered', { server: B });
    await settled();
    expect(shares(world, 'old')).toEqual([`${B} 100`]);
  });

  test('and brings it forward only four times a second, however many they are', async () => {
    const world = await alone([A, B], { healthCheck: { ...CHECK, intervalMs: 60_000 } });
    world.network.checks.set(A, { status: 500 }).set(B, { status: 500 });
    await world.clock.pass(190_000);
    world.network.tried.length = 0;
    for (let n = 0; n < 100; n += 1) {
      world.report('old', 'answered', { server: B });
      await settled();
    }
    expect(world.network.tried.sort()).toEqual([A, B]);
  });

  test('a late answer of an ejected server does not bring it back while others do well', async () => {
    const world = await alone([A, B]);
    world.network.down.add(A);
    world.report('old', 'refused', { server: A });
    await settled();
    world.network.down.delete(A);
    world.report('old', 'answered', { server: A });
    await settled();
    expect(shares(world, 'old')).toEqual([`${B} 100`]);
  });

  test('its route stays the same object while the same servers may be asked', async () => {
    const world = await alone([A, B]);
    world.network.down.add(A);
    world.report('old', 'refused', { server: A });
    await settled();
    const [route] = world.dataPlane.table.chain;
    const lower = spec('INSTANT', { version: '0.5', uuid: 'lower', servers: ['10.0.2.1:80'] });
    await world.controller.submit({ kind: 'put', spec: lower, origin: 'rest' });
    expect(world.dataPlane.table.chain[0]).toBe(route);
  });

  test('loses a server that fails three requests in a row, but never most of them for what they answer', async () => {
    const world = await alone([A, B, C]);
    for (const server of [A, B, C]) {
      for (let n = 0; n < 3; n += 1) world.report('old', 'server-error', { server });
    }
    await settled();
    expect(shares(world, 'old')).toEqual([`${B} 100`, `${C} 100`]);
  });

  test('one server of its own is never ejected for what it answers', async () => {
    const world = await alone([A]);
    for (let n = 0; n < 9; n += 1) world.report('old', 'reset', { server: A });
    await settled();
    expect(world.log.lines).toEqual([]);
  });

  test('clients that leave, and paths that do not count, say nothing about a server', async () => {
    const world = await alone([A, B]);
    for (let n = 0; n < 9; n += 1) {
      world.report('old', 'abandoned', { server: A });
      world.report('old', 'server-error', { server: A, counts: false });
    }
    await settled();
    expect(shares(world, 'old')).toHaveLength(2);
  });
});

describe('active checks', () => {
  const checked = { healthCheck: CHECK };

  test('are sent once per interval to each server', async () => {
    const world = await alone([A, B], checked);
    await world.clock.pass(3_000);
    expect(world.network.tried.filter((server) => server === A)).toHaveLength(3);
    expect(world.network.tried.filter((server) => server === B)).toHaveLength(3);
  });

  test('three that fail in a row eject, two that pass bring it back', async () => {
    const world = await alone([A, B], checked);
    world.network.checks.set(A, { status: 500 });
    await world.clock.pass(2_999);
    expect(shares(world, 'old')).toEqual([`${B} 100`]);
    expect(warnings(world)).toEqual([
      `WARNING Server ${A} of version 1 takes no more requests: GET /health was answered 500`,
    ]);
    world.network.checks.set(A, { status: 200 });
    await world.clock.pass(500);
    expect(shares(world, 'old')).toHaveLength(1);
    await world.clock.pass(501);
    expect(shares(world, 'old')).toEqual([`${A} 10`, `${B} 100`]);
  });

  test('a server that passes every other check keeps its place', async () => {
    const world = await alone([A, B], checked);
    for (let n = 0; n < 20; n += 1) {
      world.network.checks.set(A, { status: n % 3 === 2 ? 200 : 500 });
      await world.clock.pass(1_000);
    }
    expect(warnings(world)).toEqual([]);
  });

  test('a version on trial that is dead by its checks is removed', async () => {
    const world = await onTrial([A, B], checked);
    world.network.checks.set(A, { status: 500 }).set(B, { status: 500 });
    await world.clock.pass(5_000);
    expect(world.dataPlane.chain()).toEqual(['old']);
  });

  test('503 with Retry-After keeps a server from requests, but is no crash', async () => {
    const world = await onTrial([A, B, C], checked);
    for (const server of [A, B]) world.network.checks.set(server, { status: 503, retryAfter: true });
    await world.clock.pass(20_000);
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
    expect(shares(world)).toEqual([`${C} 100`]);
  });
});

test('after close no timer is left', async () => {
  const world = await onTrial([A, B, C], { healthCheck: CHECK });
  world.network.down.add(A);
  world.report('new', 'refused', { server: A });
  await settled();
  world.controller.close();
  expect(world.clock.pending).toBe(0);
});
