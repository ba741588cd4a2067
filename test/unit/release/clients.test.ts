/** Clients that keep their cookies, through releases of every kind: chain, table and release machine together. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MODES } from '../../../src/core/config/model.ts';
import { buildTable, withThreshold } from '../../../src/core/routing/build-table.ts';
import { decide } from '../../../src/core/routing/decide.ts';
import type { RoutingTable } from '../../../src/core/routing/table.ts';
import { facts } from '../routing/facts.ts';
import { type Happening, Machine } from './machine.ts';
import { spec } from './specs.ts';

/** A release machine whose effects make tables, as the controller's do. */
class Upgrades extends Machine {
  table: RoutingTable = buildTable(0, [], []);

  override happen(happening: Happening) {
    const result = super.happen(happening);
    const published = result.kind === 'done' ? this.published() : undefined;
    if (published !== undefined) this.table = buildTable(this.table.number + 1, published.routes, published.thresholds);
    for (const effect of result.kind === 'done' ? this.effects : []) {
      if (effect.kind !== 'raise') continue;
      const index = this.table.chain.findIndex(({ id }) => id === effect.id);
      this.table = withThreshold(this.table, this.table.number + 1, { index, threshold: effect.threshold });
    }
    return result;
  }

  /** The id of the version that answers this client; the answer raises what it may. */
  request(transitionId: string, sessionId: string): string {
    const plan = decide(this.table, facts({ transitionId, sessionId }));
    for (const { id } of this.table.chain.slice(0, 1)) this.happen({ kind: 'answered', id, count: 1 });
    return plan.order[0]?.id ?? '';
  }
}

describe('the thesis (6.2.2)', () => {
  const CLIENT = '952c8557-2088-11e4-87e3-600308a8245e';
  test.each([
    [1, ['old', 'old', 'old', 'new', 'new']],
    [0.5, ['old', 'old', 'old', 'old', 'old', 'old', 'new']],
  ])('at %d %% per request its client is answered by %j', (percentagePerRequest, expected) => {
    const upgrades = new Upgrades();
    upgrades.put('old', spec('INSTANT', { version: '3.9.1' }));
    upgrades.put('new', spec('GRADUAL', { version: '3.9.2', percentagePerRequest }));
    expect(expected.map(() => upgrades.request(CLIENT, ''))).toEqual(expected);
  });
});

const uuid = fc.uuid();
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('request' as const), client: fc.nat({ max: 9 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      version: fc.nat({ max: 20 }).map(String),
      mode: fc.constantFrom(...MODES, 'GRADUAL' as const, 'GRADUAL' as const),
      percentagePerRequest: fc.constantFrom(0.5, 3, 10, 25),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('delete' as const, 'quiet' as const, 'regret-over' as const),
      nth: fc.nat({ max: 9 }),
    }),
  },
);

test('no client that keeps its cookies moves back to an older version while its own serves', () => {
  fc.assert(
    fc.property(
      fc.array(uuid, { minLength: 10, maxLength: 10 }),
      fc.array(step, { maxLength: 150 }),
      (clients, steps) => {
        const upgrades = new Upgrades();
        upgrades.put('v0', spec('INSTANT', { version: '5' }));
        const sessions = clients.map(() => '');
        for (const [index, what] of steps.entries()) {
          if (what.kind === 'put') {
            upgrades.put(`v${index + 1}`, spec(what.mode, what));
          } else if (what.kind === 'request') {
            const held = sessions[what.client] ?? '';
            const ids = upgrades.table.chain.map(({ id }) => id);
            const answered = upgrades.request(clients[what.client] ?? '', held);
            if (ids.includes(held)) expect(ids.indexOf(answered)).toBeLessThanOrEqual(ids.indexOf(held));
            sessions[what.client] = answered;
          } else {
            const live = upgrades.table.chain;
            const id = live[what.nth % live.length]?.id ?? '';
            upgrades.happen({ kind: what.kind, id });
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});
