/** One transition in the making: the next versions and the effects, until it is done or thrown away. */
import type { ClusterSpec, LogLevel } from '../config/model.ts';
import type { Effect } from './effects.ts';
import { type Decision, entryOf, type LedgerEntry, ledgerLine, type Rule, withEntry } from './ledger.ts';
import { type QuarantinedImage, withoutTrusted, withQuarantined } from './quarantine.ts';
import type { SeenImage } from './seen.ts';
import {
  DEFAULT_SERVICE,
  isCandidate,
  isInService,
  type ReleaseState,
  type VersionPhase,
  type VersionState,
} from './state.ts';
import { beginTrial, olderThan } from './trial.ts';
import { compareVersions } from './version-order.ts';

/** Failed and retired versions that the state remembers. */
const FINISHED_MAX = 100;

export class Draft {
  /** In version order, newest first. */
  versions: readonly VersionState[];
  ledger: readonly LedgerEntry[];
  quarantine: readonly QuarantinedImage[];
  seen: readonly SeenImage[];
  readonly effects: Effect[] = [];
  /** True when more than a counter has changed. */
  decided = false;
  applied: unknown;
  readonly #before: ReleaseState;
  readonly #atMs: number;
  #putSequence: number;
  #epochSequence: number;

  constructor(before: ReleaseState, atMs: number) {
    this.#before = before;
    this.#atMs = atMs;
    this.versions = before.versions;
    this.ledger = before.ledger;
    this.quarantine = before.quarantine;
    this.seen = before.seen;
    this.applied = before.applied;
    this.#putSequence = before.putSequence;
    this.#epochSequence = before.epochSequence;
  }

  /** The version as it was before this transition. */
  was(id: string): VersionState | undefined {
    return this.#before.versions.find((version) => version.id === id);
  }

  find(id: string): VersionState | undefined {
    return this.versions.find((version) => version.id === id);
  }

  /** A new version in phase `starting`, not on trial yet; a finished one with this id gives way. */
  add(id: string, spec: ClusterSpec): VersionState {
    const { mode, percentagePerRequest } = spec.transition;
    this.#putSequence += 1;
    const version: VersionState = {
      id,
      service: DEFAULT_SERVICE,
      spec,
      phase: 'starting',
      sinceMs: this.#atMs,
      reason: 'It was put',
      putSequence: this.#putSequence,
      epoch: this.#nextEpoch(),
      trusted: false,
      raises: 0,
      threshold: mode === 'GRADUAL' ? percentagePerRequest : 0,
      trial: null,
      recent: [],
      exit: null,
      launch: null,
      replaces: null,
    };
    const others = this.versions.filter((other) => other.id !== id);
    this.versions = [...others, version].sort(newestFirst);
    this.decided = true;
    return version;
  }

  /** Moves a version into a phase in which it serves or is about to; its trial begins when it thereby becomes a candidate. */
  enter(id: string, phase: Exclude<VersionPhase, 'draining' | 'failed' | 'retired'>, reason: string): void {
    this.change(id, (version) => this.#moved(version, phase, reason));
  }

  /**
   * The same, for what ends a trial if there is one, or takes back what was trusted: then the ledger has one entry more, and the
   * log its line.
   */
  conclude(id: string, phase: VersionPhase, { rule, reason, output = [] }: Ending): void {
    const version = this.find(id);
    if (version === undefined) return;
    const trial = version.trial ?? (rule === 'rollback' ? beginTrial(version.sinceMs) : null);
    if (trial !== null) {
      const decision = decisionOf(phase);
      const against = olderThan(this.versions, version)[0]?.spec.version ?? null;
      const entry = entryOf(version, trial, { decision, rule, reason, output, atMs: this.#atMs, against });
      this.ledger = withEntry(this.ledger, entry);
      this.log(decision === 'failed' ? 'WARNING' : 'NOTICE', ledgerLine(version, entry), version);
    }
    if (phase === 'failed') {
      const others = this.versions.filter((other) => other.id !== id);
      this.quarantine = withQuarantined(this.quarantine, version, { others, reason, atMs: this.#atMs });
    }
    if (phase === 'stable') this.quarantine = withoutTrusted(this.quarantine, version);
    this.change(id, () => this.#moved(version, phase, reason));
  }

  /** What was found out about a version that is starting counts no more: whoever is asked about it now answers anew. */
  renew(id: string): void {
    this.change(id, (version) => ({ ...version, epoch: this.#nextEpoch() }));
  }

  /** A change that must be durable before anything is done about it. */
  change(id: string, edit: (version: VersionState) => VersionState): void {
    this.count(id, edit);
    this.decided = true;
  }

  /** A change of counters: after a crash they may be a moment old. */
  count(id: string, edit: (version: VersionState) => VersionState): void {
    const index = this.versions.findIndex((version) => version.id === id);
    const version = this.versions[index];
    if (version !== undefined) this.versions = this.versions.with(index, edit(version));
  }

  log(level: LogLevel, text: string, version: VersionState): void {
    const facts = { service: version.service, versionId: version.id, version: version.spec.version };
    this.effects.push({ kind: 'log', level, text, facts });
  }

  /** The next state; the very same object as before when nothing changed. */
  finish(): ReleaseState {
    const { versions, ledger, seen } = this.#before;
    if (this.versions === versions && this.ledger === ledger && this.seen === seen) return this.#before;
    return {
      ...this.#before,
      applied: this.applied,
      putSequence: this.#putSequence,
      epochSequence: this.#epochSequence,
      versions: this.decided ? withoutOldFinished(this.versions) : this.versions,
      ledger: this.ledger,
      quarantine: this.quarantine,
      seen: this.seen,
    };
  }

  #moved(version: VersionState, phase: VersionPhase, reason: string): VersionState {
    const next = { ...version, phase, reason, sinceMs: this.#atMs, trusted: version.trusted || phase === 'stable' };
    const exit = isInService(phase) || phase === 'starting' ? null : { cut: [], over: phase === 'retired' };
    if (!isCandidate(next)) {
      const epoch = isCandidate(version) && exit === null ? this.#nextEpoch() : version.epoch;
      return { ...next, epoch, exit, trial: null };
    }
    const epoch = isCandidate(version) ? version.epoch : this.#nextEpoch();
    return { ...next, epoch, exit, trial: version.trial ?? beginTrial(this.#atMs) };
  }

  #nextEpoch(): number {
    this.#epochSequence += 1;
    return this.#epochSequence;
  }
}

/** Why a version leaves its phase. */
export interface Ending {
  readonly rule: Rule;
  readonly reason: string;
  /** The last lines that its containers wrote. */
  readonly output?: readonly string[];
}

function decisionOf(phase: VersionPhase): Decision {
  if (phase === 'stable' || phase === 'failed' || phase === 'standby') return phase;
  return 'retired';
}

/** Newer versions first; of versions that rank alike, the later PUT first. */
function newestFirst(a: VersionState, b: VersionState): number {
  return compareVersions(b.spec.version, a.spec.version) || b.putSequence - a.putSequence;
}

function withoutOldFinished(versions: readonly VersionState[]): readonly VersionState[] {
  const finished = versions.filter(({ phase }) => phase === 'failed' || phase === 'retired');
  if (finished.length <= FINISHED_MAX) return versions;
  const oldest = finished.toSorted((a, b) => b.sinceMs - a.sinceMs || b.putSequence - a.putSequence);
  const dropped = new Set(oldest.slice(FINISHED_MAX));
  return versions.filter((version) => !dropped.has(version));
}
