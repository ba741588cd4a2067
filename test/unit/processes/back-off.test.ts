import { expect, test } from 'vitest';
import { BackOff } from '../../../src/processes/back-off.ts';

test('the first end is mended at once; one after the other ever later, up to five seconds', () => {
  const backOff = new BackOff();
  const delays: number[] = [];
  let nowMs = 0;
  for (let n = 0; n < 9; n += 1) {
    backOff.started(nowMs);
    const delayMs = backOff.next(nowMs + 50);
    delays.push(delayMs);
    nowMs += 50 + delayMs;
  }
  expect(delays).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});

test('a process that lived for ten seconds is started again at once', () => {
  const backOff = new BackOff();
  for (const startedMs of [0, 10, 20]) {
    backOff.started(startedMs);
    backOff.next(startedMs + 5);
  }
  backOff.started(100);
  expect(backOff.next(10_100)).toBe(0);
});
