/** What the health of its servers means for a version: whom it may ask, and whether it is dead. */
import type { Server } from '../routing/table.ts';
import { type ServerHealth, SLOW_START_MS, takesRequests } from './server-health.ts';

/** The share of a server that has just returned. */
const FIRST_WEIGHT = 0.1;

/** How often the share of a returning server rises. */
export const SLOW_START_STEP_MS = 1_000;

/**
 * The servers that may be asked, with their shares: all, when all are ejected. The largest share is 1. The very same array
 * and servers where nothing differs from the full list.
 * @param health of each server of the list, in its order
 */
export function askable(servers: readonly Server[], health: readonly ServerHealth[], nowMs: number): readonly Server[] {
  const weights = health.map((one) => (takesRequests(one) ? weightOf(one, nowMs) : 0));
  const largest = Math.max(...weights);
  // All alike: all well, all returning, or all ejected.
  if (weights.every((weight) => weight === largest)) return servers;
  return servers.flatMap((server, index) => {
    const weight = (weights[index] ?? 0) / largest;
    if (weight === 0) return [];
    return weight === server.weight ? server : { ...server, weight };
  });
}

/** A returning server's share rises in steps, so that a table is made once per step. */
function weightOf({ phase, dueMs }: ServerHealth, nowMs: number): number {
  if (phase !== 'returning') return 1;
  const elapsedMs = Math.max(0, nowMs - (dueMs - SLOW_START_MS));
  const steppedMs = Math.floor(elapsedMs / SLOW_START_STEP_MS) * SLOW_START_STEP_MS;
  return Math.min(1, FIRST_WEIGHT + (1 - FIRST_WEIGHT) * (steppedMs / SLOW_START_MS));
}

/** True when more than half are so. */
export function isMost(count: number, all: number): boolean {
  return count * 2 > all;
}
