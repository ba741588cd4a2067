/**
 * What speaks for or against a version on trial: findings, answers, and how its servers stand.
 * Each piece of evidence is judged at once; a guilty version is taken back as soon as an older one is known to answer.
 */
import { versionText } from './describe.ts';
import { withDivergence } from './divergence.ts';
import type { Draft, Ending } from './draft.ts';
import type { FindingEvent, MeasuredEvent, ProbedEvent } from './events.ts';
import { withAnswers, withFinding } from './evidence.ts';
import type { Refusal } from './handlers.ts';
import { addFigures } from './ledger.ts';
import { serves, type VersionState } from './state.ts';
import { addOlder, baselineOf, type Trial } from './trial.ts';
import { judge, judgeServers, type Verdict } from './verdict.ts';

type Version = VersionState | undefined;

/** Whether an older version has just been seen to answer. */
type OlderVersion = 'answers' | 'unknown';

/**
 * Takes the version back when something older answers and either more than half of its servers fail, or the verdict has
 * waited for this proof; else nothing is proved.
 */
export function probed(draft: Draft, event: ProbedEvent, version: Version): Refusal | undefined {
  if (version?.trial == null) return undefined;
  const { verdict } = version.trial;
  if (event.olderAnswers === null) return nowhereToGo(draft, version, version.trial);
  const dead = judgeServers({ servers: event.servers, ejected: event.failures.length });
  if (dead.kind === 'guilty') {
    const reason = `${dead.reason} (${event.failures.join('; ')}) while an older version answers`;
    fail(draft, version, { rule: dead.rule, reason });
    return undefined;
  }
  if (verdict.kind !== 'guilty') return { because: 'not-due', reason: 'Most of its servers do well' };
  fail(draft, version, verdict);
  return undefined;
}

/** An exchange in which the version failed is decided. A blamed failure is one that an older version has just answered. */
export function finding(draft: Draft, event: FindingEvent, version: Version): undefined {
  if (version?.trial == null) return;
  count(draft, version, ({ evidence, counts }) => ({
    evidence: withFinding(evidence, event.finding, event.server),
    counts: { ...counts, [event.finding]: counts[event.finding] + 1 },
  }));
  judgeNow(draft, event.id, event.finding === 'blamed' ? 'answers' : 'unknown');
}

/** Answers, figures, and what the older version does meanwhile. */
export function measured(draft: Draft, event: MeasuredEvent, version: Version): undefined {
  if (version?.trial == null) return;
  const { answers, figures, older } = event;
  count(draft, version, (trial) => ({
    evidence: answers > 0 ? withAnswers(trial.evidence, answers) : trial.evidence,
    counts: addFigures(trial.counts, figures),
    older: older === null ? trial.older : addOlder(trial.older, older),
  }));
  judgeNow(draft, event.id, event.olderAnswers === null ? 'unknown' : 'answers');
}

/** Takes a version back: it leaves the table at once and lets what it has in flight finish. */
export function fail(draft: Draft, version: VersionState, { rule, reason, output = [] }: Ending): void {
  if (serves(version)) {
    draft.log('WARNING', `Removing cluster from configuration - version: ${versionText(version.spec)}`, version);
  }
  draft.conclude(version.id, 'failed', { rule, reason, output });
}

/** With what is known now; guilty, it is taken back where an older version is known to answer, else after a probe. */
export function judgeNow(draft: Draft, id: string, older: OlderVersion): void {
  const version = draft.find(id);
  if (version?.trial == null) return;
  const baseline = baselineOf(draft.versions, version);
  const verdict = withDivergence(judge(version.trial.evidence, baseline, version.spec.transition.verdict), version);
  noteVerdict(draft, version, verdict);
  count(draft, version, () => ({
    verdict,
    baseline,
    stuck: verdict.kind === 'guilty' && version.trial?.stuck === true,
  }));
  if (verdict.kind !== 'guilty') return;
  if (older === 'answers') fail(draft, draft.find(id) ?? version, verdict);
  else probe(draft, version);
}

/** A hold begins and ends with a line in the log; how the evidence grows meanwhile is in the status. */
function noteVerdict(draft: Draft, version: VersionState, verdict: Verdict): void {
  const before = version.trial?.verdict.kind;
  if (verdict.kind === before) return;
  const name = `The release of version ${versionText(version.spec)}`;
  if (verdict.kind === 'inconclusive') draft.log('INFO', `${name} is held: ${verdict.reason}`, version);
  if (verdict.kind === 'clean') draft.log('INFO', `${name} goes on: nothing speaks against it any more`, version);
}

/** Guilty, but no older version answers: removing it would help nobody. Said once, and tried again at each tick. */
function nowhereToGo(draft: Draft, version: VersionState, { verdict, stuck }: Trial): Refusal | undefined {
  if (verdict.kind !== 'guilty' || stuck) return { because: 'not-due', reason: 'No older version answers' };
  count(draft, version, () => ({ stuck: true }));
  const text = `Version ${versionText(version.spec)} is guilty by rule ${verdict.rule} (${verdict.reason}), and it stays: no older version answers`;
  draft.log('ERROR', text, version);
  return undefined;
}

/** The older versions are tried; a `probed` event says what came of it. */
function probe(draft: Draft, { id, epoch }: VersionState): void {
  draft.effects.push({ kind: 'probe', id, epoch });
}

export function count(draft: Draft, version: VersionState, edit: (trial: Trial) => Partial<Trial>): void {
  draft.count(version.id, (before) =>
    before.trial === null ? before : { ...before, trial: { ...before.trial, ...edit(before.trial) } },
  );
}
