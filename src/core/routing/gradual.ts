import { bucketOf } from './bucket.ts';
import type { ModePolicy } from './policy.ts';
import type { RequestFacts } from './request-facts.ts';

/**
 * GRADUAL: a client moves when the threshold has risen past its bucket. Buckets are for life and thresholds only rise,
 * so nobody moves back; a client that another way brought to this version (a fallback, say) stays as well.
 */
export const gradual: ModePolicy = {
  mode: 'GRADUAL',
  admits(table, index, facts) {
    const route = table.chain[index];
    if (route === undefined) return false;
    if (facts.sessionId() === route.id) return true;
    return bucketIn(facts, route.bucketKey) < (table.thresholds[index] as number);
  },
  legs: () => 1,
};

/** A request without the configured header is split by its transition cookie like any other. */
function bucketIn(facts: RequestFacts, key: string): number {
  if (key === 'cookie') return facts.transitionBucket();
  const text = key === 'ip' ? facts.ip() : facts.header(key);
  return text === '' ? facts.transitionBucket() : bucketOf(text);
}
