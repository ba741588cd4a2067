/** What the readiness gate and the health of servers do to a version. */
import { versionText } from './describe.ts';
import type { Draft } from './draft.ts';
import type { LaunchEffect, PrepareEffect } from './effects.ts';
import type { ForgivenEvent, UnreadyEvent } from './events.ts';
import { withoutServer } from './evidence.ts';
import { count, fail, judgeNow } from './handlers-trial.ts';
import { isLaunched, type VersionState } from './state.ts';

type Version = VersionState | undefined;

/** What a version that is starting needs next: its containers, or that its servers are ready. */
export function startEffect(version: VersionState): LaunchEffect | PrepareEffect {
  return isLaunched(version) ? prepareEffect(version) : launchEffect(version);
}

export function launchEffect({ id, service, spec, launch }: VersionState): LaunchEffect {
  return { kind: 'launch', id, service, version: spec.version, containers: spec.containers, before: launch };
}

/** Traffic moves to a version only when its servers are ready: a `ready` or `unready` event follows. */
export function prepareEffect({ id, epoch, spec }: VersionState): PrepareEffect {
  const { servers, healthCheck, transition } = spec;
  return { kind: 'prepare', id, epoch, servers, check: healthCheck, timeoutMs: transition.readyTimeoutMs };
}

/** A version that is still starting when a newer one comes waits behind it: its release begins when it is the newest again. */
export function overtakeStarting(draft: Draft, newest: VersionState): void {
  for (const version of draft.versions) {
    // One that is trusted comes up again: it needs no release, but must be ready before it serves.
    if (version.phase !== 'starting' || version.id === newest.id || version.trusted) continue;
    const reason = `Version ${versionText(newest.spec)} has overtaken it while it was starting`;
    draft.conclude(version.id, 'standby', { rule: 'overtaken', reason });
  }
}

/** The version has not served anyone, and will not. */
export function unready(draft: Draft, event: UnreadyEvent, version: Version): undefined {
  if (version === undefined) return;
  const reason = `It served nobody: ${event.reason}`;
  draft.log('WARNING', `Version ${versionText(version.spec)} is not ready: ${event.reason}`, version);
  fail(draft, version, { rule: 'not-ready', reason });
}

/** Blame falls on the server, which is ejected: its failures leave the evidence. The counts of the ledger stay. */
export function forgiven(draft: Draft, event: ForgivenEvent, version: Version): undefined {
  if (version?.trial == null) return;
  count(draft, version, ({ evidence }) => ({ evidence: withoutServer(evidence, event.server) }));
  judgeNow(draft, event.id, 'unknown');
}
