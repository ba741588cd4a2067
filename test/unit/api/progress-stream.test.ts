/** The stream that answers a PUT with containers is never silent for five seconds. */
import { afterEach, expect, test, vi } from 'vitest';
import type { ReleaseControl } from '../../../src/api/contract.ts';
import { progressStream } from '../../../src/api/progress-stream.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('silence is broken before five seconds are over, again and again, until the end', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const end = Promise.withResolvers<null>();
  const control = { follow: () => end.promise } as unknown as ReleaseControl;
  const reader = progressStream({ id: 'v', form: 'text', control }).getReader();
  const next = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString();
  expect(await next()).toBe('accepted v\n');
  for (const seconds of [4, 8, 12]) {
    vi.advanceTimersByTime(4_000);
    expect(await next()).toBe(`waiting (${seconds} s)\n`);
  }
  end.resolve(null);
  expect(await next()).toBe('v\n');
  expect((await reader.read()).done).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
