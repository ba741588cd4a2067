/**
 * The release state: one immutable document, JSON all through, that says everything about the versions. Only
 * `transition.ts` makes a new one.
 */
import type { ClusterSpec } from '../config/model.ts';
import type { LaunchedContainer } from '../containers/launch.ts';
import type { CutOrder } from '../routing/table.ts';
import type { LedgerEntry } from './ledger.ts';
import type { QuarantinedImage } from './quarantine.ts';
import type { Recent } from './recent.ts';
import type { SeenImage } from './seen.ts';
import type { Trial } from './trial.ts';

/** The one service there is for now. */
export const DEFAULT_SERVICE = 'default';

/**
 * Where a version stands. `starting`: not in the table yet. `releasing`: its mode moves traffic to it. `watching`: released,
 * and on trial for its regret window. `stable`: trusted. `standby`: kept to fall back on. `draining`: deleted, exchanges in
 * flight end. `failed`: taken back. `retired`: gone.
 */
export type VersionPhase =
  | 'starting'
  | 'releasing'
  | 'watching'
  | 'stable'
  | 'standby'
  | 'draining'
  | 'failed'
  | 'retired';

export interface VersionState {
  readonly id: string;
  readonly service: string;
  readonly spec: ClusterSpec;
  readonly phase: VersionPhase;
  /** Wall milliseconds when the phase was entered. */
  readonly sinceMs: number;
  /** Why the phase was entered, one line for people. */
  readonly reason: string;
  /** Which PUT made it: 1 for the first; ties in the version order go to the larger one. */
  readonly putSequence: number;
  /**
   * Changes whenever the version enters a trial, or leaves one and goes on serving, so that late outcomes and probes are
   * recognised; and when its containers were started anew while it is starting. A version that fails or is deleted keeps it: its
   * last findings still belong to its release.
   */
  readonly epoch: number;
  /** True once it has been stable: such a version needs no trial when it serves again. */
  readonly trusted: boolean;
  /** GRADUAL: answered requests that have raised its threshold. */
  readonly raises: number;
  /** GRADUAL: percent in [0, 100]; never falls. */
  readonly threshold: number;
  /** What its release has shown so far; null while it is not on trial. */
  readonly trial: Trial | null;
  /** What it did before the release of a newer version began, to hold that one against. */
  readonly recent: Recent;
  /** How far it has left the table; null while it serves or is about to. */
  readonly exit: Exit | null;
  /** What it runs in once its containers have been started; null before, and for a version that is given by its servers. */
  readonly launch: Launch | null;
  /** The stable version that it takes the place of as soon as it is ready, by hand; else null. */
  readonly replaces: string | null;
}

/** The containers of a version as they were found running. */
export interface Launch {
  readonly containers: readonly LaunchedContainer[];
}

/** A version that has left lets its exchanges in flight finish, and is cut when they take too long. */
export interface Exit {
  /** What has been ordered to be cut. */
  readonly cut: readonly CutOrder['what'][];
  /** True when nothing of it is in flight any more. */
  readonly over: boolean;
}

export interface ReleaseState {
  /**
   * The `cluster` that the configuration file held when it was last put in force, as it was written there; null before. At
   * start it tells a file that has changed from one that has not.
   */
  readonly applied: unknown;
  readonly putSequence: number;
  readonly epochSequence: number;
  /** In version order, newest first, whatever their phase. */
  readonly versions: readonly VersionState[];
  /** The last releases that were decided, the latest first. */
  readonly ledger: readonly LedgerEntry[];
  /** Images that were taken back, the latest first. */
  readonly quarantine: readonly QuarantinedImage[];
  /** Images that are to be seen for a while before they are deployed, the latest first. */
  readonly seen: readonly SeenImage[];
}

export const EMPTY_STATE: ReleaseState = {
  applied: null,
  putSequence: 0,
  epochSequence: 0,
  versions: [],
  ledger: [],
  quarantine: [],
  seen: [],
};

/** In the routing table: it is in service, and where its servers are is known. */
export function serves(version: VersionState): boolean {
  return isInService(version.phase) && isLaunched(version);
}

/** False while the containers of a version have not been started: nobody knows yet where its servers are. */
export function isLaunched({ spec }: VersionState): boolean {
  return spec.servers.length > 0;
}

export function runsInContainers({ spec }: VersionState): boolean {
  return spec.containers.length > 0;
}

/** Serving or about to; what GET shows, and what a new version is ranked against. */
export function isLive(version: VersionState): boolean {
  return version.phase === 'starting' || isInService(version.phase);
}

/** On its way into the routing table: nobody can tell yet whether it comes to serve. */
export function isArriving(version: VersionState): boolean {
  return isLive(version) && !serves(version);
}

export function isInService(phase: VersionPhase): boolean {
  return phase === 'releasing' || phase === 'watching' || phase === 'stable' || phase === 'standby';
}

/** On its way to being trusted. */
export function isCandidate(version: VersionState): boolean {
  const { phase } = version;
  return phase === 'starting' || phase === 'releasing' || phase === 'watching';
}

/** True when a newer version is live: such a release stands still, its threshold frozen. */
export function isOvertaken(versions: readonly VersionState[], version: VersionState): boolean {
  return versions.find(isLive)?.id !== version.id;
}
