/** What is remembered of a version while it is on trial. */
import { chooseBaseline, type Served } from './baseline.ts';
import { type Comparison, NOTHING_COMPARED } from './divergence.ts';
import { type Baseline, type Evidence, NO_EVIDENCE } from './evidence.ts';
import { NO_COUNTS, type ReleaseCounts } from './ledger.ts';
import { NOTHING_SERVED, servedLately } from './recent.ts';
import { serves, type VersionState } from './state.ts';
import { CLEAN, type Verdict } from './verdict.ts';

export interface Trial {
  /** Wall milliseconds when it was put, or came to be the newest. */
  readonly begunMs: number;
  readonly evidence: Evidence;
  /** The last one; what it was held against stands beside it. */
  readonly verdict: Verdict;
  readonly baseline: Baseline;
  /** By hand: it is judged, but moves no further. */
  readonly paused: boolean;
  /** It was found guilty and nothing older answered: said once. */
  readonly stuck: boolean;
  readonly counts: ReleaseCounts;
  /** With mode CONCURRENT: how its answers compare with the older version's. */
  readonly comparison: Comparison;
  /** What the next older version did with requests of its own meanwhile. */
  readonly older: (Served & { readonly id: string }) | null;
}

export function beginTrial(atMs: number): Trial {
  return {
    begunMs: atMs,
    evidence: NO_EVIDENCE,
    verdict: CLEAN,
    baseline: chooseBaseline(NOTHING_SERVED, NOTHING_SERVED),
    paused: false,
    stuck: false,
    counts: NO_COUNTS,
    comparison: NOTHING_COMPARED,
    older: null,
  };
}

/** True while nothing may be promoted and no threshold rises: by hand, or because it is not clear what is wrong. */
export function isHeld({ trial }: VersionState): boolean {
  return trial !== null && (trial.paused || trial.verdict.kind !== 'clean');
}

/**
 * What a version is held against: the next older serving version meanwhile, else the nearest older one that is known from
 * before.
 * @param versions in version order, newest first
 */
export function baselineOf(versions: readonly VersionState[], version: VersionState): Baseline {
  const older = olderThan(versions, version);
  const during = version.trial?.older;
  const before = older.map(({ recent }) => servedLately(recent)).find(({ requests }) => requests > 0);
  return chooseBaseline(
    during && during.id === older[0]?.id ? servedOf(during) : NOTHING_SERVED,
    before ?? NOTHING_SERVED,
  );
}

function servedOf({ requests, failures, unpaired }: Served): Served {
  return { requests, failures, unpaired };
}

/** The serving versions that a version falls back on, newest first: a dormant one has never carried its traffic. */
export function olderThan(versions: readonly VersionState[], version: VersionState): readonly VersionState[] {
  const rank = versions.findIndex(({ id }) => id === version.id);
  const stable = versions.findIndex(({ phase }) => phase === 'stable');
  return versions.filter(
    (other, index) => index > rank && serves(other) && !(other.phase === 'standby' && index < stable),
  );
}

export function addOlder(
  before: Trial['older'],
  now: Served & { readonly id: string },
): Served & { readonly id: string } {
  const { requests, failures, unpaired } = before?.id === now.id ? before : NOTHING_SERVED;
  return {
    id: now.id,
    requests: requests + now.requests,
    failures: failures + now.failures,
    unpaired: unpaired + now.unpaired,
  };
}
