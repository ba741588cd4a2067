import { describe, expect, test } from 'vitest';
import type { ReleaseState } from '../../../src/core/release/state.ts';
import { documentText, readDocument } from '../../../src/store/document.ts';
import { FileStore } from '../../../src/store/file.ts';
import { FakeDisk } from '../../kit/fake-disk.ts';
import { keptText } from '../../kit/kept-text.ts';
import { FakeClock, FakeLog, settled } from '../control/fakes.ts';
import { stateWith } from './states.ts';

const PATH = '/state/config.state.json';
const JOURNAL = `${PATH}.journal`;

const STATES: readonly ReleaseState[] = [1, 2, 3, 4, 5].map(stateWith);
const state = (versions: number): ReleaseState => STATES[versions - 1] as ReleaseState;

class World {
  readonly clock = new FakeClock();
  readonly log = new FakeLog();
  readonly disk: FakeDisk;
  readonly store: FileStore;

  /** A disk on which a document was written and a journal stands beside it. */
  static async journaling(): Promise<World> {
    const world = new World();
    await world.store.save(state(1));
    await settled();
    world.disk.steps.length = 0;
    return world;
  }

  constructor(kept: ReleaseState | null = null) {
    this.disk = FakeDisk.holding(kept === null ? {} : { [PATH]: documentText(kept, 0) });
    const { clock, log, disk } = this;
    this.store = new FileStore({ path: PATH, files: disk, clock, log }, kept);
  }

  /** How many versions the document has now, or null when there is none. */
  get written(): number | null {
    return versionsIn(this.disk);
  }

  /** How many versions the next start would find, or null when there is no state. */
  get found(): number | null {
    return foundOn(this.disk);
  }

  writes(): number {
    return this.disk.steps.filter((step) => step === 'rename').length;
  }
}

const versionsIn = (disk: FakeDisk): number | null => versionsOf(disk.text(PATH));
const foundOn = (disk: FakeDisk): number | null => versionsOf(keptText(disk, PATH));

function versionsOf(text: string | undefined): number | null {
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
  test('the first resolves when the document is there whole; room for the next ones is taken then', async () => {
    const { disk, store } = new World();
    await store.save(state(1));
    expect(versionsIn(disk)).toBe(1);
    const document = ['create', 'write', 'write', 'sync', 'rename', 'folder'];
    expect(disk.steps).toEqual(document);
    await settled();
    expect(disk.paths()).toEqual([PATH, JOURNAL]);
    expect(disk.steps).toEqual([...document, 'create', 'write', 'write', 'sync', 'folder']);
  });

  test('the next ones wait for one write in place; the document follows within a second', async () => {
    const world = await World.journaling();
    await world.store.save(state(2));
    await world.store.save(state(3));
    expect(world.disk.steps).toEqual(['overwrite', 'overwrite', 'flush', 'overwrite', 'overwrite', 'flush']);
    expect([world.written, world.found]).toEqual([1, 3]);
    await world.clock.pass(999);
    expect([world.written, world.found, world.writes()]).toEqual([3, 3, 1]);
    await world.clock.pass(5000);
    expect([world.writes(), world.clock.pending]).toEqual([1, 0]);
  });

  test('saves asked for during a write are written together, the latest one', async () => {
    const world = new World();
    const saves = [1, 2, 3, 4].map((versions) => world.store.save(state(versions)));
    await saves[0];
    expect(world.written).toBe(1);
    await Promise.all(saves);
    expect([world.written, world.writes()]).toEqual([4, 2]);
  });

  test('does not wait while the document follows', async () => {
    const world = await World.journaling();
    await world.store.save(state(2));
    const { promise, resolve } = Promise.withResolvers<void>();
    world.disk.holding.set('rename', promise);
    await world.clock.pass(750);
    await world.store.save(state(3));
    await world.clock.pass(5000);
    expect([world.written, world.found]).toEqual([1, 3]);
    resolve();
    await settled();
    expect([world.written, world.found]).toEqual([2, 3]);
    await world.clock.pass(999);
    expect(world.written).toBe(3);
  });

  test('that needs the document waits while the document follows', async () => {
    const world = new World(state(1));
    const { promise, resolve } = Promise.withResolvers<void>();
    world.disk.holding.set('rename', promise);
    world.store.note(() => state(2));
    await world.clock.pass(750);
    const saving = world.store.save(state(3));
    await settled();
    expect(world.disk.steps).toEqual(['create', 'write', 'write', 'sync']);
    resolve();
    await saving;
    expect([world.written, world.writes()]).toEqual([3, 2]);
  });

  test('one document is written at a time, however long it takes', async () => {
    const world = await World.journaling();
    const [rename, flush] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await world.store.save(state(2));
    world.disk.holding.set('rename', rename.promise);
    await world.clock.pass(750);
    await world.clock.pass(749);
    world.disk.holding.set('flush', flush.promise);
    const saving = world.store.save(state(3));
    world.store.note(() => state(4));
    await world.clock.pass(5000);
    flush.resolve();
    await saving;
    await settled();
    expect(world.disk.steps.filter((step) => step === 'create')).toHaveLength(1);
    rename.resolve();
    await settled();
    expect([world.written, world.found]).toEqual([2, 3]);
    await world.clock.pass(750);
    expect([world.written, world.clock.pending]).toEqual([4, 0]);
  });

  test('one that is under way when the document is due does not put it off', async () => {
    const world = await World.journaling();
    await world.store.save(state(2));
    await world.clock.pass(749);
    void world.store.save(state(3));
    await world.clock.pass(1);
    await settled();
    expect(world.written).toBe(3);
  });

  test('a state that outgrows the journal is kept by the document, and the next ones by a larger journal', async () => {
    const world = await World.journaling();
    const before = world.disk.bytes(JOURNAL)?.length ?? 0;
    const [large, larger] = [stateWith(80), stateWith(81)];
    expect(documentText(large, 0).length).toBeGreaterThan(before / 2);
    await world.store.save(state(2));
    await world.store.save(large);
    expect(world.written).toBe(80);
    await settled();
    expect(world.disk.bytes(JOURNAL)?.length).toBeGreaterThan(before);
    await world.store.save(larger);
    expect([world.written, world.found]).toEqual([80, 81]);
  });

  test('a state that is too large for a journal is kept by the document alone', async () => {
    const world = new World();
    const huge = (versions: number): ReleaseState => ({ ...state(versions), applied: 'x'.repeat(5_000_000) });
    await world.store.save(huge(1));
    await world.store.save(huge(2));
    await settled();
    expect([world.written, ...world.disk.paths()]).toEqual([2, PATH]);
    expect(world.log.lines).toEqual([]);
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
          const found = foundOn(survivor) ?? 0;
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

  test('of the document refuses saves until it succeeds, though the journal has room', async () => {
    const world = await World.journaling();
    world.disk.failing.set('create', 'ENOSPC');
    await world.store.save(state(2));
    await world.clock.pass(1000);
    expect(await failed(world.store.save(state(3)))).toMatch(/no space left on the device$/);
    expect([world.written, world.found]).toEqual([1, 2]);
    world.disk.failing.clear();
    await world.clock.pass(1000);
    expect(world.written).toBe(2);
    expect(world.log.lines).toEqual([
      `ERROR Writing the state "${PATH}" failed: no space left on the device; changes are refused until it succeeds`,
      `NOTICE The state "${PATH}" is written again`,
    ]);
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

const JOURNAL_WARNING = `WARNING Writing the journal "${JOURNAL}" failed: the device failed; until the next start each change waits for the whole document`;

describe('a journal that fails', () => {
  test('to be made is told once, leaves nothing, and the document keeps all', async () => {
    const world = new World();
    world.disk.failing.set(`create ${JOURNAL}`, 'EIO');
    for (const versions of [1, 2, 3]) {
      await world.store.save(state(versions));
      await settled();
    }
    expect([world.written, world.writes()]).toEqual([3, 3]);
    expect(world.disk.paths()).toEqual([PATH]);
    expect(world.log.lines).toEqual([JOURNAL_WARNING]);
  });

  test.for(['overwrite', 'flush'])('at "%s" is told once, and the document keeps the save', async (step) => {
    const world = await World.journaling();
    world.disk.failing.set(step, 'EIO');
    await world.store.save(state(2));
    await world.store.save(state(3));
    expect([world.written, world.found, world.writes()]).toEqual([3, 3, 2]);
    expect(world.log.lines).toEqual([JOURNAL_WARNING]);
  });

  test('half-way, with a document that fails too: what was refused is undone as soon as the disk lets it', async () => {
    const world = await World.journaling();
    world.disk.failing.set('flush', 'EIO').set('create', 'EIO');
    expect(await failed(world.store.save(state(2)))).toMatch(/^Writing the state/);
    expect(world.found).toBe(2);
    world.disk.failing.clear();
    // At the very millisecond of the document before, which the refused record follows.
    await world.store.close();
    for (const survivor of world.disk.survivors()) expect([versionsIn(survivor), foundOn(survivor)]).toEqual([1, 1]);
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
  test("what is noted later is not written: the document may be the next one's", async () => {
    const world = new World();
    await world.store.save(state(1));
    await world.store.close();
    world.disk.steps.length = 0;
    world.store.note(() => state(2));
    await world.clock.pass(5000);
    expect([world.disk.steps, world.written]).toEqual([[], 1]);
  });

  test('writes the counters, refuses further saves and leaves no timer', async () => {
    const world = new World();
    const saving = world.store.save(state(1));
    world.store.note(() => state(2));
    await world.store.close();
    await saving;
    expect([world.written, world.clock.pending]).toEqual([2, 0]);
    expect(await failed(world.store.save(state(3)))).toBe('The state is closed');
  });

  test('leaves the document alone, with all that was saved', async () => {
    const world = await World.journaling();
    await world.store.save(state(2));
    await world.store.close();
    expect([world.written, world.clock.pending]).toEqual([2, 0]);
    expect(world.disk.paths()).toEqual([PATH]);
  });

  test('leaves the journal where the document does not have it all', async () => {
    const world = await World.journaling();
    await world.store.save(state(2));
    world.disk.failing.set('create', 'EROFS');
    await world.store.close();
    expect([world.written, world.found]).toEqual([1, 2]);
  });

  test('does not wait for a disk that fails', async () => {
    const world = new World(state(1));
    world.disk.failing.set('create', 'EROFS');
    world.store.note(() => state(2));
    await world.store.close();
    expect([world.written, world.clock.pending]).toEqual([1, 0]);
  });
});
