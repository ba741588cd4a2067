/** A version that has left, deleted or failed: what it has in flight finishes, or is cut, and is still counted. */
import { versionText } from './describe.ts';
import type { Draft } from './draft.ts';
import type { DrainedEvent, DrainOverEvent, FindingEvent, MeasuredEvent } from './events.ts';
import type { Refusal } from './handlers.ts';
import { addFigures, withLateCounts } from './ledger.ts';
import type { Exit, VersionState } from './state.ts';

type Version = VersionState | undefined;

/** What takes longer than `timeouts.drain` is cut; for tunnels it is `timeouts.tunnelDrain`. */
export function drainOver(draft: Draft, event: DrainOverEvent, version: Version): Refusal | undefined {
  if (version?.exit == null || version.exit.cut.includes(event.what)) return nothingToDo(event.id);
  change(draft, version, ({ cut }) => ({ cut: [...cut, event.what] }));
  const text = `Version ${versionText(version.spec)} has not drained in time: its ${event.what} in flight are cut`;
  draft.log('WARNING', text, version);
  return undefined;
}

/** A deleted version is gone; a failed one stays failed. */
export function drained(draft: Draft, event: DrainedEvent, version: Version): Refusal | undefined {
  if (version?.exit == null || version.exit.over) return nothingToDo(event.id);
  if (version.phase === 'failed') change(draft, version, () => ({ cut: [], over: true }));
  else draft.conclude(event.id, 'retired', { rule: 'delete', reason: 'Its last exchange has ended' });
  draft.log('INFO', `Version ${versionText(version.spec)} has drained`, version);
  return undefined;
}

/** Exchanges that were under way at the decision: the ledger counts them, no verdict does. */
export function lateFigures(draft: Draft, event: MeasuredEvent): undefined {
  draft.ledger = withLateCounts(draft.ledger, event, (counts) => addFigures(counts, event.figures));
}

export function lateFinding(draft: Draft, event: FindingEvent): undefined {
  draft.ledger = withLateCounts(draft.ledger, event, (counts) => ({
    ...counts,
    [event.finding]: counts[event.finding] + 1,
  }));
}

function change(draft: Draft, version: VersionState, edit: (exit: Exit) => Partial<Exit>): void {
  draft.change(version.id, (before) =>
    before.exit === null ? before : { ...before, exit: { ...before.exit, ...edit(before.exit) } },
  );
}

function nothingToDo(id: string): Refusal {
  return { because: 'not-due', reason: `Version ${id} has nothing left to drain` };
}
