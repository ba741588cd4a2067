import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MODES } from '../../../src/core/config/model.ts';
import { buildTable } from '../../../src/core/routing/build-table.ts';
import { decide } from '../../../src/core/routing/decide.ts';
import { policies } from '../../../src/core/routing/modes.ts';
import type { Route } from '../../../src/core/routing/table.ts';
import { facts, route } from './facts.ts';

const version = fc.record({ mode: fc.constantFrom(...MODES), released: fc.boolean(), dormant: fc.boolean() });
const chains = fc
  .array(version, { minLength: 1, maxLength: 6 })
  .map((versions) => versions.map((options, index) => route(`v${index}`, options)));
const requests = fc.record({
  method: fc.constantFrom('GET', 'POST'),
  sessionId: fc.constantFrom('', 'v0', 'v1', 'v2', 'v3', 'gone'),
  transitionId: fc.uuid(),
});

test('falling back goes to each older version, then to the newer ones, the nearest first', () => {
  const table = buildTable(
    1,
    ['e', 'd', 'c', 'b', 'a'].map((id) => route(id, { mode: 'SESSION', released: false })),
    [],
  );
  expect(decide(table, facts({ sessionId: 'c' })).order.map(({ id }) => id)).toEqual(['c', 'b', 'a', 'd', 'e']);
});

test('a dormant version takes its own sessions only, and is fallen back on after the other older ones', () => {
  const table = buildTable(
    1,
    [route('c', { mode: 'SESSION', released: false }), route('b', { dormant: true }), route('a')],
    [],
  );
  expect(decide(table, facts({ sessionId: 'a' })).admitted).toBe(2);
  expect(decide(table, facts({ sessionId: 'b' })).admitted).toBe(1);
  expect(decide(table, facts()).order.map(({ id }) => id)).toEqual(['c', 'a', 'b']);
});

test('a fan-out asks the version that admits and older ones, never a newer one', () => {
  const chain = [
    route('d', { mode: 'GRADUAL', released: false }),
    route('c', { mode: 'CONCURRENT', released: false, versions: 3 }),
    route('b'),
  ];
  const plan = decide(buildTable(1, chain, [0]), facts());
  expect([plan.kind, plan.legs, plan.admitted]).toEqual(['fan-out', 2, 1]);
  const alone = decide(buildTable(1, [route('d', { mode: 'CONCURRENT', released: false })], []), facts());
  expect([alone.kind, alone.legs]).toEqual(['single', 1]);
});

test('a plan names each version of its table exactly once, the admitting one first, and is made with the table', () => {
  fc.assert(
    fc.property(chains, requests, fc.integer({ min: 0, max: 100 }), (chain, request, threshold) => {
      const table = buildTable(
        1,
        chain,
        chain.map(() => threshold),
      );
      const plan = decide(table, facts(request));
      expect(plan.order.map(({ id }) => id).sort()).toEqual(chain.map(({ id }) => id).sort());
      expect(plan.order[0]).toBe(chain[plan.admitted]);
      expect([table.single[plan.admitted], table.fanOut[plan.admitted]]).toContain(plan);
      expect(plan.legs).toBeLessThanOrEqual(chain.length);
      expect(Object.isFrozen(plan) && Object.isFrozen(plan.order)).toBe(true);
    }),
  );
});

test('the newest released version admits at the latest, else the oldest', () => {
  fc.assert(
    fc.property(chains, requests, (chain, request) => {
      const plan = decide(buildTable(1, chain, []), facts(request));
      const released = chain.findIndex((candidate) => candidate.released && !candidate.dormant);
      expect(plan.admitted).toBeLessThanOrEqual(released < 0 ? chain.length - 1 : released);
    }),
  );
});

test('a long chain decides as if each version were asked in turn', () => {
  const passing = fc.constant({ mode: 'SESSION', released: false, dormant: false } as const);
  const long = fc
    .array(fc.oneof({ weight: 4, arbitrary: passing }, version), { minLength: 1, maxLength: 30 })
    .map((versions) => versions.map((options, index) => route(`v${index}`, options)));
  const sessions = fc.integer({ min: -1, max: 30 }).map((index) => (index < 0 ? '' : `v${index}`));
  fc.assert(
    fc.property(
      long,
      sessions,
      fc.uuid(),
      fc.integer({ min: 0, max: 100 }),
      (chain, sessionId, transitionId, percent) => {
        const thresholds = chain.map(() => percent);
        const table = buildTable(1, chain, thresholds);
        const request = facts({ sessionId, transitionId });
        const admits = (index: number): boolean => {
          const { id, dormant, released, mode } = chain[index] as Route;
          if (dormant) return sessionId === id;
          return released || policies[mode].admits(table, index, request);
        };
        const first = chain.findIndex((_, index) => index === chain.length - 1 || admits(index));
        expect(decide(table, request).admitted).toBe(first);
      },
    ),
  );
});
