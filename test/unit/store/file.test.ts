import { describe, expect, test } from 'vitest';
import type { ReleaseState } from '../../../src/core/release/state.ts';
import { documentText, readDocument } from '../../../src/store/document.ts';
import { FileStore } from '../../../src/store/file.ts';
import { FakeDisk } from '../../kit/fake-disk.ts';
import { FakeClock, FakeLog, settled } from '../control/fakes.ts';
import { stateWith } from './states.ts';

const PATH = '/state/config.state.json';

const STATES: readonly ReleaseState[] = [1, 2, 3, 4, 5].map(stateWith);
const state = (versions: number): ReleaseState => STATES[versions - 1] as ReleaseState;

class World {
  readonly clock = new FakeClock();
  readonly log = new FakeLog();
  readonly disk: FakeDisk;
  readonly store: FileStore;

  constructor(kept: ReleaseState | null = null) {
    this.disk = FakeDisk.holding(kept === null ? {} : { [PATH]: documentText(kept, 0) });
    const { clock, log, disk } = this;
    this.store = new FileStore({ path: PATH, files: disk, clock, log }, kept);
  }

  /** How many versions the document has now, or null when there is none. */
  get written(): number | null {
    return versionsIn(this.disk);
  }

  writes(): number {
    return this.disk.steps.filter((step) => step === 'rename').length;
  }
}

function versionsIn(disk: FakeDisk): number | null {
  const text = disk.text(PATH);
  if (text === undefined) return null;
  const read = readDocument(Buffer.from(text));
  if (read.kind !== 'state') throw new Error(`The document is ${read.kind}: ${text}`);
  return read.state.versions.length;
}

const failed = (saving: Promise<void>): Promise<string> =>
  saving.then(
    () => 'no failure',
    (error: Error) => error.message,
  );

describe('save', () => {
  test('resolves when the document is there whole, and nothing else', async () => {
    const { disk, store } = new World();
    await store.save(state(1));
    expect(versionsIn(disk)).toBe(1);
    expect(disk.paths()).toEqual([PATH]);
    expect(disk.steps).toEqual(['create', 'write', 'write', 'sync', 'rename', 'folder']);
  });

  test('saves asked for during a write are written together, the latest one', async () => {
    const world = new World();
    const saves = [1, 2, 3, 4].map((versions) => world.store.save(state(versions)));
    await saves[0];
    expect(world.written).toBe(1);
    await Promise.all(saves);
    expect([world.written, world.writes()]).toEqual([4, 2]);
  });

  test.for([0, 1])(
    'after a crash at any step the document is an old or a new one, with %i documents before',
    async (before) => {
      for (let diesAfter = 1; ; diesAfter += 1) {
        const { disk, store } = new World(before === 0 ? null : state(before));
        disk.diesAfter = diesAfter;
        let acknowledged = before;
        void (async () => {
          for (let versions = before + 1; versions <= 3; versions += 1) {
            await store.save(state(versions));
            acknowledged = versions;
          }
        })();
        await settled();
        if (!disk.dead) break;
        for (const survivor of disk.survivors()) {
          const found = versionsIn(survivor) ?? 0;
          expect([acknowledged, acknowledged + 1], `died after ${disk.steps.join(', ')}`).toContain(found);
        }
      }
    },
  );
});

describe('a write that fails', () => {
  test.for(['create', 'write', 'sync', 'rename'])(
    'at "%s" rejects with the reason and leaves the old document alone',
    async (step) => {
      const world = new World(state(1));
      world.disk.failing.set(step as string, 'ENOSPC');
      expect(await failed(world.store.save(state(2)))).toBe(
        `Writing the state "${PATH}" failed: no space left on the device`,
      );
      expect(world.written).toBe(1);
      expect(world.disk.paths()).toEqual([PATH]);
      world.disk.failing.clear();
      await world.store.save(state(3));
      expect(world.written).toBe(3);
    },
  );

  test.for([
    ['EACCES', 'permission denied'],
    ['EROFS', 'the file system is read-only'],
    ['EDQUOT', 'the disk quota is used up'],
    ['EFBIG', 'the file would be larger than is allowed'],
    ['EIO', 'the device failed'],
    ['EWHATEVER', 'EWHATEVER'],
  ])('%s is told in words', async ([code, words]) => {
    const world = new World();
    world.disk.failing.set('write', code as string);
    expect(await failed(world.store.save(state(2)))).toMatch(new RegExp(`failed: ${words}$`));
  });

  test('is logged once, and so is the first that succeeds', async () => {
    const world = new World(state(1));
    world.disk.failing.set('write', 'ENOSPC');
    await failed(world.store.save(state(2)));
    await failed(world.store.save(state(2)));
    world.disk.failing.clear();
    await world.store.save(state(2));
    await world.store.save(state(3));
    expect(world.log.lines).toEqual([
      `ERROR Writing the state "${PATH}" failed: no space left on the device; changes are refused until it succeeds`,
      `NOTICE The state "${PATH}" is written again`,
    ]);
  });

  test('after the rename is undone as soon as the disk lets it', async () => {
    const world = new World(state(1));
    world.disk.failing.set('folder', 'EIO');
    await failed(world.store.save(state(2)));
    expect(world.written).toBe(2);
    await world.clock.pass(3000);
    world.disk.failing.clear();
    await world.clock.pass(1000);
    expect(world.written).toBe(1);
    for (const survivor of world.disk.survivors()) expect(versionsIn(survivor)).toBe(1);
  });

  test('is not undone over a later one that succeeded', async () => {
    const world = new World(state(1));
    world.disk.failing.set('folder', 'EIO');
    await failed(world.store.save(state(2)));
    world.disk.failing.clear();
    await world.store.save(state(3));
    await world.clock.pass(3000);
    expect(world.written).toBe(3);
  });
});

describe('counters', () => {
  test('are durable within a second, in one write', async () => {
    const world = new World();
    for (const versions of [1, 2, 3]) world.store.note(() => state(versions));
    await world.clock.pass(999);
    expect([world.written, world.writes()]).toEqual([3, 1]);
    await world.clock.pass(5000);
    expect(world.writes()).toBe(1);
  });

  test('are asked for when they are written, and not while a save is under way', async () => {
    const world = new World();
    let current = state(1);
    world.store.note(() => current);
    await world.clock.pass(749);
    const saving = world.store.save(state(4)).then(() => {
      current = state(5);
    });
    const passing = world.clock.pass(1);
    await Promise.all([saving, passing]);
    expect(world.written).toBe(4);
    await world.clock.pass(750);
    expect(world.written).toBe(5);
  });

  test('that could not be written are tried again', async () => {
    const world = new World(state(1));
    let current = state(2);
    world.disk.failing.set('write', 'ENOSPC');
    world.store.note(() => current);
    await world.clock.pass(4000);
    world.disk.failing.clear();
    current = state(3);
    await world.clock.pass(1000);
    expect(world.written).toBe(3);
    expect(world.clock.pending).toBe(0);
  });
});

describe('close', () => {
  test('writes the counters, refuses further saves and leaves no timer', async () => {
    const world = new World();
    const saving = world.store.save(state(1));
    world.store.note(() => state(2));
    await world.store.close();
    await saving;
    expect([world.written, world.clock.pending]).toEqual([2, 0]);
    expect(await failed(world.store.save(state(3)))).toBe('The state is closed');
  });

  test('does not wait for a disk that fails', async () => {
    const world = new World(state(1));
    world.disk.failing.set('create', 'EROFS');
    world.store.note(() => state(2));
    await world.store.close();
    expect([world.written, world.clock.pending]).toEqual([1, 0]);
  });
});
