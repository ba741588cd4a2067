/** The readiness gate: a version gets traffic when all its servers are ready, or none at all. */
import { describe, expect, test } from 'vitest';
import type { ClusterSpec } from '../../../src/core/config/model.ts';
import type { CommandResult } from '../../../src/core/release/command.ts';
import { type SpecOptions, spec } from '../release/specs.ts';
import { settled, World } from './fakes.ts';

const [A, B] = ['10.0.0.1:80', '10.0.0.2:80'];

async function serving(): Promise<World> {
  const world = new World();
  await world.controller.start(spec('INSTANT', { version: '1', uuid: 'old', servers: ['10.0.1.1:80'] }));
  return world;
}

const next = (options: SpecOptions = {}): ClusterSpec =>
  spec('INSTANT', { version: '2', uuid: 'new', servers: [A, B], ...options });

function put(world: World, cluster: ClusterSpec): Promise<CommandResult> {
  return world.controller.submit({ kind: 'put', spec: cluster, origin: 'rest' });
}

/** The version stands at the gate when this resolves; the answer to the PUT is waited for by nobody. */
async function beginPut(world: World, cluster: ClusterSpec): Promise<void> {
  void put(world, cluster);
  await settled();
}

describe('the gate', () => {
  test('lets a version through at once when every server takes a connection', async () => {
    const world = await serving();
    expect(await put(world, next())).toEqual({ kind: 'accepted', id: 'new' });
    expect(world.clock.nowMs()).toBe(0);
    expect(world.network.tried).toEqual([A, B]);
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
  });

  test('a version whose servers are ready is put and serves in one step, kept once', async () => {
    const world = await serving();
    const saved = world.store.saved.length;
    await put(world, next());
    expect(world.store.saved.slice(saved).map(({ versions }) => versions[0]?.phase)).toEqual(['watching']);
    expect(world.network.tried).toEqual([A, B]);
    await world.clock.pass(60_000);
    expect(world.network.tried).toEqual([A, B]);
  });

  test('one whose servers take longer is kept first; what was ready is not asked again', async () => {
    const world = await serving();
    const saved = world.store.saved.length;
    const { promise, resolve } = Promise.withResolvers<null>();
    const asked: string[] = [];
    world.network.tryConnect = ({ host, port }) => {
      asked.push(`${host}:${port}`);
      return `${host}:${port}` === B ? promise : Promise.resolve(null);
    };
    const answer = put(world, next());
    await world.clock.pass(20);
    expect(world.store.saved.slice(saved).map(({ versions }) => versions[0]?.phase)).toEqual(['starting']);
    expect(world.dataPlane.chain()).toEqual(['old']);
    resolve(null);
    expect(await answer).toEqual({ kind: 'accepted', id: 'new' });
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
    expect(asked).toEqual([A, B, B]);
  });

  test('closing waits for no server', async () => {
    const world = await serving();
    world.network.tryConnect = () => new Promise(() => {});
    void put(world, next());
    await world.controller.close();
    expect(world.clock.nowMs()).toBe(0);
  });

  test('while nothing serves no server is waited for', async () => {
    const world = new World();
    world.network.tryConnect = () => new Promise(() => {});
    expect(await put(world, next())).toEqual({ kind: 'accepted', id: 'new' });
    expect(world.dataPlane.chain()).toEqual(['new']);
  });

  test('there is none for the first version', async () => {
    const world = new World();
    world.network.down.add(A);
    await world.controller.start(next());
    expect(world.dataPlane.chain()).toEqual(['new']);
    expect(world.network.tried).toEqual([]);
  });

  test('waits for the last server, and asks a ready one only once', async () => {
    const world = await serving();
    world.network.down.add(B);
    await beginPut(world, next());
    await world.clock.pass(5_000);
    expect(world.dataPlane.chain()).toEqual(['old']);
    expect(world.network.tried.filter((server) => server === A)).toHaveLength(1);
    const tries = world.network.tried.length - 1;
    expect(tries).toBeGreaterThan(6);
    expect(tries).toBeLessThan(15);
    world.network.down.delete(B);
    await world.clock.pass(1_000);
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
  });

  test('asks again within 100 ms', async () => {
    const world = await serving();
    world.network.down.add(A);
    const answer = put(world, next());
    await settled();
    world.network.down.delete(A);
    await world.clock.pass(100);
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
    expect(await answer).toMatchObject({ kind: 'accepted' });
  });

  test('the status tells what is missing meanwhile, and how often it was tried', async () => {
    const world = await serving();
    world.network.down.add(B);
    await beginPut(world, next());
    const reason = () => world.controller.status('new')?.reason;
    expect(reason()).toBe(`It was put; not ready yet (${B}: dial tcp ${B}: connection refused, one try)`);
    await world.clock.pass(100);
    expect(reason()).toBe(`It was put; not ready yet (${B}: dial tcp ${B}: connection refused, 2 tries)`);
    world.network.down.delete(B);
    await world.clock.pass(1_000);
    expect(reason()).not.toContain('not ready');
  });

  test('the version has failed when the time is up, with the server and the cause', async () => {
    const world = await serving();
    world.network.down.add(B);
    await beginPut(world, next({ readyTimeoutMs: 3_000 }));
    await world.clock.pass(2_999);
    expect(world.phaseOf('new')).toBe('starting');
    await world.clock.pass(1);
    expect(world.phaseOf('new')).toBe('failed');
    expect(world.dataPlane.tables.flatMap(({ chain }) => chain.map(({ id }) => id))).not.toContain('new');
    expect(world.log.lines).toContainEqual(
      `WARNING Version 2 [${A}, ${B}] is not ready: 1 of 2 servers were not ready within 3 s (${B}: dial tcp ${B}: connection refused)`,
    );
    expect(world.store.saved.at(-1)?.ledger[0]).toMatchObject({ id: 'new', rule: 'not-ready', decision: 'failed' });
    const tries = world.network.tried.length;
    await world.clock.pass(60_000);
    expect(world.network.tried).toHaveLength(tries);
  });

  test('a server that never answers the probe is named too', async () => {
    const world = await serving();
    world.network.tryConnect = () => new Promise(() => {});
    await beginPut(world, next({ servers: [A], readyTimeoutMs: 3_000 }));
    // The moment before the put has its turn, and the time that it is given.
    await world.clock.pass(15 + 3_000);
    expect(world.log.lines.join()).toContain(`its server was not ready within 3 s (${A}: it did not answer)`);
  });

  test('a check has to be passed once by each server; 503 with Retry-After is waited for', async () => {
    const world = await serving();
    const check = { path: '/ready', intervalMs: 60_000, timeoutMs: 500, expect: null, host: null };
    world.network.checks.set(A, { status: 503, retryAfter: true });
    await beginPut(world, next({ healthCheck: check }));
    await world.clock.pass(10_000);
    expect(world.phaseOf('new')).toBe('starting');
    world.network.checks.delete(A);
    await world.clock.pass(1_000);
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
  });

  test.each([
    ['DELETE', 'retired', (world: World) => world.controller.submit({ kind: 'delete', id: 'new' })],
    ['rollback', 'failed', (world: World) => world.controller.submit({ kind: 'rollback', id: 'new', reason: null })],
    ['a newer version', 'standby', (world: World) => put(world, next({ version: '3', uuid: 'newer', servers: [A] }))],
  ] as const)('is cancelled by %s', async (_, phase, act) => {
    const world = await serving();
    world.network.down.add(B);
    await beginPut(world, next());
    await world.clock.pass(1_000);
    await act(world);
    expect(world.phaseOf('new')).toBe(phase);
    const tries = world.network.tried.length;
    world.network.down.delete(B);
    await world.clock.pass(60_000);
    expect(world.network.tried).toHaveLength(tries);
    expect(world.phaseOf('new')).toBe(phase);
  });

  test('a version that was overtaken at the gate is released when the newer one fails', async () => {
    const world = await serving();
    world.network.down.add(B).add('10.0.0.9:80');
    await beginPut(world, next());
    await beginPut(world, next({ version: '3', uuid: 'newer', servers: ['10.0.0.9:80'], readyTimeoutMs: 1_000 }));
    world.network.down.delete(B);
    await world.clock.pass(1_000);
    expect(world.phaseOf('newer')).toBe('failed');
    expect(world.phaseOf('new')).toBe('watching');
    expect(world.dataPlane.chain()).toEqual(['new', 'old']);
  });

  test('PUT is answered after putWait all the same', async () => {
    const world = await serving();
    world.network.down.add(A);
    const answer = put(world, next());
    await settled();
    await world.clock.pass(1_000);
    expect(await answer).toEqual({ kind: 'accepted', id: 'new' });
    expect(world.controller.find('new')).toBeDefined();
    expect(world.dataPlane.chain()).toEqual(['old']);
  });

  test('after close nothing is tried and no timer is left', async () => {
    const world = await serving();
    world.network.down.add(A);
    await beginPut(world, next());
    world.controller.close();
    expect(world.clock.pending).toBe(0);
  });
});
