/**
 * The routing decision: walk down the chain from the newest version until one admits the request. The oldest admits all.
 * Plans were made with the table, so that deciding makes no object.
 */
import { policies } from './modes.ts';
import type { RequestFacts } from './request-facts.ts';
import type { Plan, Route, RoutingTable } from './table.ts';

/** The plan for one request. The table's chain must not be empty. */
export function decide(table: RoutingTable, facts: RequestFacts): Plan {
  const { chain } = table;
  const oldest = chain.length - 1;
  let index = 0;
  while (index < oldest && !admits(table, index, facts)) index = next(table, index, facts);
  const fanOut = table.fanOut[index] as Plan;
  if (fanOut.kind === 'single' || duplicates(chain[index] as Route, facts.method)) return fanOut;
  return table.single[index] as Plan;
}

function admits(table: RoutingTable, index: number, facts: RequestFacts): boolean {
  const route = table.chain[index] as Route;
  if (route.dormant) return facts.sessionId() === route.id;
  return route.released || policies[route.mode].admits(table, index, facts);
}

function next(table: RoutingTable, index: number, facts: RequestFacts): number {
  const { mode, dormant } = table.chain[index] as Route;
  const policy = policies[mode];
  return dormant || policy.passesTo === undefined ? index + 1 : policy.passesTo(table, index, facts);
}

function duplicates(route: Route, method: string): boolean {
  return route.duplicatedMethods === null || route.duplicatedMethods.includes(method);
}
