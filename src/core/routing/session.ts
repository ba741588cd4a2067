import type { ModePolicy } from './policy.ts';
import type { RequestFacts } from './request-facts.ts';
import type { RoutingTable } from './table.ts';

/**
 * SESSION: who has a session on an older serving version keeps it, everyone else starts on the new one. A cookie that
 * names this version, a newer one, or none that serves is no older session.
 */
export const session: ModePolicy = {
  mode: 'SESSION',
  admits: (table, index, facts) => placeOfSession(table, facts) <= index,
  // All SESSION releases on its way pass it on, down to the version that it has a session of.
  passesTo: (table, index, facts) => Math.min(placeOfSession(table, facts), table.runEnds[index] as number),
  legs: () => 1,
};

/** The index in the chain of the version that the request has a session of; -1: of none. */
function placeOfSession(table: RoutingTable, facts: RequestFacts): number {
  const id = facts.sessionId();
  return id === '' ? -1 : (table.places.get(id) ?? -1);
}
