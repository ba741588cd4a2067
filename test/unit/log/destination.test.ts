import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { createDestination } from '../../../src/system/log-destination.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A write that takes bytes until told otherwise. */
function pipe() {
  const state = { taken: '', writes: 0, room: Number.POSITIVE_INFINITY, failure: null as string | null };
  const write = (bytes: Uint8Array): number => {
    state.writes += 1;
    if (state.failure !== null) throw Object.assign(new Error(state.failure), { code: state.failure });
    if (state.room === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
    const count = Math.min(state.room, bytes.length);
    state.room -= count;
    state.taken += Buffer.from(bytes.subarray(0, count)).toString('latin1');
    return count;
  };
  return { state, write };
}

test('lines of one turn are written by one call, in order', async () => {
  const { state, write } = pipe();
  const to = createDestination(write);
  to.write('a\n');
  to.write('b\n');
  expect(state.writes).toBe(0);
  await nextTurn();
  expect(state).toMatchObject({ taken: 'a\nb\n', writes: 1 });
});

test('a busy turn does not wait for its end to write', () => {
  const { state, write } = pipe();
  const to = createDestination(write);
  for (let i = 0; i < 100; i += 1) to.write(`${'x'.repeat(1000)}\n`);
  expect(state.writes).toBeGreaterThan(0);
});

test('what a full pipe does not take is kept, tried again, and arrives whole', () => {
  vi.useFakeTimers();
  const { state, write } = pipe();
  const to = createDestination(write);
  state.room = 3;
  to.write('first\n');
  to.write('second\n');
  vi.advanceTimersByTime(1000);
  expect(state.taken).toBe('fir');
  state.room = 5;
  vi.advanceTimersByTime(1000);
  state.room = 100;
  to.write('third\n');
  vi.advanceTimersByTime(1000);
  expect(state.taken).toBe('first\nsecond\nthird\n');
  expect(to.dropped()).toBe(0);
});

test('past the bound lines are dropped and counted, and memory stays bounded', () => {
  const { state, write } = pipe();
  const to = createDestination(write, { keptBytesMax: 1000 });
  state.room = 0;
  for (let i = 0; i < 1000; i += 1) to.write(`${'x'.repeat(99)}\n`);
  expect(to.dropped()).toBe(990);
  expect(to.clear()).toBe(false);
  state.room = Number.POSITIVE_INFINITY;
  to.flush();
  expect(state.taken.length).toBe(1000);
  expect(to.clear()).toBe(true);
});

test.each(['EPIPE', 'ENOSPC', 'EBADF', 'EIO'])(
  '%s never throws: lines are counted, and later ones get through',
  (code) => {
    const { state, write } = pipe();
    const to = createDestination(write);
    state.failure = code;
    to.write('a\nb\n');
    to.flush();
    to.write('c\n');
    to.flush();
    expect(to.dropped()).toBe(3);
    expect(to.clear()).toBe(false);
    state.failure = null;
    to.write('d\n');
    to.flush();
    expect(state.taken).toBe('d\n');
    expect(to.clear()).toBe(true);
  },
);

test('after a line that was cut off the next one begins on a line of its own', () => {
  const { state, write } = pipe();
  let calls = 0;
  const to = createDestination((bytes) => {
    calls += 1;
    if (calls === 2) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    if (calls === 1) state.room = 4;
    else state.room = 100;
    return write(bytes);
  });
  to.write('cut off\n');
  to.flush();
  to.write('next\n');
  to.flush();
  expect(state.taken).toBe('cut \nnext\n');
});

test('flush gives up on a reader that does not read', () => {
  const { state, write } = pipe();
  state.room = 0;
  const to = createDestination(write);
  to.write('a\n');
  const before = performance.now();
  to.flush();
  expect(performance.now() - before).toBeLessThan(2000);
  expect(state.writes).toBeGreaterThan(1);
});

test('among other processes each write is of whole lines, and small enough to be taken whole', () => {
  const writes: string[] = [];
  const to = createDestination(
    (bytes) => {
      writes.push(Buffer.from(bytes).toString());
      return bytes.length;
    },
    { writeBytesMax: 10 },
  );
  for (const line of ['one', 'two', 'three', 'a line that is too long', 'end']) to.write(`${line}\n`);
  to.flush();
  expect(writes).toEqual(['one\ntwo\n', 'three\n', 'a line that is too long\n', 'end\n']);
});
