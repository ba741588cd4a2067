/** What a version on trial is held against, where there is a choice. */
import type { Baseline } from './evidence.ts';

/** Requests of an older version, none of them a replay for the one on trial; `Baseline` says what is counted. */
export interface Served {
  readonly requests: number;
  readonly failures: number;
  readonly unpaired: number;
}

/** From so many on, the older version's requests meanwhile are enough by themselves. */
const DURING_ENOUGH = 1000;

/** From so many on, they stand alone where they failed more often than those before: something has changed for both versions. */
const DURING_WORSE = 300;

/** Fewer requests than this say less than what is assumed. */
const KNOWN_MIN = 30;

/**
 * The older version's requests during the release, with its last ones before it while the former are few; nothing where it
 * has served next to nobody.
 */
export function chooseBaseline(during: Served, before: Served): Baseline {
  const past = before.requests >= KNOWN_MIN ? { before } : {};
  const isWorse = during.failures * before.requests > before.failures * during.requests;
  if (during.requests >= (isWorse ? DURING_WORSE : DURING_ENOUGH)) return { ...during, source: 'release', ...past };
  const known = sum(during, before);
  if (known.requests < KNOWN_MIN) return { requests: 0, failures: 0, unpaired: 0, source: 'assumed' };
  return { ...known, source: during.requests > before.requests ? 'release' : 'before', ...past };
}

function sum(a: Served, b: Served): Served {
  return {
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
    unpaired: a.unpaired + b.unpaired,
  };
}
