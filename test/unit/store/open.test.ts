import { expect, test } from 'vitest';
import { documentText } from '../../../src/store/document.ts';
import { digestOf, recordBytes } from '../../../src/store/journal.ts';
import type { Lock } from '../../../src/store/lock.ts';
import { openState } from '../../../src/store/open.ts';
import { FakeDisk } from '../../kit/fake-disk.ts';
import { FakeClock, FakeLog, settled } from '../control/fakes.ts';
import { stateWith } from './states.ts';

const PATH = '/state/config.state.json';
const WHOLE = documentText(stateWith(2), 0);

const JOURNAL = `${PATH}.journal`;

/** A journal with one record: a state with so many versions, after a document. */
function journalAfter(document: string, versions = 3): Buffer {
  const text = documentText(stateWith(versions), 0);
  const journal = Buffer.alloc(128 * 1024);
  journal.set(recordBytes({ sequence: 1, after: [digestOf(document)], text }), 64 * 1024);
  return journal;
}

function world(files: Readonly<Record<string, string | Uint8Array>>) {
  const disk = FakeDisk.holding(files);
  const log = new FakeLog();
  let locked = 0;
  const lock = (): Promise<Lock | null> => {
    locked += 1;
    return Promise.resolve({
      release: async () => {
        locked -= 1;
      },
    });
  };
  const parts = { path: PATH, files: disk, clock: new FakeClock(), log, lock };
  return { disk, log, parts, locked: () => locked };
}

const faultOf = (opening: Promise<unknown>): Promise<unknown> =>
  opening.then(
    () => 'no fault',
    (error: { kind: string; message: string }) => `${error.kind}: ${error.message}`,
  );

test('nothing there: nothing is restored, and nothing is left there', async () => {
  const { disk, parts, locked } = world({});
  const opened = await openState(parts);
  expect(opened.state).toBeNull();
  expect(disk.paths()).toEqual([]);
  expect(locked()).toBe(1);
  await opened.close();
  expect(locked()).toBe(0);
});

test("who is closed a second time leaves alone what has been the next one's since", async () => {
  const { disk, parts } = world({ [PATH]: WHOLE });
  const first = await openState(parts);
  await first.store.save(stateWith(3));
  await settled();
  await first.close();
  expect(disk.paths()).toEqual([PATH]);
  const second = await openState(parts);
  await second.store.save(stateWith(4));
  await settled();
  await second.store.save(stateWith(5));
  await first.close();
  expect(disk.paths()).toEqual([PATH, JOURNAL]);
  expect((await openState(parts)).state).toEqual(stateWith(5));
});

test('a document is restored, and what a crash left beside it is removed', async () => {
  const { disk, parts } = world({ [PATH]: WHOLE, [`${PATH}.tmp`]: '{"for' });
  expect((await openState(parts)).state).toEqual(stateWith(2));
  expect(disk.paths()).toEqual([PATH]);
});

test('what was saved after the document is restored, and the document follows within a second', async () => {
  const { disk, log, parts } = world({ [PATH]: WHOLE, [JOURNAL]: journalAfter(WHOLE) });
  const { state, store } = await openState(parts);
  expect(state).toEqual(stateWith(3));
  await store.save(stateWith(4));
  await parts.clock.pass(1000);
  expect(disk.text(PATH)).toContain('"v4"');
  const idle = world({ [PATH]: WHOLE, [JOURNAL]: journalAfter(WHOLE) });
  await openState(idle.parts);
  await idle.parts.clock.pass(1000);
  expect(idle.disk.text(PATH)).toContain('"v3"');
  expect([...log.lines, ...idle.log.lines]).toEqual([]);
});

test.for([
  ['a copy of another document', documentText(stateWith(1), 7), 1],
  ['the document, edited', WHOLE.replace('"written"', ' "written"'), 2],
] as const)('%s in its place: the journal is nothing to it', async ([, text, versions]) => {
  const { disk, log, parts } = world({ [PATH]: text, [JOURNAL]: journalAfter(WHOLE) });
  const { state, close } = await openState(parts);
  expect(state).toEqual(stateWith(versions));
  await close();
  expect(disk.paths()).toEqual([PATH]);
  expect(log.lines).toEqual([]);
});

test('a journal without its document is nothing', async () => {
  const { parts } = world({ [JOURNAL]: journalAfter(WHOLE) });
  expect((await openState(parts)).state).toBeNull();
});

const MAY_BE_MISSING = 'what was saved last may be missing';

test.for([
  ['torn', journalAfter(WHOLE).fill('x', 64 * 1024 + 300), 'has a record that is not whole, as a power cut leaves it'],
  ['something else', Buffer.from('Dear diary'), 'has a record that is not whole, as a power cut leaves it'],
] as const)('a journal that is %s keeps nobody from starting', async ([, journal, what]) => {
  const { log, parts } = world({ [PATH]: WHOLE, [JOURNAL]: journal });
  expect((await openState(parts)).state).toEqual(stateWith(2));
  expect(log.lines).toEqual([`WARNING The journal "${JOURNAL}" ${what}: ${MAY_BE_MISSING}`]);
});

test('a journal with a record that is no state keeps nobody from starting', async () => {
  const journal = Buffer.alloc(128 * 1024);
  journal.set(recordBytes({ sequence: 1, after: [digestOf(WHOLE)], text: '{"format": 99}' }));
  const { log, parts } = world({ [PATH]: WHOLE, [JOURNAL]: journal });
  expect((await openState(parts)).state).toEqual(stateWith(2));
  expect(log.lines).toEqual([`WARNING The journal "${JOURNAL}" has a record that can not be used: ${MAY_BE_MISSING}`]);
});

test('a journal that can not be read keeps nobody from starting', async () => {
  const { disk, log, parts } = world({ [PATH]: WHOLE, [JOURNAL]: '' });
  disk.failing.set(`read ${JOURNAL}`, 'EACCES');
  expect((await openState(parts)).state).toEqual(stateWith(2));
  expect(log.lines).toEqual([`WARNING Reading the journal "${JOURNAL}" failed: permission denied: ${MAY_BE_MISSING}`]);
});

test('a damaged document is set aside with an error', async () => {
  const { disk, log, parts } = world({ [PATH]: WHOLE.slice(0, 100) });
  expect((await openState(parts)).state).toBeNull();
  const aside = `${PATH}.damaged-2014-05-13T16-53-20.000Z`;
  expect(disk.paths()).toEqual([aside]);
  expect(disk.text(aside)).toBe(WHOLE.slice(0, 100));
  expect(log.lines).toEqual([
    `ERROR The state "${PATH}" is damaged (it is not a JSON object): it is kept as "${aside}", and the configuration is used`,
  ]);
});

test('a newer format is refused and left alone', async () => {
  const { disk, parts, locked } = world({ [PATH]: '{"format": 9}' });
  expect(await faultOf(openState(parts))).toMatch(/^unusable: The state ".*" has format 9 and this Cutover reads/);
  expect(disk.text(PATH)).toBe('{"format": 9}');
  expect(locked()).toBe(0);
});

test.for([
  ['resolve', 'ENOENT', /^unusable: Opening the state ".*" failed: its folder: no such file$/],
  ['read', 'EACCES', /^unusable: Reading the state ".*" failed: permission denied$/],
  ['read', 'EISDIR', /^unusable: Reading the state ".*" failed: it is a directory$/],
  [
    'create',
    'EROFS',
    /^unusable: Writing beside the state ".*" failed: the file system is read-only; "state\.file" can/,
  ],
  ['write', 'EIO', /^unusable: Writing beside/],
] as const)('a "%s" that fails with %s is a fault', async ([step, code, line]) => {
  const { disk, parts, locked } = world({ [PATH]: WHOLE });
  disk.failing.set(step, code);
  expect(await faultOf(openState(parts))).toMatch(line);
  expect(locked()).toBe(0);
});

test('a damaged document that can not be set aside is a fault', async () => {
  const { disk, parts } = world({ [PATH]: '' });
  disk.failing.set('rename', 'EROFS');
  expect(await faultOf(openState(parts))).toMatch(/^unusable: The state ".*" is damaged .* can not be set aside/);
});

test('a full disk is a fault only where there is no state to serve by', async () => {
  const full = world({ [PATH]: WHOLE });
  full.disk.failing.set('write', 'ENOSPC');
  expect((await openState(full.parts)).state).toEqual(stateWith(2));
  expect(full.log.lines).toEqual([expect.stringMatching(/^ERROR Writing beside .* no space left/)]);
  const empty = world({});
  empty.disk.failing.set('write', 'ENOSPC');
  expect(await faultOf(openState(empty.parts))).toMatch(/^unusable: /);
});

test('a state that another one holds is refused, untouched', async () => {
  const { disk, parts } = world({ [PATH]: '' });
  expect(await faultOf(openState({ ...parts, lock: () => Promise.resolve(null) }))).toBe(
    `in-use: The state "${PATH}" is in use by another Cutover`,
  );
  expect(disk.paths()).toEqual([PATH]);
});
