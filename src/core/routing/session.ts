import type { ModePolicy } from './policy.ts';
import type { Route } from './table.ts';

/**
 * SESSION: who has a session on an older serving version keeps it, everyone else starts on the new one. A cookie that
 * names this version, a newer one, or none that serves is no older session.
 */
export const session: ModePolicy = {
  mode: 'SESSION',
  admits(table, index, facts) {
    const id = facts.sessionId();
    if (id === '') return true;
    return (placesIn(table.chain).get(id) ?? -1) <= index;
  },
  legs: () => 1,
};

const places = new WeakMap<readonly Route[], ReadonlyMap<string, number>>();

/** Where each version stands in this chain. Looked up, not searched: a request may pass a hundred SESSION versions on its way down. */
function placesIn(chain: readonly Route[]): ReadonlyMap<string, number> {
  let known = places.get(chain);
  if (known === undefined) {
    known = new Map(chain.map(({ id }, index) => [id, index]));
    places.set(chain, known);
  }
  return known;
}
