/** What each event does to its version; `transition.ts` says in which phase it may. Neighbours are `settle.ts`'s business. */
import { duplicatedWritesText, receivedText, versionText } from './describe.ts';
import type { Draft } from './draft.ts';
import type {
  AnsweredEvent,
  CountedEvent,
  DeleteEvent,
  PutEvent,
  QuietEvent,
  ReadyEvent,
  RegretOverEvent,
  ServedEvent,
} from './events.ts';
import { stopContainers, takeOver } from './handlers-containers.ts';
import { launchEffect, overtakeStarting, startEffect } from './handlers-health.ts';
import { thresholdAfter } from './ramp.ts';
import { withServed } from './recent.ts';
import { isCandidate, isLaunched, isLive, isOvertaken, serves, type VersionState } from './state.ts';
import { isHeld } from './trial.ts';

/** Why an event does nothing; the draft is thrown away. */
export interface Refusal {
  readonly because: 'unknown-id' | 'conflict' | 'unlisted' | 'stale' | 'not-due';
  readonly reason: string;
}

type Version = VersionState | undefined;

/** A new version: trusted when nothing serves, standby when it ranks below the newest, else the candidate. */
export function put(draft: Draft, event: PutEvent): undefined {
  const { spec } = event;
  const newest = draft.versions.find(isLive);
  const version = draft.add(event.id, spec);
  if (event.origin === 'file') draft.applied = event.asWritten ?? null;
  if (event.origin === 'rest') draft.log('INFO', receivedText(spec), version);
  if (newest === undefined && isLaunched(version)) {
    draft.enter(version.id, 'stable', 'Nothing older serves');
    return;
  }
  if (newest === undefined) {
    begin(draft, version);
    return;
  }
  if (spec.transition.mode === 'CONCURRENT' && spec.transition.duplicatedMethods === null) {
    draft.log('WARNING', duplicatedWritesText(spec), version);
  }
  if (isOvertaken(draft.versions, version)) {
    const reason = `It ranks below the newest version ${versionText(newest.spec)}`;
    draft.enter(version.id, 'standby', reason);
    draft.log('WARNING', `Version ${versionText(spec)} takes no new traffic: ${lowerFirst(reason)}`, version);
    if (!isLaunched(version)) draft.effects.push(launchEffect(version));
    return;
  }
  if (newest.phase === 'releasing') {
    draft.log('NOTICE', `Version ${versionText(spec)} overtakes the release of ${versionText(newest.spec)}`, version);
  }
  begin(draft, version);
  // While nothing serves, whichever is ready first does.
  if (draft.versions.some(serves)) overtakeStarting(draft, version);
}

function begin(draft: Draft, version: VersionState): void {
  draft.enter(version.id, 'starting', 'It was put');
  draft.effects.push(startEffect(draft.find(version.id) ?? version));
}

/** The version takes traffic as its mode says; modes that need no time have released it already. */
export function ready(draft: Draft, event: ReadyEvent, version: Version): undefined {
  if (version === undefined) return;
  if (version.replaces !== null) {
    takeOver(draft, version, version.replaces);
    return;
  }
  if (version.trusted) {
    serveAgain(draft, version);
    return;
  }
  if (!draft.versions.some(serves)) {
    draft.conclude(version.id, 'stable', { rule: 'nothing-older', reason: 'Nothing older serves' });
    return;
  }
  const { mode } = version.spec.transition;
  if (mode === 'INSTANT' || version.threshold >= 100) {
    release(draft, version, `Mode ${mode} releases at once`);
    return;
  }
  draft.enter(event.id, 'releasing', `Mode ${mode} moves traffic to it`);
  draft.log('NOTICE', `Release of version ${versionText(version.spec)} begins, mode: ${mode}`, version);
}

/** One that was trusted before has come up again; that is no release. */
function serveAgain(draft: Draft, version: VersionState): void {
  draft.enter(version.id, 'stable', 'Its containers are ready again');
  draft.log('NOTICE', `Version ${versionText(version.spec)} serves again`, version);
}

/** The version leaves before it served anyone. */
export function cancel(draft: Draft, event: DeleteEvent, version: Version): undefined {
  if (version === undefined) return;
  draft.conclude(event.id, 'retired', { rule: 'delete', reason: 'It was deleted while it was starting' });
  draft.log('INFO', `Version ${versionText(version.spec)} is deleted`, version);
  stopContainers(draft, version);
}

export function remove(draft: Draft, event: DeleteEvent, version: Version): Refusal | undefined {
  if (version === undefined) return undefined;
  if (!draft.versions.some((other) => other.id !== event.id && serves(other))) {
    const reason = `Version ${versionText(version.spec)} is the last one that serves`;
    return { because: 'conflict', reason };
  }
  draft.conclude(event.id, 'draining', { rule: 'delete', reason: 'It was deleted' });
  draft.log('INFO', `Version ${versionText(version.spec)} is deleted: it drains`, version);
  return undefined;
}

/** GRADUAL: each directly answered request, by whichever version, raises the threshold (thesis 6.2.2); no failed one does. */
export function answered(draft: Draft, event: AnsweredEvent, version: Version): Refusal | undefined {
  if (version === undefined || !advances(draft, version, 'GRADUAL')) return standsStill(event.id);
  const raises = version.raises + event.count;
  const threshold = Math.max(version.threshold, thresholdAfter(version.spec.transition.percentagePerRequest, raises));
  draft.count(event.id, (before) => ({ ...before, raises, threshold }));
  if (threshold >= 100) release(draft, version, 'Its threshold has reached 100 %');
  else draft.effects.push({ kind: 'raise', id: event.id, threshold });
  return undefined;
}

export function quiet(draft: Draft, event: QuietEvent, version: Version): Refusal | undefined {
  if (version === undefined || !advances(draft, version, 'SESSION')) return standsStill(event.id);
  release(draft, version, `No older session was seen for ${version.spec.transition.sessionTimeoutS} s`);
  return undefined;
}

export function counted(draft: Draft, event: CountedEvent, version: Version): Refusal | undefined {
  if (version === undefined || !advances(draft, version, 'CONCURRENT')) return standsStill(event.id);
  const needed = version.spec.transition.promoteAfterRequests;
  if (needed === null || event.requests < needed) return standsStill(event.id);
  release(draft, version, `It was asked ${event.requests} requests`);
  return undefined;
}

export function regretOver(draft: Draft, event: RegretOverEvent, version: Version): Refusal | undefined {
  if (version === undefined || isHeld(version)) return standsStill(event.id);
  const reason = `Its regret window of ${version.spec.transition.regretWindowMs / 1000} s is over`;
  draft.conclude(event.id, 'stable', { rule: 'regret-window', reason });
  return undefined;
}

/** What a version does while nothing newer is on trial is kept, to hold the next candidate against it. */
export function served(draft: Draft, event: ServedEvent, version: Version): Refusal | undefined {
  if (version === undefined) return undefined;
  const rank = draft.versions.indexOf(version);
  if (draft.versions.slice(0, rank).some(isCandidate)) return standsStill(event.id);
  const { requests, failures, unpaired } = event;
  draft.count(event.id, (before) => ({
    ...before,
    recent: withServed(before.recent, { requests, failures, unpaired }),
  }));
  return undefined;
}

/** The mode has done its work: the version admits everything, and is watched until it is trusted. */
export function release(draft: Draft, version: VersionState, reason: string): void {
  draft.enter(version.id, 'watching', reason);
  draft.log('NOTICE', `Version ${versionText(version.spec)} is released: ${lowerFirst(reason)}`, version);
}

/** True when this mode moves this release on; one that is held or overtaken stands still. */
function advances(draft: Draft, version: VersionState, mode: string): boolean {
  return version.spec.transition.mode === mode && !isHeld(version) && !isOvertaken(draft.versions, version);
}

function standsStill(id: string): Refusal {
  return { because: 'not-due', reason: `The release of version ${id} does not move on this` };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
