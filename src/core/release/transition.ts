/**
 * The release machine. One table says which event means what in which phase; a pair that is not in it is rejected and
 * changes nothing. Nothing here acts: a transition returns the next state and its effects as data.
 */
import { versionText } from './describe.ts';
import { Draft } from './draft.ts';
import type { Effect } from './effects.ts';
import type { ReleaseEvent } from './events.ts';
import * as on from './handlers.ts';
import * as compare from './handlers-compare.ts';
import * as container from './handlers-containers.ts';
import * as control from './handlers-controls.ts';
import * as exit from './handlers-exit.ts';
import * as health from './handlers-health.ts';
import * as trial from './handlers-trial.ts';
import { chainOf } from './routes.ts';
import { settle } from './settle.ts';
import { isCandidate, type ReleaseState, serves, type VersionPhase, type VersionState } from './state.ts';

export type Transition =
  | {
      readonly kind: 'done';
      /** The very same object as before when the event changed nothing. */
      readonly next: ReleaseState;
      readonly effects: readonly Effect[];
      /**
       * `durable`: the next state is kept before its effects run. `counted`: counters have changed and no more, so the effects
       * run at once, and the state is kept a moment later.
       */
      readonly weight: 'durable' | 'counted';
    }
  | { readonly kind: 'rejected'; readonly because: RejectedBecause; readonly reason: string };

/** `unlisted`: the phase has no such event. `stale`: the event belongs to another epoch. `not-due`: it changes nothing yet. */
type RejectedBecause = on.Refusal['because'];

type Handler<K extends ReleaseEvent['kind']> = (
  draft: Draft,
  event: Extract<ReleaseEvent, { readonly kind: K }>,
  version: VersionState | undefined,
) => on.Refusal | undefined;

/** What an event does in a phase, and the phases it may lead to; none: the version stays. */
interface Cell<K extends ReleaseEvent['kind']> {
  readonly does: Handler<K>;
  readonly to: readonly VersionPhase[];
}

type Row = { readonly [K in ReleaseEvent['kind']]?: Cell<K> };

const putAgain: Cell<'put'> = { does: on.put, to: ['starting', 'standby'] };
const probed: Cell<'probed'> = { does: trial.probed, to: ['failed'] };
const forgiven: Cell<'forgiven'> = { does: health.forgiven, to: [] };
const finding: Cell<'finding'> = { does: trial.finding, to: ['failed'] };
const measured: Cell<'measured'> = { does: trial.measured, to: ['failed'] };
const compared: Cell<'compared'> = { does: compare.compared, to: ['failed'] };
const difference: Cell<'difference'> = { does: compare.difference, to: [] };
const served: Cell<'served'> = { does: on.served, to: [] };
const pause: Cell<'pause'> = { does: control.pause, to: [] };
const resume: Cell<'resume'> = { does: control.resume, to: [] };
const rollback: Cell<'rollback'> = { does: control.rollback, to: ['failed'] };
const rollbackStable: Cell<'rollback'> = { does: control.rollbackStable, to: ['failed'] };
const launched: Cell<'launched'> = { does: container.launched, to: [] };
const launchedAnew: Cell<'launched'> = { does: container.launched, to: ['starting'] };
const seen: Cell<'seen'> = { does: container.seen, to: [] };
const lateOutput: Cell<'output'> = { does: container.lateOutput, to: [] };
const remove: Cell<'delete'> = { does: on.remove, to: ['draining'] };
const drainOver: Cell<'drain-over'> = { does: exit.drainOver, to: [] };
const lateFinding: Cell<'finding'> = { does: exit.lateFinding, to: [] };
const lateFigures: Cell<'measured'> = { does: exit.lateFigures, to: [] };
const lateCompared: Cell<'compared'> = { does: exit.lateCompared, to: [] };
const lateDifference: Cell<'difference'> = { does: exit.lateDifference, to: [] };

export const TABLE: Readonly<Record<VersionPhase | 'absent', Row>> = {
  absent: { put: { does: on.put, to: ['starting', 'stable', 'standby'] } },
  starting: {
    launched,
    'launch-failed': { does: container.launchFailed, to: ['failed'] },
    'container-down': { does: container.containerDown, to: ['failed'] },
    ready: { does: on.ready, to: ['releasing', 'watching', 'stable'] },
    unready: { does: health.unready, to: ['failed'] },
    rollback,
    delete: { does: on.cancel, to: ['retired'] },
  },
  releasing: {
    answered: { does: on.answered, to: ['watching'] },
    quiet: { does: on.quiet, to: ['watching'] },
    counted: { does: on.counted, to: ['watching'] },
    promote: { does: control.promoteToWatching, to: ['watching'] },
    probed,
    finding,
    forgiven,
    launched,
    measured,
    compared,
    difference,
    pause,
    resume,
    rollback,
    delete: remove,
  },
  watching: {
    'regret-over': { does: on.regretOver, to: ['stable'] },
    seen,
    promote: { does: control.promoteToStable, to: ['stable'] },
    probed,
    finding,
    forgiven,
    launched,
    measured,
    compared,
    difference,
    pause,
    resume,
    rollback,
    delete: remove,
  },
  stable: { served, seen, launched: launchedAnew, rollback: rollbackStable, delete: remove },
  standby: {
    served,
    launched: launchedAnew,
    'launch-failed': { does: container.launchFailed, to: ['failed'] },
    delete: remove,
  },
  draining: {
    drained: { does: exit.drained, to: ['retired'] },
    'drain-over': drainOver,
    finding: lateFinding,
    measured: lateFigures,
    output: lateOutput,
    compared: lateCompared,
    difference: lateDifference,
  },
  failed: {
    put: putAgain,
    drained: { does: exit.drained, to: [] },
    'drain-over': drainOver,
    finding: lateFinding,
    measured: lateFigures,
    output: lateOutput,
    compared: lateCompared,
    difference: lateDifference,
  },
  retired: { put: putAgain, output: lateOutput, compared: lateCompared, difference: lateDifference },
};

export function transition(state: ReleaseState, event: ReleaseEvent): Transition {
  const version = state.versions.find(({ id }) => id === event.id);
  const cell = TABLE[version?.phase ?? 'absent'][event.kind] as Cell<ReleaseEvent['kind']> | undefined;
  if (cell === undefined) return rejected(unlisted(event, version));
  if (version !== undefined && 'epoch' in event && event.epoch !== version.epoch) {
    return rejected({ because: 'stale', reason: `Epoch ${event.epoch} of version ${event.id} is over` });
  }
  const draft = new Draft(state, event.atMs);
  const refusal = cell.does(draft, event as never, version);
  if (refusal !== undefined) return rejected(refusal);
  if (!draft.decided) return { kind: 'done', next: draft.finish(), effects: draft.effects, weight: 'counted' };
  settle(draft);
  const next = draft.finish();
  const publish = chainChanged(state, next) ? [{ kind: 'publish', ...chainOf(next.versions) } as const] : [];
  return { kind: 'done', next, effects: [...publish, ...draft.effects], weight: 'durable' };
}

function rejected(refusal: on.Refusal): Transition {
  return { kind: 'rejected', ...refusal };
}

const CONTROL_WORDS: Readonly<Record<string, string>> = {
  promote: 'promoted',
  pause: 'paused',
  resume: 'resumed',
  rollback: 'rolled back',
};

/** What an unlisted pair is to whoever sent the event. */
function unlisted(event: ReleaseEvent, version: VersionState | undefined): on.Refusal {
  const unknown = { because: 'unknown-id', reason: `No cluster has the id ${event.id}` } as const;
  if (event.kind === 'put') {
    return { because: 'conflict', reason: `The uuid ${event.id} is in use by version ${version?.spec.version}` };
  }
  if (event.kind === 'delete') return unknown;
  const word = CONTROL_WORDS[event.kind];
  if (word !== undefined) {
    if (version === undefined) return unknown;
    const onTrial = event.kind === 'rollback' ? 'a version on trial or the stable one' : 'a version on trial';
    const which = isCandidate(version) ? 'one that takes traffic already' : onTrial;
    const is = version.phase === 'failed' ? 'has failed' : `is ${version.phase}`;
    const reason = `Version ${versionText(version.spec)} ${is}: only ${which} can be ${word}`;
    return { because: 'conflict', reason };
  }
  const where = version === undefined ? 'no version' : `a version that is ${version.phase}`;
  return { because: 'unlisted', reason: `${event.kind} does not apply to ${where}` };
}

/**
 * True when the data plane needs another table: a version came, went or changed its phase, or is to be cut. Thresholds have
 * their own effect.
 */
function chainChanged(before: ReleaseState, after: ReleaseState): boolean {
  if (before === after) return false;
  const old = before.versions.filter(serves);
  const now = after.versions.filter(serves);
  return (
    old.length !== now.length ||
    cuts(after) > cuts(before) ||
    now.some((version, index) => {
      const was = old[index];
      const same = was?.id === version.id && was.phase === version.phase && was.epoch === version.epoch;
      return !same || was.spec.servers !== version.spec.servers;
    })
  );
}

function cuts({ versions }: ReleaseState): number {
  return versions.reduce((count, { exit: left }) => count + (left?.cut.length ?? 0), 0);
}
