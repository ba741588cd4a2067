/** A version that has left, deleted or failed: what it has in flight finishes, or is cut, and is still counted. */
import { versionText } from './describe.ts';
import { addCounts, addDifference, type Comparison } from './divergence.ts';
import type { Draft } from './draft.ts';
import type {
  ComparedEvent,
  DifferenceEvent,
  DrainedEvent,
  DrainOverEvent,
  FindingEvent,
  MeasuredEvent,
} from './events.ts';
import type { Refusal } from './handlers.ts';
import { stopContainers } from './handlers-containers.ts';
import { addFigures, withLate } from './ledger.ts';
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
  stopContainers(draft, version);
  return undefined;
}

/** Exchanges that were under way at the decision: the ledger counts them, no verdict does. */
export function lateFigures(draft: Draft, event: MeasuredEvent): undefined {
  draft.ledger = withLate(draft.ledger, event, (entry) => ({
    ...entry,
    counts: addFigures(entry.counts, event.figures),
  }));
}

export function lateFinding(draft: Draft, event: FindingEvent): undefined {
  draft.ledger = withLate(draft.ledger, event, (entry) => ({
    ...entry,
    counts: { ...entry.counts, [event.finding]: entry.counts[event.finding] + 1 },
  }));
}

/** The older version's answer ended after the decision. */
export function lateCompared(draft: Draft, event: ComparedEvent): undefined {
  lateComparison(draft, event, (comparison) => addCounts(comparison, event.counts));
}

export function lateDifference(draft: Draft, event: DifferenceEvent): undefined {
  lateComparison(draft, event, (comparison) => addDifference(comparison, event.difference));
}

function lateComparison(
  draft: Draft,
  event: ComparedEvent | DifferenceEvent,
  edit: (comparison: Comparison) => Comparison,
): void {
  draft.ledger = withLate(draft.ledger, event, (entry) => {
    if (entry.comparison === null) return entry;
    const comparison = edit(entry.comparison);
    return comparison === entry.comparison ? entry : { ...entry, comparison };
  });
}

function change(draft: Draft, version: VersionState, edit: (exit: Exit) => Partial<Exit>): void {
  draft.change(version.id, (before) =>
    before.exit === null ? before : { ...before, exit: { ...before.exit, ...edit(before.exit) } },
  );
}

function nothingToDo(id: string): Refusal {
  return { because: 'not-due', reason: `Version ${id} has nothing left to drain` };
}
