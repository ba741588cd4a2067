import { describe, expect, test } from 'vitest';
import { BackgroundNames } from '../../../src/system/names.ts';
import { FakeClock } from '../control/fakes.ts';

type Answer = (failure: Error | null, addresses: readonly string[]) => void;

function made() {
  const clock = new FakeClock();
  const asked: { host: string; answer: Answer }[] = [];
  const names = new BackgroundNames({ clock, lookup: (host, answer) => asked.push({ host, answer }) });
  const answer = (...addresses: readonly string[]) => asked.at(-1)?.answer(null, addresses);
  const fail = () => asked.at(-1)?.answer(new Error('ENOTFOUND'), []);
  return { clock, asked, names, answer, fail };
}

test('literals and localhost need no resolver', () => {
  const { names, asked } = made();
  const seen: (readonly string[])[] = [];
  for (const host of ['192.0.2.7', '::1', 'localhost']) names.whenKnown(host, (addresses) => seen.push(addresses));
  expect(seen).toEqual([['192.0.2.7'], ['::1'], ['127.0.0.1', '::1']]);
  expect(names.addressesOf('192.0.2.7')).toBe(names.addressesOf('192.0.2.7'));
  names.refresh('192.0.2.7');
  names.watch(['192.0.2.7', 'localhost']);
  expect(asked).toEqual([]);
});

describe('a name', () => {
  test('is resolved once for all who wait, IPv4 first, and known from then on', () => {
    const { names, asked, answer } = made();
    const seen: string[] = [];
    names.whenKnown('app', (addresses) => seen.push(`a ${addresses}`));
    names.whenKnown('app', (addresses) => seen.push(`b ${addresses}`));
    names.whenKnown('app', (addresses) => seen.push(`c ${addresses}`))();
    expect(names.addressesOf('app')).toEqual([]);
    answer('2001:db8::1', '192.0.2.1', '192.0.2.2');
    expect(seen).toEqual(['a 192.0.2.1,192.0.2.2,2001:db8::1', 'b 192.0.2.1,192.0.2.2,2001:db8::1']);
    expect(names.addressesOf('app')).toHaveLength(3);
    expect(asked).toHaveLength(1);
  });

  test('that can not be resolved calls back with nothing, and is tried anew for the next who waits', () => {
    const { names, fail, answer } = made();
    const seen: (readonly string[])[] = [];
    names.whenKnown('app', (addresses) => seen.push(addresses));
    fail();
    names.whenKnown('app', (addresses) => seen.push(addresses));
    answer('192.0.2.1');
    expect(seen).toEqual([[], ['192.0.2.1']]);
  });

  test('is resolved every 10 s; its last addresses stay when the resolver fails', async () => {
    const { names, clock, asked, answer, fail } = made();
    names.addressesOf('app');
    answer('192.0.2.1');
    await clock.pass(10_000);
    expect(asked).toHaveLength(2);
    fail();
    expect(names.addressesOf('app')).toEqual(['192.0.2.1']);
    await clock.pass(10_000);
    answer('192.0.2.9');
    expect(names.addressesOf('app')).toEqual(['192.0.2.9']);
  });

  test('is resolved anew after a failure, at most once a second and one at a time', async () => {
    const { names, clock, asked, answer } = made();
    names.addressesOf('app');
    names.refresh('app');
    answer('192.0.2.1');
    names.refresh('app');
    expect(asked).toHaveLength(1);
    await clock.pass(1_000);
    names.refresh('app');
    names.refresh('app');
    expect(asked).toHaveLength(2);
  });
});

test('watch resolves its names ahead and forgets the others', async () => {
  const { names, clock, asked, answer } = made();
  names.watch(['old']);
  answer('192.0.2.1');
  names.watch(['new']);
  await clock.pass(10_000);
  expect(asked.map(({ host }) => host)).toEqual(['old', 'new']);
});

test('close ends the background work and drops those who wait', () => {
  const { names, clock, answer } = made();
  const seen: unknown[] = [];
  names.whenKnown('app', (addresses) => seen.push(addresses));
  names.close();
  answer('192.0.2.1');
  expect(seen).toEqual([]);
  expect(clock.pending).toBe(0);
});
