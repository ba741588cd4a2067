/** Deadlines: noticed by the next sweep, and not held against anybody while the process stood still. */
import { expect, test } from 'vitest';
import { Sweeper } from '../../../src/proxy/sweeper.ts';
import type { Clock } from '../../../src/system/clock.ts';

/** A clock that is set by hand, and the sweep that was asked of it. */
function handClock() {
  const state = { nowMs: 1000, sweep: (): void => {}, timers: 0 };
  const clock: Clock = {
    nowMs: () => state.nowMs,
    wallMs: () => 0,
    after: () => () => {},
    every: (_periodMs, callback) => {
      state.timers += 1;
      state.sweep = callback;
      return () => {
        state.timers -= 1;
      };
    },
  };
  return { state, clock };
}

function watched(sweeper: Sweeper, deadlineMs: number) {
  const item = {
    deadlineMs,
    passed: 0,
    onDeadline(): void {
      item.passed += 1;
    },
  };
  sweeper.add(item);
  return item;
}

test('a deadline is noticed by the first sweep at or after it, and again until it is moved', () => {
  const { state, clock } = handClock();
  const sweeper = new Sweeper(clock);
  const item = watched(sweeper, 1120);
  for (const [nowMs, passed] of [
    [1050, 0],
    [1100, 0],
    [1150, 1],
    [1200, 2],
  ] as const) {
    state.nowMs = nowMs;
    state.sweep();
    expect(item.passed).toBe(passed);
  }
});

test('after the process stood still one sweep passes, so that what came meanwhile can move the deadlines', () => {
  const { state, clock } = handClock();
  const sweeper = new Sweeper(clock);
  const [moved, missed] = [watched(sweeper, 2000), watched(sweeper, 2000)];
  state.nowMs = 9000;
  state.sweep();
  expect(sweeper.nowMs).toBe(9000);
  moved.deadlineMs = 20_000;
  state.nowMs = 9050;
  state.sweep();
  expect([moved.passed, missed.passed]).toEqual([0, 1]);
});

test('sweeps that are late each time judge every second time', () => {
  const { state, clock } = handClock();
  const item = watched(new Sweeper(clock), 1500);
  for (const passed of [0, 1, 1, 2]) {
    state.nowMs += 1000;
    state.sweep();
    expect(item.passed).toBe(passed);
  }
});

test('with nothing to watch no timer runs, and a pause without one is no standstill', () => {
  const { state, clock } = handClock();
  const sweeper = new Sweeper(clock);
  const first = watched(sweeper, 5000);
  expect(state.timers).toBe(1);
  sweeper.delete(first);
  state.sweep();
  expect(state.timers).toBe(0);
  state.nowMs = 100_000;
  const second = watched(sweeper, 100_010);
  state.nowMs = 100_050;
  state.sweep();
  expect(second.passed).toBe(1);
});
