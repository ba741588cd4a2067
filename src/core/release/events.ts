/**
 * What can happen to a version. Events are data: each carries its time (wall milliseconds), and what comes from the data
 * plane, a probe or a timer carries the epoch it belongs to.
 */
import type { ClusterSpec } from '../config/model.ts';
import type { LaunchedContainer } from '../containers/launch.ts';
import type { ComparisonCounts, Finding } from '../messages.ts';
import type { CutOrder } from '../routing/table.ts';
import type { Served } from './baseline.ts';
import type { KeptDifference } from './divergence.ts';
import type { FigureCounts } from './ledger.ts';

interface Happened {
  /** The version it happened to. */
  readonly id: string;
  readonly atMs: number;
}

interface HappenedInEpoch extends Happened {
  readonly epoch: number;
}

/** A person or the configuration file asks for a version. */
export interface PutEvent extends Happened {
  readonly kind: 'put';
  readonly spec: ClusterSpec;
  readonly origin: 'file' | 'rest' | 'watch';
  /** With origin `file`: its `cluster` as it was written. */
  readonly asWritten?: unknown;
}

export interface DeleteEvent extends Happened {
  readonly kind: 'delete';
}

/** The version may take traffic. */
export interface ReadyEvent extends HappenedInEpoch {
  readonly kind: 'ready';
}

/** GRADUAL: any version answered this many more requests directly. */
export interface AnsweredEvent extends HappenedInEpoch {
  readonly kind: 'answered';
  readonly count: number;
}

/** What an exchange proved about a version on trial that failed in it. */
export interface FindingEvent extends HappenedInEpoch {
  readonly kind: 'finding';
  readonly finding: Finding['kind'];
  /** `host:port` of the server that failed. */
  readonly server: string;
}

/** What a release has counted since it was last told: a few times a second, and before each decision. */
export interface MeasuredEvent extends HappenedInEpoch {
  readonly kind: 'measured';
  /** Requests that the version answered and that count as evidence. */
  readonly answers: number;
  readonly figures: FigureCounts;
  /** What the next older serving version did with requests of its own. */
  readonly older: (Served & { readonly id: string }) | null;
  /** An older version that has answered a request meanwhile, or null. */
  readonly olderAnswers: string | null;
}

/** What a version did with its own requests since it was last told, while nothing newer is on trial. */
export interface ServedEvent extends HappenedInEpoch, Served {
  readonly kind: 'served';
}

/** CONCURRENT: so many more answers were compared with an older version's. */
export interface ComparedEvent extends HappenedInEpoch {
  readonly kind: 'compared';
  readonly counts: ComparisonCounts;
}

/** CONCURRENT: two answers were not alike. */
export interface DifferenceEvent extends HappenedInEpoch {
  readonly kind: 'difference';
  readonly difference: KeptDifference;
}

/** A person decides. */
export interface PromoteEvent extends Happened {
  readonly kind: 'promote';
  /** Theirs, one line, or null. */
  readonly reason: string | null;
}

export interface PauseEvent extends Happened {
  readonly kind: 'pause';
  readonly reason: string | null;
}

export interface ResumeEvent extends Happened {
  readonly kind: 'resume';
  readonly reason: string | null;
}

export interface RollbackEvent extends Happened {
  readonly kind: 'rollback';
  readonly reason: string | null;
}

/** SESSION: no request carried an older session for `sessionTimeout`. */
export interface QuietEvent extends HappenedInEpoch {
  readonly kind: 'quiet';
}

/** CONCURRENT: requests that the version was asked since its release began. */
export interface CountedEvent extends HappenedInEpoch {
  readonly kind: 'counted';
  readonly requests: number;
}

/** A server was not ready when the time for it was up; the version has served nobody. */
export interface UnreadyEvent extends HappenedInEpoch {
  readonly kind: 'unready';
  /** The servers and their causes, one line. */
  readonly reason: string;
}

/** The containers of a version run; after a restart of theirs they may be found elsewhere than before. */
export interface LaunchedEvent extends Happened {
  readonly kind: 'launched';
  /** In their order; with those of other versions that it uses. */
  readonly containers: readonly LaunchedContainer[];
  /** The ids of those that did not run before. */
  readonly started: readonly string[];
}

/** They could not be started, and what had been is stopped again. */
export interface LaunchFailedEvent extends Happened {
  readonly kind: 'launch-failed';
  /** One line. */
  readonly reason: string;
  /** The last lines that they wrote. */
  readonly output: readonly string[];
}

/** A container of a version that serves nobody yet has ended, and will not be started again by its engine. */
export interface ContainerDownEvent extends Happened {
  readonly kind: 'container-down';
  readonly reason: string;
  readonly output: readonly string[];
}

/** The last lines that the containers of a version wrote before they were stopped. */
export interface OutputEvent extends Happened {
  readonly kind: 'output';
  readonly output: readonly string[];
}

/** The watcher has found images that are to be seen for a while before one of them takes the version's place. */
export interface SeenEvent extends Happened {
  readonly kind: 'seen';
  /** `sha256:…` */
  readonly digests: readonly string[];
}

/** How the servers of a version on trial stand, and whether an older version could take its place. */
export interface ProbedEvent extends HappenedInEpoch {
  readonly kind: 'probed';
  /** How many servers it has. */
  readonly servers: number;
  /** `host:port: cause` of each that is ejected because it fails. */
  readonly failures: readonly string[];
  /** The older version that accepted a connection or answered a request meanwhile, or null. */
  readonly olderAnswers: string | null;
}

/** A server was ejected, and others of the version do well: what it did is no evidence against the version. */
export interface ForgivenEvent extends HappenedInEpoch {
  readonly kind: 'forgiven';
  /** `host:port`. */
  readonly server: string;
}

export interface RegretOverEvent extends HappenedInEpoch {
  readonly kind: 'regret-over';
}

/** A version that has left still has something in flight when its time to drain is over. */
export interface DrainOverEvent extends Happened {
  readonly kind: 'drain-over';
  readonly what: CutOrder['what'];
}

/** The last exchange and tunnel of a version that has left ended. */
export interface DrainedEvent extends Happened {
  readonly kind: 'drained';
}

export type ReleaseEvent =
  | PutEvent
  | DeleteEvent
  | ReadyEvent
  | AnsweredEvent
  | FindingEvent
  | MeasuredEvent
  | ServedEvent
  | ComparedEvent
  | DifferenceEvent
  | PromoteEvent
  | PauseEvent
  | ResumeEvent
  | RollbackEvent
  | QuietEvent
  | CountedEvent
  | UnreadyEvent
  | LaunchedEvent
  | LaunchFailedEvent
  | ContainerDownEvent
  | OutputEvent
  | SeenEvent
  | ProbedEvent
  | ForgivenEvent
  | RegretOverEvent
  | DrainOverEvent
  | DrainedEvent;
