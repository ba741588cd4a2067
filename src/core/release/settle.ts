/**
 * What a change of one version makes of its neighbours, in one place. Afterwards these hold:
 *
 * - While anything serves, exactly one version is stable: the newest that is trusted.
 * - Everything older than the stable version is standby.
 * - The newest live version is stable or a candidate. A standby can stand above the stable version (it was put below a newer
 *   one and takes no new traffic), but when it comes to be the newest, its own release begins.
 */

import { versionText } from './describe.ts';
import type { Draft } from './draft.ts';
import { prepareEffect } from './handlers-health.ts';
import { isCandidate, isLive, serves, type VersionPhase, type VersionState } from './state.ts';

/** What `settle` may do to a version, for the diagram. */
export const NEIGHBOUR_MOVES: readonly NeighbourMove[] = [
  { from: ['releasing', 'watching', 'standby'], to: 'stable', when: 'nothing newer is trusted' },
  { from: ['releasing', 'watching', 'stable'], to: 'standby', when: 'a newer one is stable' },
  { from: ['starting'], to: 'standby', when: 'a newer one is put' },
  { from: ['standby'], to: 'starting', when: 'it comes to be the newest' },
];

interface NeighbourMove {
  readonly from: readonly VersionPhase[];
  readonly to: VersionPhase;
  readonly when: string;
}

export function settle(draft: Draft): void {
  const stable = chooseStable(draft.versions.filter(serves));
  if (stable === undefined) return;
  if (stable.phase !== 'stable') makeStable(draft, stable);
  const rank = draft.versions.findIndex(({ id }) => id === stable.id);
  for (const version of draft.versions.slice(rank + 1)) {
    if (serves(version) && version.phase !== 'standby') stepBack(draft, version, stable);
  }
  const newest = draft.versions.find(isLive);
  if (newest?.phase === 'standby') beginRelease(draft, newest);
}

/**
 * The newest trusted version. Where none is left, the oldest candidate (nothing older serves, so there is nothing to try it
 * against), else the newest standby.
 */
function chooseStable(serving: readonly VersionState[]): VersionState | undefined {
  return serving.find(({ trusted }) => trusted) ?? serving.findLast(isCandidate) ?? serving[0];
}

function makeStable(draft: Draft, version: VersionState): void {
  const reason = version.trusted ? 'It is the newest trusted version' : 'Nothing older that is trusted serves';
  draft.conclude(version.id, 'stable', { rule: 'nothing-older', reason });
  if (version.trial !== null) return;
  draft.log('NOTICE', `Version ${versionText(version.spec)} is stable: ${reason.toLowerCase()}`, version);
}

function stepBack(draft: Draft, version: VersionState, stable: VersionState): void {
  const reason = `Version ${versionText(stable.spec)} is stable`;
  draft.conclude(version.id, 'standby', { rule: 'overtaken', reason });
  draft.log(
    'INFO',
    `Version ${versionText(version.spec)} is standby: version ${versionText(stable.spec)} is stable`,
    version,
  );
}

function beginRelease(draft: Draft, version: VersionState): void {
  draft.enter(version.id, 'starting', 'It is the newest version now');
  draft.log('NOTICE', `Version ${versionText(version.spec)} is the newest now: its release begins`, version);
  draft.effects.push(prepareEffect(draft.find(version.id) ?? version));
}
