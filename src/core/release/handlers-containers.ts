/** What becomes of a version whose servers run in containers that Cutover starts and stops. */
import { sameJson } from '../config/same-json.ts';
import { versionText } from './describe.ts';
import type { Draft, Ending } from './draft.ts';
import type { StopEffect } from './effects.ts';
import type {
  ContainerDownEvent,
  LaunchedEvent,
  LaunchFailedEvent,
  OutputEvent,
  RollbackEvent,
  SeenEvent,
} from './events.ts';
import type { Refusal } from './handlers.ts';
import { prepareEffect, startEffect } from './handlers-health.ts';
import { fail } from './handlers-trial.ts';
import { withLate } from './ledger.ts';
import { withSeen } from './seen.ts';
import { isLaunched, runsInContainers, serves, type VersionState } from './state.ts';

type Version = VersionState | undefined;

/** The servers are known: a version that was starting for it goes on to the gate. */
export function launched(draft: Draft, event: LaunchedEvent, version: Version): Refusal | undefined {
  if (version === undefined) return undefined;
  const isUnproven = version.phase === 'starting' || comesUpAlone(draft, event, version);
  if (!isUnproven && sameJson(event.containers, version.launch?.containers)) {
    return { because: 'not-due', reason: `Version ${event.id} runs as before` };
  }
  const found = event.containers.flatMap(({ server }) => (server === null ? [] : [server]));
  const servers = sameJson(found, version.spec.servers) ? version.spec.servers : found;
  const { containers } = event;
  draft.change(event.id, (before) => ({ ...before, spec: { ...before.spec, servers }, launch: { containers } }));
  if (isUnproven && version.phase !== 'starting') draft.enter(event.id, 'starting', 'Its containers were started');
  // What the gate has found, or is about to, it has found where they ran before.
  else if (isUnproven && isLaunched(version)) draft.renew(event.id);
  const now = draft.find(event.id) ?? version;
  if (!isUnproven) {
    if (servers !== version.spec.servers) draft.log('NOTICE', `Version ${versionText(now.spec)} runs there now`, now);
    return undefined;
  }
  draft.log('NOTICE', `The containers of version ${versionText(now.spec)} run`, now);
  draft.effects.push(prepareEffect(now));
  return undefined;
}

/** Nobody knows yet whether anything listens in there, and no other version could answer meanwhile. */
function comesUpAlone(draft: Draft, { id, containers, started }: LaunchedEvent, version: VersionState): boolean {
  if (draft.versions.some((other) => other.id !== id && serves(other))) return false;
  return (
    !isLaunched(version) ||
    containers.every(({ server, containerId }) => server === null || started.includes(containerId))
  );
}

/** It has served nobody. One that runs already and could not be started anew is tried again by those who tried. */
export function launchFailed(draft: Draft, event: LaunchFailedEvent, version: Version): Refusal | undefined {
  if (version === undefined) return undefined;
  if (version.phase !== 'starting' && isLaunched(version)) {
    return { because: 'not-due', reason: `Version ${event.id} runs` };
  }
  const { reason, output } = event;
  const level = draft.versions.some(serves) ? 'WARNING' : 'ERROR';
  const nothing = level === 'ERROR' ? ', and nothing serves' : '';
  draft.log(level, `Version ${versionText(version.spec)} could not be started${nothing}: ${reason}`, version);
  giveUp(draft, version, { rule: 'not-launched', reason: `It served nobody: ${reason}`, output });
  return undefined;
}

/** A container that ends before anybody was served would only be found missing by the gate when its time is up. */
export function containerDown(draft: Draft, event: ContainerDownEvent, version: Version): undefined {
  if (version === undefined) return;
  const { reason, output } = event;
  draft.log('WARNING', `Version ${versionText(version.spec)} is not ready: ${reason}`, version);
  giveUp(draft, version, { rule: 'not-ready', reason: `It served nobody: ${reason}`, output });
}

export function lateOutput(draft: Draft, event: OutputEvent, version: Version): undefined {
  if (version === undefined) return;
  const { output } = event;
  draft.ledger = withLate(draft.ledger, version, (entry) => (entry.output.length > 0 ? entry : { ...entry, output }));
}

/** A counter of sorts: kept a moment later. */
export function seen(draft: Draft, { digests, atMs }: SeenEvent): undefined {
  draft.seen = withSeen(draft.seen, digests, atMs);
}

/** A person wants back what was there before the stable version, and it runs no more: it is started again as it was. */
export function startPrevious(draft: Draft, event: RollbackEvent, version: VersionState): Refusal | undefined {
  const name = `Version ${versionText(version.spec)}`;
  const under = draft.versions.find(({ replaces }) => replaces === version.id);
  if (under !== undefined) {
    const reason = `${name} is being rolled back already: version ${versionText(under.spec)} is starting`;
    return { because: 'conflict', reason };
  }
  const previous = previousOf(draft.versions, version);
  if (previous === undefined) {
    return { because: 'conflict', reason: `${name} has no earlier version that could be started again` };
  }
  const why = event.reason === null ? '' : `: ${event.reason}`;
  draft.enter(previous.id, 'starting', `${name} is rolled back to it by hand${why}`);
  draft.change(previous.id, (before) => ({ ...before, replaces: version.id }));
  const now = draft.find(previous.id) ?? previous;
  draft.log('NOTICE', `${name} is rolled back${why}: version ${versionText(now.spec)} is started again`, now);
  draft.effects.push(startEffect(now));
  return undefined;
}

/** It is ready: it serves, and the version that it takes the place of leaves. */
export function takeOver(draft: Draft, version: VersionState, replacedId: string): void {
  const replaced = draft.find(replacedId);
  draft.change(version.id, (before) => ({ ...before, replaces: null }));
  draft.conclude(version.id, 'stable', { rule: 'rollback', reason: version.reason });
  if (replaced?.phase === 'stable') {
    const reason = `It was rolled back by hand to version ${versionText(version.spec)}`;
    fail(draft, replaced, { rule: 'rollback', reason });
  }
}

/** What it ran in is stopped; where it ran is forgotten, what it was made from is not. */
export function stopContainers(draft: Draft, version: VersionState): void {
  if (!runsInContainers(version)) return;
  draft.effects.push(stopEffect(version));
  draft.change(version.id, (before) => ({ ...before, spec: { ...before.spec, servers: [] }, replaces: null }));
}

export function stopEffect({ id, spec, launch }: VersionState): StopEffect {
  return { kind: 'stop', id, containers: spec.containers, launch };
}

function giveUp(draft: Draft, version: VersionState, why: Ending): void {
  draft.change(version.id, (before) => ({ ...before, replaces: null }));
  fail(draft, draft.find(version.id) ?? version, why);
}

/** The version in containers that was trusted and has been replaced last. */
function previousOf(versions: readonly VersionState[], version: VersionState): VersionState | undefined {
  return versions
    .filter(({ id, trusted, launch }) => id !== version.id && trusted && launch !== null)
    .filter(({ phase }) => phase === 'draining' || phase === 'retired')
    .toSorted((a, b) => b.sinceMs - a.sinceMs)[0];
}
