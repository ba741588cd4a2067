import { describe, expect, test } from 'vitest';
import { MODES } from '../../../src/core/config/model.ts';
import { buildTable, withThreshold } from '../../../src/core/routing/build-table.ts';
import { decide } from '../../../src/core/routing/decide.ts';
import { policies } from '../../../src/core/routing/modes.ts';
import { conformance } from './conformance.ts';
import { type Asked, facts, route } from './facts.ts';

for (const mode of MODES) conformance(mode, policies[mode]);

const IN_BUCKET_3 = '952c8557-2088-11e4-87e3-600308a8245e';

describe('SESSION', () => {
  const table = buildTable(
    1,
    [route('c', { mode: 'SESSION', released: false }), route('b', { mode: 'SESSION', released: false }), route('a')],
    [],
  );
  test.each([
    ['', 0],
    ['c', 0],
    ['b', 1],
    ['a', 2],
    ['gone', 0],
  ])('the session %j is taken by the version at %i', (sessionId, admitted) => {
    expect(decide(table, facts({ sessionId })).admitted).toBe(admitted);
  });
});

describe('GRADUAL', () => {
  const admitted = (threshold: number, asked: Asked, bucketKey = 'cookie') => {
    const chain = [route('b', { mode: 'GRADUAL', released: false, bucketKey }), route('a')];
    return decide(buildTable(1, chain, [threshold, 0]), facts(asked)).admitted;
  };

  test('bucket 3 moves when the threshold has passed 3, not before', () => {
    expect(admitted(3, { transitionId: IN_BUCKET_3 })).toBe(1);
    expect(admitted(3.5, { transitionId: IN_BUCKET_3 })).toBe(0);
  });

  test("a client of the new version stays, whatever its bucket, and the old version's session means nothing", () => {
    expect(admitted(1, { transitionId: IN_BUCKET_3, sessionId: 'b' })).toBe(0);
    expect(admitted(4, { transitionId: IN_BUCKET_3, sessionId: 'a' })).toBe(0);
  });

  test('the key can be an address or a header; without that header the cookie counts', () => {
    expect(admitted(4, { ip: IN_BUCKET_3 }, 'ip')).toBe(0);
    expect(admitted(3, { ip: IN_BUCKET_3 }, 'ip')).toBe(1);
    expect(admitted(4, { headers: { 'x-user': IN_BUCKET_3 } }, 'x-user')).toBe(0);
    expect(admitted(3, { headers: { 'x-user': IN_BUCKET_3 } }, 'x-user')).toBe(1);
    expect(admitted(4, { transitionId: IN_BUCKET_3 }, 'x-user')).toBe(0);
  });

  test('a rise makes a table that shares chain and plans', () => {
    const table = buildTable(1, [route('b', { mode: 'GRADUAL', released: false }), route('a')], [3, 0]);
    const raised = withThreshold(table, 2, { index: 0, threshold: 4 });
    expect(table.thresholds).toEqual([3, 0]);
    expect(raised).toEqual({ ...table, number: 2, thresholds: [4, 0] });
    expect(raised.chain).toBe(table.chain);
    expect(raised.single).toBe(table.single);
    expect(raised.fanOut).toBe(table.fanOut);
  });
});

describe('CONCURRENT', () => {
  const plan = (options: object, method = 'GET') =>
    decide(
      buildTable(1, [route('c', { mode: 'CONCURRENT', released: false, ...options }), route('b'), route('a')], []),
      facts({ method }),
    );

  test('asks the N newest at once, at most all there are', () => {
    expect(plan({})).toMatchObject({ kind: 'fan-out', legs: 2, admitted: 0 });
    expect(plan({ versions: 3 })).toMatchObject({ kind: 'fan-out', legs: 3 });
    expect(plan({ versions: 9 })).toMatchObject({ kind: 'fan-out', legs: 3 });
  });

  test('asks the newest alone once released, and for methods that are not duplicated', () => {
    expect(plan({ released: true })).toMatchObject({ kind: 'single', legs: 1, admitted: 0 });
    expect(plan({ duplicatedMethods: ['GET'] }, 'POST')).toMatchObject({ kind: 'single', legs: 1, admitted: 0 });
    expect(plan({ duplicatedMethods: ['GET'] }, 'GET')).toMatchObject({ kind: 'fan-out' });
  });

  test('a dormant version gets no copies', () => {
    const chain = [
      route('c', { mode: 'CONCURRENT', released: false, versions: 3 }),
      route('b', { dormant: true }),
      route('a'),
    ];
    const { order, legs } = decide(buildTable(1, chain, []), facts());
    expect(order.slice(0, legs).map(({ id }) => id)).toEqual(['c', 'a']);
  });
});
