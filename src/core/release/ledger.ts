/**
 * The ledger: the written history of each release. One entry says what was counted, what was decided, by what rule and on
 * what evidence; it outlives its version.
 */
import type { Mode, VerdictRules } from '../config/model.ts';
import { versionText } from './describe.ts';
import type { Comparison } from './divergence.ts';
import type { Baseline, Evidence } from './evidence.ts';
import type { VersionState } from './state.ts';
import type { Trial } from './trial.ts';
import type { Verdict } from './verdict.ts';

/** What a release ended in. */
export type Decision = 'stable' | 'failed' | 'standby' | 'retired';

/** Why: a rule of the verdict, or what else ends a release. */
export type Rule =
  | Extract<Verdict, { readonly kind: 'guilty' }>['rule']
  /** Nobody had anything against it for its whole regret window. */
  | 'regret-window'
  /** By hand. */
  | 'promote'
  | 'rollback'
  | 'delete'
  /** A newer version became stable first. */
  | 'overtaken'
  /** What it was tried against is gone. */
  | 'nothing-older'
  /** Its servers were not ready in time. */
  | 'not-ready'
  /** Its containers could not be started. */
  | 'not-launched';

/** Taken from the figures of the data plane: exchanges that the version admitted, and what became of them. */
export interface FigureCounts {
  readonly requests: number;
  readonly replays: number;
  readonly absorbed: number;
  readonly notReplayable: number;
  readonly budgetRefused: number;
}

/** With what the findings said. */
export interface ReleaseCounts extends FigureCounts {
  readonly blamed: number;
  readonly shared: number;
  readonly unpaired: number;
}

export interface LedgerEntry {
  readonly id: string;
  readonly service: string;
  readonly version: string;
  readonly mode: Mode;
  readonly epoch: number;
  /** The older version it was held against, or null: it never came to that. */
  readonly against: string | null;
  /** Wall milliseconds. */
  readonly begunMs: number;
  readonly decidedMs: number;
  readonly decision: Decision;
  readonly rule: Rule;
  /** One line for people. */
  readonly reason: string;
  /** The last one before the decision, on this evidence against this baseline. */
  readonly verdict: Verdict;
  readonly evidence: Evidence;
  readonly baseline: Baseline;
  /** Counts of exchanges that ended after the decision come in until the version has drained. */
  readonly counts: ReleaseCounts;
  /** With mode CONCURRENT, else null. An older version's answer may end last, so this may still grow after that. */
  readonly comparison: Comparison | null;
  /** The last lines that its containers wrote before it failed. */
  readonly output: readonly string[];
}

/** Releases that are remembered. */
const LEDGER_MAX = 100;

export const NO_FIGURES: FigureCounts = { requests: 0, replays: 0, absorbed: 0, notReplayable: 0, budgetRefused: 0 };
export const NO_COUNTS: ReleaseCounts = { ...NO_FIGURES, blamed: 0, shared: 0, unpaired: 0 };

export function addFigures(counts: ReleaseCounts, more: FigureCounts): ReleaseCounts {
  return {
    ...counts,
    requests: counts.requests + more.requests,
    replays: counts.replays + more.replays,
    absorbed: counts.absorbed + more.absorbed,
    notReplayable: counts.notReplayable + more.notReplayable,
    budgetRefused: counts.budgetRefused + more.budgetRefused,
  };
}

/** How a release ended. */
export interface Conclusion {
  readonly decision: Decision;
  readonly rule: Rule;
  readonly reason: string;
  readonly atMs: number;
  /** The older version it was held against, or null. */
  readonly against: string | null;
  readonly output: readonly string[];
}

export function entryOf(version: VersionState, trial: Trial, conclusion: Conclusion): LedgerEntry {
  const { decision, rule, reason, atMs, against, output } = conclusion;
  return {
    id: version.id,
    service: version.service,
    version: version.spec.version,
    mode: version.spec.transition.mode,
    epoch: version.epoch,
    against,
    begunMs: trial.begunMs,
    decidedMs: atMs,
    decision,
    rule,
    reason,
    verdict: trial.verdict,
    evidence: trial.evidence,
    baseline: trial.baseline,
    counts: trial.counts,
    comparison: version.spec.transition.compare === null ? null : trial.comparison,
    output,
  };
}

/** The one line that the log shows at the decision. */
export function ledgerLine(version: VersionState, entry: LedgerEntry): string {
  const { decision, rule, reason, counts, baseline } = entry;
  return (
    `Release of version ${versionText(version.spec)} is over: ${decision} by rule ${rule}: ${reason}; ` +
    `${counts.requests} requests, ${counts.replays} replays, ${counts.absorbed} absorbed, ${counts.blamed} blamed, ` +
    `${counts.shared} shared, ${counts.unpaired} unpaired, ${counts.notReplayable} not replayable, ` +
    `${counts.budgetRefused} refused by the budget; ${baselineText(baseline, version.spec.transition.verdict)}` +
    comparedText(entry.comparison)
  );
}

function baselineText({ requests, failures, source }: Baseline, { assumedRate }: VerdictRules): string {
  if (source === 'assumed') return `${Number((100 * assumedRate).toPrecision(2))} % is assumed of the older version`;
  return `the older version failed ${failures} of ${requests} ${source === 'release' ? 'meanwhile' : 'before'}`;
}

function comparedText(comparison: Comparison | null): string {
  if (comparison === null) return '';
  const { compared, different, noiseCompared, noiseDifferent } = comparison.counts;
  return `; ${different} of ${compared} compared answers differ, noise ${noiseDifferent} of ${noiseCompared}`;
}

/** The ledger with this entry in front. */
export function withEntry(ledger: readonly LedgerEntry[], entry: LedgerEntry): readonly LedgerEntry[] {
  return [entry, ...ledger].slice(0, LEDGER_MAX);
}

/** Counts what comes late, after the decision; the very same ledger when it has no such release, or nothing is counted. */
export function withLate(
  ledger: readonly LedgerEntry[],
  { id, epoch }: { readonly id: string; readonly epoch: number },
  count: (entry: LedgerEntry) => LedgerEntry,
): readonly LedgerEntry[] {
  const index = ledger.findIndex((entry) => entry.id === id && entry.epoch === epoch);
  const entry = ledger[index];
  if (entry === undefined) return ledger;
  const counted = count(entry);
  return counted === entry ? ledger : ledger.with(index, counted);
}
