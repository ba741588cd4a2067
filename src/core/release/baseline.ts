/** What a version on trial is held against, where there is a choice. */
import type { Baseline } from './evidence.ts';

/** Requests of an older version, none of them a replay for the one on trial; `Baseline` says what is counted. */
export interface Served {
  readonly requests: number;
  readonly failures: number;
  readonly unpaired: number;
}

/**
 * Fewer requests than this are no measure of what happens meanwhile. It is soon reached where the older version keeps traffic of
 * its own, and large enough that what was measured before is not given up for something vaguer.
 */
const DURING_MIN = 300;

/** Fewer requests than this say less of the time before than what is assumed. */
const BEFORE_MIN = 100;

/** The older version's requests during the release where there are enough of them, else its last ones before it, else none. */
export function chooseBaseline(during: Served, before: Served): Baseline {
  if (during.requests >= DURING_MIN) {
    return before.requests >= BEFORE_MIN ? { ...during, source: 'release', before } : { ...during, source: 'release' };
  }
  if (before.requests >= BEFORE_MIN) return { ...before, source: 'before' };
  return { requests: 0, failures: 0, unpaired: 0, source: 'assumed' };
}
