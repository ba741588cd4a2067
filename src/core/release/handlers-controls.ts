/** What a person decides about a version on trial. It goes before the verdict, which is judged all the same. */
import { versionText } from './describe.ts';
import type { Draft } from './draft.ts';
import type { PauseEvent, PromoteEvent, ResumeEvent, RollbackEvent } from './events.ts';
import { type Refusal, release } from './handlers.ts';
import { startPrevious } from './handlers-containers.ts';
import { fail } from './handlers-trial.ts';
import type { VersionState } from './state.ts';
import { olderThan } from './trial.ts';

type Version = VersionState | undefined;

/** Releasing: the version admits everything from now on, and is watched like any released one. */
export function promoteToWatching(draft: Draft, event: PromoteEvent, version: Version): undefined {
  if (version === undefined) return;
  setRamp(draft, version, 'moving');
  release(draft, version, byHand('promoted', event.reason));
}

/** Watching: the version is trusted from now on. */
export function promoteToStable(draft: Draft, event: PromoteEvent, version: Version): undefined {
  if (version === undefined) return;
  draft.conclude(version.id, 'stable', { rule: 'promote', reason: byHand('promoted', event.reason) });
}

/** Nothing is promoted and no threshold rises until it is resumed. Time and requests are counted on. */
export function pause(draft: Draft, event: PauseEvent, version: Version): Refusal | undefined {
  if (version === undefined) return undefined;
  const name = `Version ${versionText(version.spec)}`;
  if (version.trial?.paused === true) return { because: 'conflict', reason: `${name} is paused already` };
  setRamp(draft, version, 'paused');
  draft.log(
    'NOTICE',
    `The release of version ${versionText(version.spec)} is ${because('paused', event.reason)}`,
    version,
  );
  return undefined;
}

export function resume(draft: Draft, event: ResumeEvent, version: Version): Refusal | undefined {
  if (version === undefined) return undefined;
  const name = `Version ${versionText(version.spec)}`;
  if (version.trial?.paused !== true) return { because: 'conflict', reason: `${name} is not paused` };
  setRamp(draft, version, 'moving');
  draft.log(
    'NOTICE',
    `The release of version ${versionText(version.spec)} is ${because('resumed', event.reason)}`,
    version,
  );
  return undefined;
}

export function rollback(draft: Draft, event: RollbackEvent, version: Version): undefined {
  if (version !== undefined) fail(draft, version, { rule: 'rollback', reason: byHand('rolled back', event.reason) });
}

/** Back from a stable version: to the standby where there is one, else to the version before it, which is started again. */
export function rollbackStable(draft: Draft, event: RollbackEvent, version: Version): Refusal | undefined {
  if (version === undefined) return undefined;
  if (olderThan(draft.versions, version).length === 0) return startPrevious(draft, event, version);
  fail(draft, version, { rule: 'rollback', reason: byHand('rolled back', event.reason) });
  return undefined;
}

function setRamp(draft: Draft, version: VersionState, ramp: 'paused' | 'moving'): void {
  draft.change(version.id, (before) =>
    before.trial === null ? before : { ...before, trial: { ...before.trial, paused: ramp === 'paused' } },
  );
}

function byHand(what: string, reason: string | null): string {
  return `It was ${because(what, reason)}`;
}

function because(what: string, reason: string | null): string {
  return reason === null ? `${what} by hand` : `${what} by hand: ${reason}`;
}
