import fc from 'fast-check';
import semver from 'semver';
import { expect, test } from 'vitest';
import { compareVersions } from '../../../src/core/release/version-order.ts';

test.each([
  ['3', '13'],
  ['1.9', '1.10'],
  ['3.9.1', '3.9.2'],
  ['1.0-rc1', '1.0'],
  ['1.0.0-beta', '1.0.0'],
  ['1.0.0-rc9', '1.0.0-rc10'],
  ['1.0.0-alpha', '1.0.0-alpha.1'],
  ['1.0.0-alpha.1', '1.0.0-alpha.beta'],
  ['1.10b2', '1.10'],
  ['v1.9', '1.10'],
  ['0.0', '0.1'],
  ['2023-12-31', '2024-01-01'],
  ['1.2.3.4', '1.2.3.5'],
  ['99999999999999999999', '100000000000000000000'],
  ['99', 'nightly'],
  ['build-9', 'build-10'],
])('%s is older than %s', (older, newer) => {
  expect(compareVersions(older, newer)).toBeLessThan(0);
  expect(compareVersions(newer, older)).toBeGreaterThan(0);
});

test.each([
  ['1.0', '1.0.0'],
  ['1', '1.0'],
  ['v2.0', '2.0'],
  ['1.0.0+a', '1.0.0+b'],
  ['007', '7'],
])('%s and %s rank alike', (a, b) => {
  expect(compareVersions(a, b)).toBe(0);
});

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.stringMatching(/^v?[0-3](\.[0-3]){0,3}(-(alpha|rc)\.?[0-3]?)?(\+x)?$/),
);

test('the order is total, whatever the texts', () => {
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b))).toBe(0 - Math.sign(compareVersions(b, a)));
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
        expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
    }),
    { numRuns: 2000 },
  );
});

const number = fc.nat({ max: 20 }).map(String);
const identifier = fc.oneof(number, fc.constantFrom('alpha', 'beta', 'rc', 'x'));
const semantic = fc
  .tuple(number, number, number, fc.array(identifier, { maxLength: 3 }))
  .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre.length > 0 ? `-${pre.join('.')}` : ''}`);

test('it is the order of Semantic Versioning', () => {
  fc.assert(
    fc.property(semantic, semantic, (a, b) => {
      expect(Math.sign(compareVersions(a, b))).toBe(semver.compare(a, b, { loose: true }));
    }),
    { numRuns: 1000 },
  );
});
