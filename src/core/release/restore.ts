/** A release state that an earlier process left, put in force again. */
import { versionText } from './describe.ts';
import type { Effect } from './effects.ts';
import type { ReleaseEvent } from './events.ts';
import { stopEffect } from './handlers-containers.ts';
import { launchEffect, prepareEffect } from './handlers-health.ts';
import { chainOf } from './routes.ts';
import { isLive, type ReleaseState, runsInContainers, serves, type VersionState } from './state.ts';

/**
 * What has to be done for a restored state. Everything that served serves at once and is trusted as it was; a version that was
 * starting is prepared again; one that was draining has nothing in flight any more and is found drained. Containers are found
 * again or started; those of versions that are over are stopped, where that had not come about.
 */
export function restore(state: ReleaseState): readonly Effect[] {
  const live = state.versions.filter(isLive);
  const starting = live.filter((version) => version.phase === 'starting' && !runsInContainers(version));
  const over = state.versions.filter((version) => version.exit?.over === true && runsInContainers(version));
  return [
    { kind: 'publish', ...chainOf(state.versions) },
    ...live.map(restoredLine),
    ...starting.map(prepareEffect),
    ...over.map(stopEffect),
    ...live.filter(runsInContainers).map(launchEffect),
  ];
}

function restoredLine(version: VersionState): Effect {
  const { id, service, phase, spec, threshold } = version;
  const share = phase === 'releasing' && spec.transition.mode === 'GRADUAL' ? ` at ${threshold} %` : '';
  return {
    kind: 'log',
    level: 'NOTICE',
    text: `Version ${versionText(spec)} is restored: ${phase}${share}`,
    facts: { service, versionId: id, version: spec.version },
  };
}

/**
 * True when a change need not wait until it is kept: users come first, and after a crash it would come about anew.
 * A version is found at fault and taken out; its containers are found where they run; or it is ready, and nothing serves.
 */
export function comesAnew(kind: ReleaseEvent['kind'], before: ReleaseState, after: ReleaseState): boolean {
  if (kind === 'launched') return true;
  if (kind === 'ready' && !before.versions.some(serves)) return true;
  return takesBack(before, after);
}

function takesBack(before: ReleaseState, after: ReleaseState): boolean {
  const was = (id: string) => before.versions.find((version) => version.id === id);
  const isTaken = after.versions.some(
    ({ id, phase }) => phase === 'failed' && (was(id)?.phase ?? 'failed') !== 'failed',
  );
  // What comes to serve with it must be known after a crash.
  const isNew = (version: VersionState): boolean =>
    serves(version) && !before.versions.some((old) => old.id === version.id && serves(old));
  return isTaken && !after.versions.some(isNew);
}
