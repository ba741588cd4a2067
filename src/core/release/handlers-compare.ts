/** What comparing the answers of a version on trial with an older one's has shown (mode CONCURRENT). */
import { addCounts, addDifference, type Comparison } from './divergence.ts';
import type { Draft } from './draft.ts';
import type { ComparedEvent, DifferenceEvent } from './events.ts';
import { judgeNow } from './handlers-trial.ts';
import type { VersionState } from './state.ts';

type Version = VersionState | undefined;

/** What was compared is an answer of the older version, so it has just answered. */
export function compared(draft: Draft, event: ComparedEvent, version: Version): undefined {
  change(draft, version, (comparison) => addCounts(comparison, event.counts));
  judgeNow(draft, event.id, 'answers');
}

export function difference(draft: Draft, event: DifferenceEvent, version: Version): undefined {
  change(draft, version, (comparison) => addDifference(comparison, event.difference));
}

function change(draft: Draft, version: Version, edit: (comparison: Comparison) => Comparison): void {
  const before = version?.trial?.comparison;
  if (version === undefined || before === undefined) return;
  const comparison = edit(before);
  if (comparison === before) return;
  draft.count(version.id, (was) => (was.trial === null ? was : { ...was, trial: { ...was.trial, comparison } }));
}
