/** Which image a watch takes, and the version that is put for it. */
import { describe, expect, test } from 'vitest';
import { candidateTags, chooseImage, withImage } from '../../../src/core/containers/watch.ts';
import { clusterOf, containerOf } from './samples.ts';

const watchOf = (watch: object) => {
  const spec = containerOf({ image: 'registry:5000/app', tag: '1.2', watch }).watch;
  if (spec === null) throw new Error('No watch');
  return spec;
};

describe('candidates, the newest first, the current one last', () => {
  const tags = ['latest', '1.2', '1.10', '1.9-rc1', '1.9', '2.0', 'v1.11', '1.1', 'nightly-7'];
  test.each([
    ['its own tag alone', {}, '1.2', ['1.2']],
    ['a pattern, in natural order', { tags: '1.*' }, '1.2', ['1.10', '1.9', '1.9-rc1', '1.2']],
    ['a pattern of one character', { tags: 'nightly-?' }, 'nightly-3', ['nightly-7', 'nightly-3']],
    ['dots are dots', { tags: '1.1' }, '1.0', ['1.1', '1.0']],
    ['a range, without pre-releases', { semver: '^1.2' }, '1.2', ['v1.11', '1.10', '1.9', '1.2']],
    [
      'a range from a tag that is no version',
      { semver: '1.x' },
      'latest',
      ['v1.11', '1.10', '1.9', '1.2', '1.1', 'latest'],
    ],
    ['nothing newer', { semver: '<1' }, '1.2', ['1.2']],
  ])('%s', (_name, watch, current, expected) => {
    expect(candidateTags(watchOf(watch), current, tags)).toEqual(expected);
  });
});

describe('what is chosen', () => {
  const found = ['1.4', '1.3', '1.2'].map((tag) => ({ tag, digest: `sha256:${tag}` }));
  const choose = (known: { barred?: string; young?: string; running?: string | null; minAge?: number }) =>
    chooseImage(found, watchOf({ minAge: known.minAge ?? 0 }), {
      digest: known.running === undefined ? 'sha256:1.2' : known.running,
      isBarred: (digest) => digest === `sha256:${known.barred}`,
      ageMs: (digest) => (digest === `sha256:${known.young}` ? 59_000 : 60_000),
    })?.tag ?? null;

  test.each([
    ['the newest', {}, '1.4'],
    ['nothing when it runs', { running: 'sha256:1.4' }, null],
    ['the next when it was rolled back', { barred: '1.4' }, '1.3'],
    ['the next when it is too young', { young: '1.4', minAge: 60 }, '1.3'],
    ['nothing that is older than what runs', { barred: '1.4', running: 'sha256:1.3' }, null],
    ['anything where nothing is known of what runs', { running: null }, '1.4'],
  ])('%s', (_name, known, expected) => {
    expect(choose(known)).toBe(expected);
  });
});

describe('the version for it', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const cluster = (version: string, container: object = {}) =>
    clusterOf([{ image: 'db' }, { image: 'registry:5000/app', tag: '1.2', portToProxy: 80, watch: {}, ...container }], {
      version,
    });

  test('has the image by its digest, is shown with it, and all else is as before', () => {
    const before = {
      ...cluster('1.2', { environment: ['KEY=secret'] }),
      servers: [{ host: '127.0.0.1', port: 32_768 }],
    };
    const { servers, containers, version, shownContainers, ...rest } = withImage(before, 1, { tag: '1.3', digest });
    const image = `registry:5000/app:1.3@${digest}`;
    expect(containers).toEqual([before.containers[0], { ...before.containers[1], image }]);
    expect([version, servers]).toEqual(['1.3', []]);
    expect(shownContainers).toEqual([{ image: 'db' }, { image, portToProxy: 80, watch: {}, environment: ['KEY=***'] }]);
    expect(rest.transition).toBe(before.transition);
  });

  test('keeps a name that is not its tag', () => {
    expect(withImage(cluster('shop 7'), 1, { tag: '1.3', digest }).version).toBe('shop 7');
  });

  test('is watched on under its new tag', () => {
    const once = withImage(cluster('1.2'), 1, { tag: '1.3', digest });
    const twice = withImage(once, 1, { tag: '1.4', digest });
    expect([twice.version, twice.containers[1]?.image]).toEqual(['1.4', `registry:5000/app:1.4@${digest}`]);
  });
});
