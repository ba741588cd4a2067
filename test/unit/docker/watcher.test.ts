/** When the watcher looks, what it deploys, and what it leaves alone; registry and releases are the test's. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Registry } from '../../../src/docker/registry.ts';
import { Watcher } from '../../../src/docker/watcher.ts';
import { clusterOf } from '../containers/samples.ts';
import { FakeClock, FakeLog } from '../control/fakes.ts';
import { Machine } from '../release/machine.ts';

const MINUTE_MS = 60_000;
const digestOf = (letter: string): string => `sha256:${letter.repeat(64)}`;

let clock: FakeClock;
let log: FakeLog;
let machine: Machine;
/** Digests by tag; a string in place of them is why the registry cannot be asked. */
let images: Readonly<Record<string, string>> | string;
let calls: number;
let watcher: Watcher;
/** The watcher of the next process. */
let startAgain: () => Watcher;

beforeEach(() => {
  clock = new FakeClock();
  log = new FakeLog();
  machine = new Machine();
  images = { '1.0': digestOf('a') };
  calls = 0;
  const have = async () => {
    calls += 1;
    if (typeof images === 'string') throw new Error(images);
    return images;
  };
  const registry: Registry = {
    tags: async () => Object.keys(await have()),
    digest: async (_repository, tag) => (await have())[tag] ?? null,
  };
  let put = 0;
  const releases = {
    state: () => machine.state,
    seen: (id: string, digests: readonly string[]) => {
      machine.atMs = clock.wallMs();
      machine.happen({ kind: 'seen', id, digests });
    },
    submit: async (spec: Parameters<Machine['put']>[1]) => {
      put += 1;
      machine.putRunning(`watched-${put}`, spec);
      return { kind: 'accepted', id: `watched-${put}` } as const;
    },
  };
  startAgain = () => new Watcher({ clock, chance: () => 0.5, log, registry, releases });
  watcher = startAgain();
});

/** Puts version 1.0 by hand, with these containers' `watch`. */
function putWatched(watch: object = { semver: '1.x', interval: 60 }, more: object = {}): void {
  machine.putRunning(
    'by-hand',
    clusterOf([{ image: 'r:5000/app', tag: '1.0', portToProxy: 80, watch }], { version: '1.0', ...more }),
  );
}

test('a new image becomes the newest version, in the mode of the one before, after an interval', async () => {
  putWatched(undefined, { upgradeTransition: { mode: 'SESSION' } });
  images = { '1.0': digestOf('a'), '1.1': digestOf('b') };
  await clock.pass(MINUTE_MS - 2000);
  expect(calls).toBe(0);
  await clock.pass(4000);
  expect(machine.phases()).toBe('watched-1:releasing by-hand:stable');
  const [newest] = machine.state.versions;
  expect([newest?.spec.version, newest?.spec.transition.mode]).toEqual(['1.1', 'SESSION']);
  expect(newest?.spec.containers[0]?.image).toBe(`r:5000/app:1.1@${digestOf('b')}`);
  expect(log.lines).toEqual([`NOTICE New image r:5000/app:1.1 (${digestOf('b')}) is deployed`]);
});

test('the same tag with another image is one too', async () => {
  putWatched({ interval: 60 });
  machine.state = launchedOn(digestOf('a'));
  await clock.pass(2 * MINUTE_MS);
  expect(machine.phases()).toBe('by-hand:stable');
  images = { '1.0': digestOf('b') };
  await clock.pass(MINUTE_MS);
  expect(machine.phases()).toBe('watched-1:watching by-hand:stable');
});

test('the interval has its jitter, in which many that started together part', async () => {
  const early = new Watcher({
    clock,
    chance: () => 0,
    log,
    registry: { tags: async () => [], digest: async () => Promise.reject(new Error('asked')) },
    releases: { state: () => machine.state, seen: () => {}, submit: () => Promise.reject(new Error('none')) },
  });
  putWatched();
  await clock.pass(57_000);
  expect([calls, log.lines.length]).toEqual([0, 1]);
  await early.close();
});

test('what cannot be reached is told, and asked again', async () => {
  putWatched();
  images = 'Reaching the registry r:5000 failed: connection refused';
  await clock.pass(MINUTE_MS + 2000);
  expect(log.lines).toEqual([`WARNING Looking for a new image failed: ${images}; it is tried again`]);
  images = { '1.1': digestOf('b') };
  await clock.pass(MINUTE_MS);
  expect(machine.state.versions[0]?.spec.version).toBe('1.1');
});

describe('left alone', () => {
  test('an image that was rolled back', async () => {
    putWatched();
    images = { '1.0': digestOf('a'), '1.1': digestOf('b') };
    const entry = { digest: digestOf('b'), reference: 'r:5000/app:1.1', reason: 'It failed', atMs: 1 };
    machine.state = { ...machine.state, ...launchedOn(digestOf('a')), quarantine: [entry] };
    await clock.pass(30 * MINUTE_MS);
    expect(machine.phases()).toBe('by-hand:stable');
    images = { ...images, '1.2': digestOf('c') };
    await clock.pass(2 * MINUTE_MS);
    expect(machine.state.versions[0]?.spec.version).toBe('1.2');
  });

  test('an image that is too young', async () => {
    putWatched({ semver: '1.x', interval: 60, minAge: 150 });
    machine.state = launchedOn(digestOf('a'));
    images = { '1.0': digestOf('a'), '1.1': digestOf('b') };
    await clock.pass(3 * MINUTE_MS);
    expect(machine.phases()).toBe('by-hand:stable');
    await clock.pass(2 * MINUTE_MS);
    expect(machine.state.versions[0]?.spec.version).toBe('1.1');
  });

  test('an image that is too young, whose age a restart does not change', async () => {
    putWatched({ semver: '1.x', interval: 60, minAge: 150 });
    machine.state = launchedOn(digestOf('a'));
    images = { '1.0': digestOf('a'), '1.1': digestOf('b') };
    await clock.pass(2 * MINUTE_MS);
    await watcher.close();
    watcher = startAgain();
    await clock.pass(MINUTE_MS);
    expect(machine.phases()).toBe('by-hand:stable');
    await clock.pass(2 * MINUTE_MS);
    expect(machine.state.versions[0]?.spec.version).toBe('1.1');
  });

  test('for ten intervals an image that could not be started', async () => {
    putWatched();
    machine.state = launchedOn(digestOf('a'));
    images = { '1.0': digestOf('a'), '1.1': digestOf('b') };
    await clock.pass(MINUTE_MS + 2000);
    machine.happen({ kind: 'rollback', id: 'watched-1', reason: null });
    await clock.pass(8 * MINUTE_MS);
    expect(machine.phases()).toBe('watched-1:failed by-hand:stable');
    await clock.pass(5 * MINUTE_MS);
    expect(machine.phases()).toBe('watched-2:watching watched-1:failed by-hand:stable');
  });

  test('everything while a release is under way', async () => {
    putWatched(undefined, { upgradeTransition: { mode: 'SESSION' } });
    images = { '1.1': digestOf('b') };
    await clock.pass(MINUTE_MS + 2000);
    images = { '1.2': digestOf('c') };
    await clock.pass(10 * MINUTE_MS);
    expect(machine.phases()).toBe('watched-1:releasing by-hand:stable');
  });

  test('what somebody put while the registry was asked', async () => {
    putWatched();
    const answer = Promise.withResolvers<void>();
    const slow = new Watcher({
      clock,
      chance: () => 0.5,
      log,
      registry: { tags: async () => ['1.1'], digest: () => answer.promise.then(() => digestOf('b')) },
      releases: {
        state: () => machine.state,
        seen: () => {},
        submit: () => Promise.reject(new Error('It put something')),
      },
    });
    await watcher.close();
    await clock.pass(MINUTE_MS + 2000);
    machine.put('3', clusterOf([{ image: 'r:5000/app', tag: '3.0', portToProxy: 80 }], { version: '3.0' }));
    answer.resolve();
    await slow.close();
    expect(machine.state.versions[0]?.id).toBe('3');
  });

  test('a version without a watch', async () => {
    machine.put('1', clusterOf([{ image: 'r:5000/app', tag: '1.0', portToProxy: 80 }]));
    await clock.pass(60 * MINUTE_MS);
    expect(calls).toBe(0);
  });
});

/** The state, its version found running on this image. */
function launchedOn(digest: string): Machine['state'] {
  const image = { reference: 'r:5000/app:1.0', imageId: 'i', digest: `r:5000/app@${digest}`, pulled: true };
  const containers = [{ slot: '0', containerId: 'c', name: 'n', engine: null, image, server: null }];
  return { ...machine.state, versions: machine.state.versions.map((one) => ({ ...one, launch: { containers } })) };
}
