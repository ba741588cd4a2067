/** What every mode's policy must do, whatever it decides; `modes.test.ts` runs it on each. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Mode } from '../../../src/core/config/model.ts';
import { buildTable } from '../../../src/core/routing/build-table.ts';
import { decide } from '../../../src/core/routing/decide.ts';
import type { ModePolicy } from '../../../src/core/routing/policy.ts';
import { type Asked, facts, route } from './facts.ts';

const IDS = [
  '11111111-2088-11e4-87e3-600308a8245e',
  '22222222-2088-11e4-87e3-600308a8245e',
  '33333333-2088-11e4-87e3-600308a8245e',
];

const asked: fc.Arbitrary<Asked> = fc.record(
  {
    method: fc.constantFrom('GET', 'POST', 'HEAD'),
    sessionId: fc.constantFrom(...IDS, '99999999-2088-11e4-87e3-600308a8245e'),
    transitionId: fc.uuid(),
    ip: fc.ipV4(),
  },
  { requiredKeys: [] },
);

export function conformance(mode: Mode, policy: ModePolicy): void {
  const chain = (released: boolean) => [
    route(IDS[0] as string, { mode, released }),
    route(IDS[1] as string),
    route(IDS[2] as string),
  ];

  describe(`mode ${mode}`, () => {
    test('knows its own name', () => {
      expect(policy.mode).toBe(mode);
    });

    test('says the same for the same request', () => {
      fc.assert(
        fc.property(asked, fc.integer({ min: 0, max: 100 }), (request, threshold) => {
          const table = buildTable(1, chain(false), [threshold, 0, 0]);
          expect(policy.admits(table, 0, facts(request))).toBe(policy.admits(table, 0, facts(request)));
        }),
      );
    });

    test('admits a request that carries its own session', () => {
      const table = buildTable(1, chain(false), [0, 0, 0]);
      expect(policy.admits(table, 0, facts({ sessionId: IDS[0] as string }))).toBe(true);
    });

    test('is not asked once it is released: the version admits everything', () => {
      fc.assert(
        fc.property(asked, (request) => {
          expect(decide(buildTable(1, chain(true), [0, 0, 0]), facts(request)).admitted).toBe(0);
        }),
      );
    });

    test('is not asked when it is the oldest: the version admits everything', () => {
      fc.assert(
        fc.property(asked, (request) => {
          const table = buildTable(1, [route(IDS[0] as string, { mode, released: false })], [0]);
          expect(decide(table, facts(request)).order.map(({ id }) => id)).toEqual([IDS[0]]);
        }),
      );
    });

    test('asks at least itself and at most the versions there are', () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (versions, available) => {
          const legs = policy.legs(route(IDS[0] as string, { mode, versions }), available);
          expect(legs).toBeGreaterThanOrEqual(1);
          expect(legs).toBeLessThanOrEqual(available);
        }),
      );
    });
  });
}
