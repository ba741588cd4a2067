/** The controller and what it keeps: thresholds ahead of their use, restarts, full disks, crashes. */
import { describe, expect, test, vi } from 'vitest';
import type { ReleaseState } from '../../../src/core/release/state.ts';
import { readDocument } from '../../../src/store/document.ts';
import { FileStore } from '../../../src/store/file.ts';
import { FakeDisk } from '../../kit/fake-disk.ts';
import { keptText } from '../../kit/kept-text.ts';
import { spec } from '../release/specs.ts';
import { FakeClock, FakeLog, settled, World } from './fakes.ts';

const PATH = '/config.state.json';
const FIRST = spec('INSTANT', { version: '1', servers: ['10.0.0.1:80'] });
const FIRST_AS_WRITTEN = { servers: [{ hostname: '10.0.0.1', port: 80 }], version: '1' };

const put = (version: string, mode: Parameters<typeof spec>[0], options: Parameters<typeof spec>[1] = {}) =>
  ({ kind: 'put', spec: spec(mode, { version, servers: ['10.0.0.2:80'], ...options }), origin: 'rest' }) as const;

/** A world whose thresholds have to be durable before they are used. */
async function keeping(): Promise<World> {
  const world = new World();
  world.store.keeps = 'everything';
  await world.controller.start(FIRST, FIRST_AS_WRITTEN);
  return world;
}

const thresholdSaved = (world: World): number | undefined => world.store.saved.at(-1)?.versions[0]?.threshold;

describe('the threshold is durable ahead of its use', () => {
  test.for([
    [0.1, 1],
    [1, 7],
    [3, 9],
    [30, 61],
    [60, 100],
  ] as const)('at %s percent a request the first document has %s', async ([percentagePerRequest, reserved]) => {
    const world = await keeping();
    await world.controller.submit(put('2', 'GRADUAL', { percentagePerRequest }));
    expect(world.dataPlane.table.thresholds[0]).toBe(percentagePerRequest);
    expect(thresholdSaved(world)).toBe(reserved);
  });

  test('rises in order while the disk keeps up, and the document stays ahead', async () => {
    const world = await keeping();
    await world.controller.submit(put('2', 'GRADUAL'));
    for (let percent = 2; percent < 100; percent += 1) {
      world.report('id-1', 'answered');
      expect(world.dataPlane.table.thresholds[0]).toBe(percent);
      await settled();
      expect(thresholdSaved(world)).toBeGreaterThanOrEqual(Math.min(100, percent + 1));
    }
    world.report('id-1', 'answered');
    await settled();
    expect(world.phaseOf('id-2')).toBe('watching');
  });

  test('when the disk is late the ramp waits, no answer is lost, and no request is held up', async () => {
    const world = await keeping();
    await world.controller.submit(put('2', 'GRADUAL'));
    const { promise, resolve } = Promise.withResolvers<void>();
    world.store.gate = promise;
    for (let i = 0; i < 40; i += 1) world.report('id-1', 'answered');
    await settled();
    expect(world.dataPlane.table.thresholds[0]).toBe(7);
    resolve();
    await settled();
    expect(world.dataPlane.table.thresholds[0]).toBe(41);
    expect(thresholdSaved(world)).toBeGreaterThanOrEqual(42);
  });

  test('when the disk is full the ramp waits until it is not', async () => {
    const world = await keeping();
    await world.controller.submit(put('2', 'GRADUAL'));
    const save = vi.spyOn(world.store, 'save').mockRejectedValue(new Error('No space left'));
    for (let i = 0; i < 10; i += 1) {
      world.report('id-1', 'answered');
      await settled();
    }
    expect(world.dataPlane.table.thresholds[0]).toBe(7);
    const tries = save.mock.calls.length;
    await world.clock.pass(10_000);
    expect(save.mock.calls.length - tries).toBeLessThanOrEqual(11);
    save.mockRestore();
    await world.clock.pass(1500);
    expect(world.dataPlane.table.thresholds[0]).toBe(11);
  });

  test('a command does not take back what is reserved', async () => {
    const world = await keeping();
    await world.controller.submit(put('2', 'GRADUAL'));
    const { promise, resolve } = Promise.withResolvers<void>();
    world.store.gate = promise;
    for (let i = 0; i < 20; i += 1) world.report('id-1', 'answered');
    const answer = world.controller.submit(put('0.5', 'INSTANT'));
    resolve();
    await answer;
    await settled();
    const thresholds = world.store.saved.map(({ versions }) => versions[0]?.threshold ?? 0);
    expect(thresholds).toEqual([...thresholds].sort((a, b) => a - b));
    expect(world.dataPlane.table.thresholds[0]).toBe(21);
  });

  test('an orderly end leaves it as it is', async () => {
    const world = await keeping();
    await world.controller.submit(put('2', 'GRADUAL'));
    world.report('id-1', 'answered');
    await settled();
    await world.controller.close();
    expect(world.store.noted?.versions[0]?.threshold).toBe(2);
  });

  test('an orderly end counts the answers that had to wait', async () => {
    const world = await keeping();
    await world.controller.submit(put('2', 'GRADUAL'));
    const { promise, resolve } = Promise.withResolvers<void>();
    world.store.gate = promise;
    for (let i = 0; i < 40; i += 1) world.report('id-1', 'answered');
    await world.controller.close();
    expect(world.store.noted?.versions[0]).toMatchObject({ raises: 40, threshold: 41 });
    resolve();
  });

  test('where nothing is kept, nothing waits', async () => {
    const world = new World();
    await world.controller.start(FIRST);
    await world.controller.submit(put('2', 'GRADUAL'));
    for (let i = 0; i < 40; i += 1) world.report('id-1', 'answered');
    expect(world.dataPlane.table.thresholds[0]).toBe(41);
    expect(world.store.saved.at(-1)?.versions[0]?.threshold).toBe(1);
  });
});

let restarts = 0;

/** What an earlier process left, and the world that finds it. */
async function restarted(state: ReleaseState, asWritten: unknown = FIRST_AS_WRITTEN, downMs = 0) {
  const clock = new FakeClock();
  await clock.pass(downMs);
  restarts += 1;
  const world = new World({ store: new World().store, clock, ids: `restart-${restarts}` });
  world.store.keeps = 'everything';
  await world.controller.restore(state);
  const result = await world.controller.start(FIRST, asWritten);
  return { world, result };
}

const lastOf = (world: World): ReleaseState => world.store.saved.at(-1) as ReleaseState;

describe('after a restart', () => {
  test('everything that served serves at once, with its id and its phase', async () => {
    const before = await keeping();
    await before.controller.submit(put('2', 'SESSION'));
    const { world, result } = await restarted(lastOf(before));
    expect(result).toEqual({ kind: 'unchanged' });
    expect(world.dataPlane.tables).toHaveLength(1);
    expect(world.dataPlane.table.chain).toMatchObject([
      { id: 'id-2', onTrial: true, released: false },
      { id: 'id-1', onTrial: false },
    ]);
    expect(world.log.lines).toEqual([
      'NOTICE Version 2 [10.0.0.2:80] is restored: releasing',
      'NOTICE Version 1 [10.0.0.1:80] is restored: stable',
    ]);
  });

  test('a threshold is not lower than one that was used, and goes on from its count', async () => {
    const before = await keeping();
    await before.controller.submit(put('2', 'GRADUAL'));
    before.report('id-1', 'answered');
    await settled();
    const { world } = await restarted(lastOf(before));
    expect(world.dataPlane.table.thresholds[0]).toBe(8);
    world.report('id-1', 'answered');
    await settled();
    expect(world.dataPlane.table.thresholds[0]).toBe(8);
    for (let i = 0; i < 6; i += 1) {
      world.report('id-1', 'answered');
      await settled();
    }
    expect(world.dataPlane.table.thresholds[0]).toBe(9);
  });

  test('dying again and again does not drive a release on', async () => {
    const before = await keeping();
    await before.controller.submit(put('2', 'GRADUAL'));
    let state = lastOf(before);
    for (let i = 0; i < 50; i += 1) {
      const { world } = await restarted(state);
      await world.controller.submit(put('0.5', 'INSTANT'));
      state = lastOf(world);
    }
    expect(state.versions[0]).toMatchObject({ threshold: 7, raises: 0 });
  });

  test('a version that was starting is made ready again, one that was draining has drained', async () => {
    const before = await keeping();
    await before.controller.submit(put('2', 'INSTANT'));
    await before.controller.submit(put('3', 'SESSION'));
    before.dataPlane.of('id-2').inFlight = 1;
    await before.controller.submit({ kind: 'delete', id: 'id-2' });
    const state = before.store.saved.at(-1) as ReleaseState;
    const versions = state.versions.map((version) =>
      version.id === 'id-3' ? { ...version, phase: 'starting' as const } : version,
    );
    expect(versions.map(({ phase }) => phase)).toEqual(['starting', 'draining', 'stable']);
    const { world } = await restarted({ ...state, versions });
    expect(world.dataPlane.tables[0]?.chain.map(({ id }) => id)).toEqual(['id-1']);
    await settled();
    expect(world.dataPlane.chain()).toEqual(['id-3', 'id-1']);
    await world.clock.pass(500);
    expect([world.phaseOf('id-3'), world.phaseOf('id-2')]).toEqual(['releasing', 'retired']);
  });

  test.for([
    ['right away', 0, 100_000],
    ['later', 30_000, 70_000],
    ['after all of it has passed, at least a minute is left', 1_000_000, 60_000],
    ['with the clock set back, all of it is left', -1_000_000, 100_000],
  ] as const)('what is left of a regret window: %s', async ([, downMs, leftMs]) => {
    const before = await keeping();
    await before.controller.submit(put('2', 'INSTANT', { regretWindowMs: 100_000 }));
    const { world } = await restarted(lastOf(before), FIRST_AS_WRITTEN, downMs);
    await world.clock.pass(leftMs - 250);
    expect(world.phaseOf('id-2') ?? 'watching').toBe('watching');
    await world.clock.pass(500);
    expect(world.phaseOf('id-2')).toBe('stable');
  });

  test('of a window shorter than a minute all is left', async () => {
    const before = await keeping();
    await before.controller.submit(put('2', 'INSTANT', { regretWindowMs: 5000 }));
    const { world } = await restarted(lastOf(before), FIRST_AS_WRITTEN, 4900);
    await world.clock.pass(4500);
    expect(world.phaseOf('id-2')).toBeUndefined();
    await world.clock.pass(1000);
    expect(world.phaseOf('id-2')).toBe('stable');
  });
});

describe('the configuration file against the state', () => {
  test('unchanged, in whatever order of its keys: what was deleted stays so', async () => {
    const before = await keeping();
    await before.controller.submit(put('2', 'INSTANT'));
    await before.controller.submit({ kind: 'delete', id: 'id-1' });
    const reordered = { version: '1', servers: [{ port: 80, hostname: '10.0.0.1' }] };
    const { world, result } = await restarted(lastOf(before), reordered);
    expect(result).toEqual({ kind: 'unchanged' });
    expect(world.dataPlane.chain()).toEqual(['id-2']);
  });

  test('changed: it is a PUT, and the next start finds it unchanged', async () => {
    const before = await keeping();
    await before.controller.submit(put('2', 'INSTANT'));
    const changed = { ...FIRST_AS_WRITTEN, healthCheck: { path: '/' } };
    const { world, result } = await restarted(lastOf(before), changed);
    expect(result).toMatchObject({ kind: 'accepted' });
    expect(world.dataPlane.chain()).toHaveLength(3);
    expect((await restarted(lastOf(world), changed)).result).toEqual({ kind: 'unchanged' });
    expect((await restarted(lastOf(world))).result).toMatchObject({ kind: 'accepted' });
  });

  test('unchanged, but nothing serves: it is put again', async () => {
    const state = lastOf(await keeping());
    const versions = state.versions.map((version) => ({ ...version, phase: 'failed' as const }));
    const { world, result } = await restarted({ ...state, versions });
    expect(result).toMatchObject({ kind: 'accepted' });
    expect(world.dataPlane.chain()).toHaveLength(1);
  });
});

describe('a state that can not be kept', () => {
  test('holds up what a release does by itself, and no longer', async () => {
    const world = await keeping();
    await world.controller.submit(put('2', 'INSTANT', { regretWindowMs: 10_000 }));
    const save = vi.spyOn(world.store, 'save').mockRejectedValue(new Error('No space left'));
    await world.clock.pass(20_000);
    expect(world.dataPlane.table.chain[0]).toMatchObject({ onTrial: true });
    save.mockRestore();
    await world.clock.pass(1500);
    expect(world.phaseOf('id-2')).toBe('stable');
  });

  test('what was due and could not be kept does not come later, when it is due no longer', async () => {
    const world = await keeping();
    await world.controller.submit(put('2', 'SESSION', { sessionTimeoutS: 2 }));
    const save = vi.spyOn(world.store, 'save').mockRejectedValue(new Error('No space left'));
    await world.clock.pass(3000);
    world.dataPlane.of('id-2').olderSessions += 1;
    await world.clock.pass(300);
    save.mockRestore();
    await world.clock.pass(1500);
    expect(world.dataPlane.table.chain[0]).toMatchObject({ released: false });
    await world.clock.pass(1000);
    expect(world.dataPlane.table.chain[0]).toMatchObject({ released: true });
  });

  test('does not hold up a rollback; it is kept as soon as that is possible', async () => {
    const world = await keeping();
    await world.controller.submit(put('2', 'SESSION'));
    const save = vi.spyOn(world.store, 'save').mockRejectedValue(new Error('No space left'));
    world.network.down.add('10.0.0.2:80');
    world.report('id-2', 'refused');
    await settled();
    expect(world.dataPlane.chain()).toEqual(['id-1']);
    expect(world.store.noted?.versions[0]?.phase).toBe('failed');
    save.mockRestore();
  });

  test('a version that could not be started is, once there is room', async () => {
    const world = await keeping();
    const save = vi.spyOn(world.store, 'save');
    save.mockImplementationOnce(() => Promise.resolve()).mockRejectedValueOnce(new Error('No space left'));
    world.network.down.add('10.0.0.2:80');
    const answer = world.controller.submit(put('2', 'SESSION'));
    await settled();
    world.network.down.clear();
    await world.clock.pass(150);
    expect(save).toHaveBeenCalledTimes(2);
    expect(world.dataPlane.chain()).toEqual(['id-1']);
    await world.clock.pass(1500);
    expect(await answer).toMatchObject({ kind: 'accepted' });
    expect(world.dataPlane.chain()).toEqual(['id-2', 'id-1']);
  });
});

/** What clients and callers know when the process dies. */
interface Known {
  readonly accepted: Set<string>;
  readonly deleting: Set<string>;
  readonly deleted: Set<string>;
  /** The highest threshold of `id-2` that was in force. */
  threshold: number;
}

test('after a crash at any step of any save every acknowledged command holds, and no threshold is lower than one used', async () => {
  let died = 0;
  for (let diesAfter = 1; ; diesAfter += 1) {
    const disk = new FakeDisk();
    disk.diesAfter = diesAfter;
    const known: Known = { accepted: new Set(), deleting: new Set(), deleted: new Set(), threshold: 0 };
    await live(disk, known);
    if (!disk.dead) break;
    died += 1;
    for (const survivor of disk.survivors()) await comeBack(survivor, known, disk.steps.join(' '));
  }
  expect(died).toBeGreaterThan(50);
});

async function live(disk: FakeDisk, known: Known): Promise<void> {
  const clock = new FakeClock();
  const store = new FileStore({ path: PATH, files: disk, clock, log: new FakeLog() }, null);
  const world = new World({ store, clock });
  const use = (): void => {
    const index = world.dataPlane.tables.at(-1)?.chain.findIndex(({ id }) => id === 'id-2') ?? -1;
    if (index >= 0) known.threshold = Math.max(known.threshold, world.dataPlane.table.thresholds[index] ?? 0);
  };
  const accept = (result: { kind: string; id?: string }) => result.id !== undefined && known.accepted.add(result.id);
  void (async () => {
    accept(await world.controller.start(FIRST, FIRST_AS_WRITTEN));
    accept(await world.controller.submit(put('2', 'GRADUAL', { percentagePerRequest: 2 })));
    for (let i = 0; i < 30; i += 1) {
      world.report('id-1', 'answered');
      world.report('id-1', 'answered', { direct: i % 3 > 0 });
      use();
      // Now and then the disk has time to catch up.
      if (i % 4 === 0) await settled();
      use();
      if (i === 10) void world.controller.submit(put('0.5', 'INSTANT')).then(accept);
      if (i === 20) {
        known.deleting.add('id-1');
        const result = await world.controller.submit({ kind: 'delete', id: 'id-1' });
        if (result.kind === 'accepted') known.deleted.add('id-1');
        // Two versions that serve are left: the answers come from the other one.
        break;
      }
    }
    await clock.pass(1000);
  })();
  for (let i = 0; i < 60 && !disk.dead; i += 1) await settled();
}

async function comeBack(disk: FakeDisk, known: Known, story: string): Promise<void> {
  const text = keptText(disk, PATH);
  if (text === undefined) {
    expect(known.accepted.size, story).toBe(0);
    return;
  }
  const read = readDocument(Buffer.from(text));
  if (read.kind !== 'state') throw new Error(`The document is ${read.kind} after ${story}`);
  const world = new World();
  await world.controller.restore(read.state);
  await settled();
  const chain = world.dataPlane.chain();
  for (const id of known.accepted) if (!known.deleting.has(id)) expect(chain, story).toContain(id);
  for (const id of known.deleted) expect(chain, story).not.toContain(id);
  const index = chain.indexOf('id-2');
  if (index >= 0 && !world.dataPlane.table.chain[index]?.released) {
    expect(world.dataPlane.table.thresholds[index], story).toBeGreaterThanOrEqual(known.threshold);
  }
}
