/** One transition in the making: the next versions and the effects, until it is done or thrown away. */
import type { ClusterSpec, LogLevel } from '../config/model.ts';
import type { Effect } from './effects.ts';
import { DEFAULT_SERVICE, isCandidate, type ReleaseState, type VersionPhase, type VersionState } from './state.ts';
import { compareVersions } from './version-order.ts';

/** Failed and retired versions that the state remembers. */
const FINISHED_MAX = 100;

export class Draft {
  /** In version order, newest first. */
  versions: readonly VersionState[];
  readonly effects: Effect[] = [];
  applied: unknown;
  readonly #before: ReleaseState;
  readonly #atMs: number;
  #putSequence: number;
  #epochSequence: number;

  constructor(before: ReleaseState, atMs: number) {
    this.#before = before;
    this.#atMs = atMs;
    this.versions = before.versions;
    this.applied = before.applied;
    this.#putSequence = before.putSequence;
    this.#epochSequence = before.epochSequence;
  }

  find(id: string): VersionState | undefined {
    return this.versions.find((version) => version.id === id);
  }

  /** A new version in phase `starting`; a finished one with this id gives way. */
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
    };
    const others = this.versions.filter((other) => other.id !== id);
    this.versions = [...others, version].sort(newestFirst);
    return version;
  }

  /** Moves a version into a phase; its epoch changes when it thereby enters or leaves a trial. */
  enter(id: string, phase: VersionPhase, reason: string): void {
    this.change(id, (version) => {
      const next = { ...version, phase, reason, sinceMs: this.#atMs, trusted: version.trusted || phase === 'stable' };
      return isCandidate(next) === isCandidate(version) ? next : { ...next, epoch: this.#nextEpoch() };
    });
  }

  change(id: string, edit: (version: VersionState) => VersionState): void {
    this.versions = this.versions.map((version) => (version.id === id ? edit(version) : version));
  }

  log(level: LogLevel, text: string, version: VersionState): void {
    const facts = { service: version.service, versionId: version.id, version: version.spec.version };
    this.effects.push({ kind: 'log', level, text, facts });
  }

  /** The next state; the very same object as before when nothing changed. */
  finish(): ReleaseState {
    if (this.versions === this.#before.versions) return this.#before;
    return {
      ...this.#before,
      applied: this.applied,
      putSequence: this.#putSequence,
      epochSequence: this.#epochSequence,
      versions: withoutOldFinished(this.versions),
    };
  }

  #nextEpoch(): number {
    this.#epochSequence += 1;
    return this.#epochSequence;
  }
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
