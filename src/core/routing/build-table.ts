/**
 * Makes routing tables: the plans of a chain once, when the chain changes; a rise of a threshold, which GRADUAL does with
 * every answered request, makes only a small table around the same routes and plans.
 */
import { KnownIds } from './known-ids.ts';
import { policies } from './modes.ts';
import type { CutOrder, Plan, Route, RoutingTable } from './table.ts';
import { wayAlong } from './way.ts';

/**
 * A frozen table.
 * @param routes the serving versions, newest first
 * @param thresholds by index in `routes`, percent; 0 for versions whose mode has none
 */
export function buildTable(
  number: number,
  routes: readonly Route[],
  thresholds: readonly number[],
  cut: readonly CutOrder[] = [],
): RoutingTable {
  const chain = Object.freeze([...routes]);
  const single = chain.map((_, index) => singlePlan(chain, index));
  const fanOut = single.map((plan) => fanOutPlan(plan, chain));
  return Object.freeze({
    number,
    cut,
    chain,
    thresholds: Object.freeze(chain.map((_, index) => thresholds[index] ?? 0)),
    ids: new KnownIds(chain.map(({ id }) => id)),
    places: new Map(chain.map(({ id }, index) => [id, index])),
    runEnds: Object.freeze(chain.map((_, index) => runEnd(chain, index))),
    ways: Object.freeze(chain.map((_, index) => wayAlong(chain.slice(0, index + 1).filter(({ dormant }) => !dormant)))),
    single: Object.freeze(single),
    fanOut: Object.freeze(fanOut),
  });
}

/** The table after a rise: everything but the one threshold is shared with `table`. */
export function withThreshold(table: RoutingTable, number: number, change: ThresholdChange): RoutingTable {
  const thresholds = table.thresholds.slice();
  thresholds[change.index] = change.threshold;
  return { ...table, number, thresholds };
}

export interface ThresholdChange {
  /** Of the version in the chain. */
  readonly index: number;
  readonly threshold: number;
}

function runEnd(chain: readonly Route[], from: number): number {
  const isPassing = ({ mode, released }: Route): boolean => mode === 'SESSION' && !released;
  const end = chain.findIndex((route, index) => index >= from && !isPassing(route));
  return end < 0 ? chain.length : Math.max(end, from + 1);
}

/**
 * The admitting version, then each older one, then the newer ones, the nearest first. Dormant versions come after the other
 * older ones: those carried this traffic before.
 */
function singlePlan(chain: readonly Route[], admitted: number): Plan {
  const older = chain.slice(admitted + 1);
  const order = Object.freeze([
    ...chain.slice(admitted, admitted + 1),
    ...older.filter((route) => !route.dormant),
    ...older.filter((route) => route.dormant),
    ...chain.slice(0, admitted).reverse(),
  ]);
  return Object.freeze({ kind: 'single', order, legs: 1, admitted });
}

function fanOutPlan(single: Plan, chain: readonly Route[]): Plan {
  const route = chain[single.admitted] as Route;
  if (route.released || route.dormant) return single;
  const available = chain.slice(single.admitted).filter(({ dormant }) => !dormant).length;
  const legs = policies[route.mode].legs(route, available);
  if (legs < 2) return single;
  return Object.freeze({ kind: 'fan-out', order: single.order, legs, admitted: single.admitted });
}
