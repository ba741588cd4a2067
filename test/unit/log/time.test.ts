import { afterEach, expect, test, vi } from 'vitest';
import { localStamps, realWall } from '../../../src/system/log-time.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('the wall clock with microseconds agrees with the machine and follows it when it is set', () => {
  const wall = realWall();
  expect(Math.abs(wall() / 1000 - Date.now())).toBeLessThan(100);
  const hourLater = Date.now() + 3_600_000;
  vi.spyOn(Date, 'now').mockReturnValue(hourLater);
  expect(Math.abs(wall() / 1000 - hourLater)).toBeLessThan(100);
});

test('each second has its own stamp', () => {
  const stamp = localStamps();
  const start = new Date(2026, 0, 2, 3, 4, 59).getTime() * 1000;
  expect([stamp(start + 999_999), stamp(start + 1_000_000), stamp(start)]).toEqual([
    '2026/01/02 03:04:59.999999',
    '2026/01/02 03:05:00.000000',
    '2026/01/02 03:04:59.000000',
  ]);
});
