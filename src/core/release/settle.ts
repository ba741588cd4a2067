/**
 * What a change of one version makes of its neighbours, in one place. Afterwards these hold:
 *
 * - While anything serves, exactly one version is stable: the newest that is trusted.
 * - Everything older than the stable version is standby. Versions in containers leave when a newer one becomes stable, so that
 *   nothing runs for nothing; only one that is put below the stable version is standby too, until the next one is stable.
 * - The newest live version is stable or a candidate. A standby can stand above the stable version (it was put below a newer
 *   one and takes no new traffic), but when it comes to be the newest, its own release begins.
 */

import { versionText } from './describe.ts';
import type { Draft } from './draft.ts';
import { startEffect } from './handlers-health.ts';
import {
  isCandidate,
  isInService,
  isLive,
  runsInContainers,
  serves,
  type VersionPhase,
  type VersionState,
} from './state.ts';

/** What `settle` may do to a version, for the diagram. */
export const NEIGHBOUR_MOVES: readonly NeighbourMove[] = [
  { from: ['releasing', 'watching', 'standby'], to: 'stable', when: 'nothing newer is trusted' },
  { from: ['releasing', 'watching', 'stable'], to: 'standby', when: 'a newer one is stable' },
  {
    from: ['releasing', 'watching', 'stable', 'standby'],
    to: 'draining',
    when: 'a newer one is stable, and it runs in containers',
  },
  { from: ['starting'], to: 'standby', when: 'a newer one is put' },
  { from: ['starting'], to: 'draining', when: 'a newer one is ready first, and nothing served' },
  { from: ['standby'], to: 'starting', when: 'it comes to be the newest' },
  { from: ['draining', 'retired'], to: 'starting', when: 'the stable one is rolled back to it' },
  { from: ['stable'], to: 'failed', when: 'one that it was rolled back to is ready' },
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
  const isNew = draft.was(stable.id)?.phase !== 'stable';
  const isDue = (version: VersionState): boolean => isNew && runsInContainers(version);
  const rank = draft.versions.findIndex(({ id }) => id === stable.id);
  for (const version of draft.versions.slice(rank + 1)) {
    const isLate = version.phase === 'starting' && isNew;
    const isBelow = isInService(version.phase) && (version.phase !== 'standby' || isDue(version));
    if (isLate || isBelow) stepBack(draft, version, stable);
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
  const name = `Version ${versionText(version.spec)}`;
  const phase = runsInContainers(version) ? 'draining' : 'standby';
  draft.conclude(version.id, phase, { rule: 'overtaken', reason });
  const is = phase === 'standby' ? 'is standby' : 'drains, and its containers are stopped then';
  draft.log('INFO', `${name} ${is}: version ${versionText(stable.spec)} is stable`, version);
}

function beginRelease(draft: Draft, version: VersionState): void {
  draft.enter(version.id, 'starting', 'It is the newest version now');
  draft.log('NOTICE', `Version ${versionText(version.spec)} is the newest now: its release begins`, version);
  draft.effects.push(startEffect(draft.find(version.id) ?? version));
}
