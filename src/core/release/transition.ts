/**
 * The release machine. One table says which event means what in which phase; a pair that is not in it is rejected and
 * changes nothing. Nothing here acts: a transition returns the next state and its effects as data.
 */
import { Draft } from './draft.ts';
import type { Effect } from './effects.ts';
import type { ReleaseEvent } from './events.ts';
import * as on from './handlers.ts';
import { chainOf } from './routes.ts';
import { settle } from './settle.ts';
import { type ReleaseState, serves, type VersionPhase, type VersionState } from './state.ts';

export type Transition =
  | {
      readonly kind: 'done';
      /** The very same object as before when the event changed nothing. */
      readonly next: ReleaseState;
      readonly effects: readonly Effect[];
    }
  | { readonly kind: 'rejected'; readonly because: RejectedBecause; readonly reason: string };

/** `unlisted`: the phase has no such event. `stale`: the event belongs to another epoch. `not-due`: it changes nothing yet. */
type RejectedBecause = 'unknown-id' | 'conflict' | 'unlisted' | 'stale' | 'not-due';

type Handler<K extends ReleaseEvent['kind']> = (
  draft: Draft,
  event: Extract<ReleaseEvent, { readonly kind: K }>,
  version: VersionState | undefined,
) => on.Refusal | undefined;

type Row = { readonly [K in ReleaseEvent['kind']]?: Handler<K> };

const TABLE: Readonly<Record<VersionPhase | 'absent', Row>> = {
  absent: { put: on.put },
  starting: { ready: on.ready, delete: on.cancel },
  releasing: {
    answered: on.answered,
    quiet: on.quiet,
    counted: on.counted,
    refused: on.refused,
    probed: on.probed,
    delete: on.remove,
  },
  watching: { refused: on.refused, probed: on.probed, 'regret-over': on.regretOver, delete: on.remove },
  stable: { delete: on.remove },
  standby: { delete: on.remove },
  draining: { drained: on.drained },
  failed: { put: on.put },
  retired: { put: on.put },
};

export function transition(state: ReleaseState, event: ReleaseEvent): Transition {
  const version = state.versions.find(({ id }) => id === event.id);
  const handler = TABLE[version?.phase ?? 'absent'][event.kind] as Handler<ReleaseEvent['kind']> | undefined;
  if (handler === undefined) return rejected(unlisted(event, version));
  if (version !== undefined && 'epoch' in event && event.epoch !== version.epoch) {
    return rejected({ because: 'stale', reason: `Epoch ${event.epoch} of version ${event.id} is over` });
  }
  const draft = new Draft(state, event.atMs);
  const refusal = handler(draft, event as never, version);
  if (refusal !== undefined) return rejected(refusal);
  if (draft.versions !== state.versions) settle(draft);
  const next = draft.finish();
  const publish = chainChanged(state, next) ? [{ kind: 'publish', ...chainOf(next.versions) } as const] : [];
  return { kind: 'done', next, effects: [...publish, ...draft.effects] };
}

function rejected(refusal: on.Refusal): Transition {
  return { kind: 'rejected', ...refusal };
}

/** What an unlisted pair is to whoever sent the event. */
function unlisted(event: ReleaseEvent, version: VersionState | undefined): on.Refusal {
  if (event.kind === 'put') {
    return { because: 'conflict', reason: `The uuid ${event.id} is in use by version ${version?.spec.version}` };
  }
  if (event.kind === 'delete') return { because: 'unknown-id', reason: `No cluster has the id ${event.id}` };
  const where = version === undefined ? 'no version' : `a version that is ${version.phase}`;
  return { because: 'unlisted', reason: `${event.kind} does not apply to ${where}` };
}

/** True when the data plane needs another chain: a version came, went or changed its phase. Thresholds have their own effect. */
function chainChanged(before: ReleaseState, after: ReleaseState): boolean {
  if (before === after) return false;
  const old = before.versions.filter(serves);
  const now = after.versions.filter(serves);
  return (
    old.length !== now.length ||
    now.some((version, index) => {
      const was = old[index];
      return was?.id !== version.id || was.phase !== version.phase || was.epoch !== version.epoch;
    })
  );
}
