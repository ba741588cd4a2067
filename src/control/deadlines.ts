/**
 * What time and traffic bring about by themselves: sessions that have run out, regret windows that are over, enough requests
 * asked, exchanges that have ended. Looked at a few times a second. Durations are measured on the monotonic clock, so that a jump of
 * the wall clock releases nothing.
 */
import type { ReleaseEvent } from '../core/release/events.ts';
import type { ReleaseState, VersionPhase, VersionState } from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';
import type { DataPlanePort } from './ports.ts';

/** What is remembered of a version while it stays in one phase and epoch. */
interface Mark {
  readonly phase: VersionPhase;
  readonly epoch: number;
  readonly enteredMs: number;
  /** What the version had been asked before: an id used again, or a version that was fallen back on, starts above zero. */
  readonly attemptsBefore: number;
  olderSessions: number;
  /** When `olderSessions` was last seen to change. */
  quietSinceMs: number;
}

/** How long a version that has left may take to finish what it has in flight, milliseconds. */
export interface DrainBounds {
  readonly drainMs: number;
  readonly tunnelDrainMs: number;
}

/** How long a version is watched at least after a restart. */
const RESUMED_WATCH_MS = 60_000;

export class Deadlines {
  readonly #clock: Clock;
  readonly #dataPlane: DataPlanePort;
  readonly #bounds: DrainBounds;
  #marks = new Map<string, Mark>();

  constructor(clock: Clock, dataPlane: DataPlanePort, bounds: DrainBounds) {
    this.#clock = clock;
    this.#dataPlane = dataPlane;
    this.#bounds = bounds;
  }

  /**
   * Goes on where an earlier process stopped. A regret window is what the wall clock has left of it; but a clock may have jumped,
   * and while Cutover was down nobody watched, so at least a minute is left of it, or all of a shorter one.
   */
  resume(state: ReleaseState): void {
    for (const version of state.versions) {
      if (version.phase !== 'watching') continue;
      const { regretWindowMs } = version.spec.transition;
      const passedMs = this.#clock.wallMs() - version.sinceMs;
      const passedMaxMs = regretWindowMs - Math.min(regretWindowMs, RESUMED_WATCH_MS);
      const mark = this.#markOf(version);
      const enteredMs = mark.enteredMs - Math.min(Math.max(passedMs, 0), passedMaxMs);
      this.#marks.set(version.id, { ...mark, enteredMs });
    }
  }

  /** The events that are due now. Notes what it sees, so it is called at each tick and after each change of state. */
  due(state: ReleaseState): readonly ReleaseEvent[] {
    const marks = new Map<string, Mark>();
    const events: ReleaseEvent[] = [];
    for (const version of state.versions) {
      if (version.exit?.over === true) continue;
      const mark = this.#markOf(version);
      marks.set(version.id, mark);
      const event = this.#dueFor(version, mark);
      if (event !== undefined) events.push(event);
    }
    this.#marks = marks;
    return events;
  }

  #markOf(version: VersionState): Mark {
    const { id, phase, epoch } = version;
    const known = this.#marks.get(id);
    if (known !== undefined && known.phase === phase && known.epoch === epoch) return known;
    const nowMs = this.#clock.nowMs();
    const figures = this.#dataPlane.figures(id);
    const attemptsBefore = figures?.attempts ?? 0;
    const olderSessions = figures?.olderSessions ?? 0;
    return { phase, epoch, enteredMs: nowMs, attemptsBefore, olderSessions, quietSinceMs: nowMs };
  }

  #dueFor(version: VersionState, mark: Mark): ReleaseEvent | undefined {
    const { id, epoch } = version;
    const stamp = { id, epoch, atMs: this.#clock.wallMs() };
    switch (version.phase) {
      case 'watching':
        return this.#passed(mark.enteredMs, version.spec.transition.regretWindowMs)
          ? { kind: 'regret-over', ...stamp }
          : undefined;
      case 'draining':
      case 'failed':
        return this.#leave(version, mark, stamp.atMs);
      case 'releasing':
        return this.#advance(version, mark, stamp);
      default:
        return undefined;
    }
  }

  #advance(version: VersionState, mark: Mark, stamp: { id: string; epoch: number; atMs: number }) {
    const { mode, sessionTimeoutS, promoteAfterRequests } = version.spec.transition;
    const figures = this.#dataPlane.figures(version.id);
    if (mode === 'SESSION') {
      const olderSessions = figures?.olderSessions ?? 0;
      if (olderSessions !== mark.olderSessions) {
        mark.olderSessions = olderSessions;
        mark.quietSinceMs = this.#clock.nowMs();
      }
      if (this.#passed(mark.quietSinceMs, sessionTimeoutS * 1000)) return { kind: 'quiet', ...stamp } as const;
    }
    const requests = (figures?.attempts ?? 0) - mark.attemptsBefore;
    if (mode === 'CONCURRENT' && promoteAfterRequests !== null && requests >= promoteAfterRequests) {
      return { kind: 'counted', ...stamp, requests } as const;
    }
    return undefined;
  }

  #passed(sinceMs: number, durationMs: number): boolean {
    return this.#clock.nowMs() - sinceMs >= durationMs;
  }

  /** What has left is gone when nothing of it is in flight; what takes too long is cut. */
  #leave({ id, exit }: VersionState, mark: Mark, atMs: number): ReleaseEvent | undefined {
    const figures = this.#dataPlane.figures(id);
    if (figures === undefined || (figures.inFlight === 0 && figures.tunnels === 0))
      return { kind: 'drained', id, atMs };
    const due = (bound: 'drainMs' | 'tunnelDrainMs') => this.#passed(mark.enteredMs, this.#bounds[bound]);
    const isCut = (what: 'exchanges' | 'tunnels') => exit?.cut.includes(what) === true;
    if (figures.inFlight > 0 && !isCut('exchanges') && due('drainMs')) {
      return { kind: 'drain-over', id, atMs, what: 'exchanges' };
    }
    if (figures.tunnels > 0 && !isCut('tunnels') && due('tunnelDrainMs')) {
      return { kind: 'drain-over', id, atMs, what: 'tunnels' };
    }
    return undefined;
  }
}
