/**
 * What can happen to a version. Events are data: each carries its time (wall milliseconds), and what comes from the data
 * plane, a probe or a timer carries the epoch it belongs to.
 */
import type { ClusterSpec } from '../config/model.ts';

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
  readonly origin: 'file' | 'rest';
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

/** SESSION: no request carried an older session for `sessionTimeout`. */
export interface QuietEvent extends HappenedInEpoch {
  readonly kind: 'quiet';
}

/** CONCURRENT: requests that the version was asked since its release began. */
export interface CountedEvent extends HappenedInEpoch {
  readonly kind: 'counted';
  readonly requests: number;
}

/** A server of the version refused a connection or let it time out. */
export interface RefusedEvent extends HappenedInEpoch {
  readonly kind: 'refused';
}

/** A probe of all servers of the version, and of older ones. */
export interface ProbedEvent extends HappenedInEpoch {
  readonly kind: 'probed';
  /** How many servers were tried. */
  readonly servers: number;
  /** The causes of those that failed. */
  readonly failures: readonly string[];
  /** The older version that accepted a connection or answered a request meanwhile, or null. */
  readonly olderAnswers: string | null;
}

export interface RegretOverEvent extends HappenedInEpoch {
  readonly kind: 'regret-over';
}

/** The last exchange and tunnel of a draining version ended. */
export interface DrainedEvent extends Happened {
  readonly kind: 'drained';
}

export type ReleaseEvent =
  | PutEvent
  | DeleteEvent
  | ReadyEvent
  | AnsweredEvent
  | QuietEvent
  | CountedEvent
  | RefusedEvent
  | ProbedEvent
  | RegretOverEvent
  | DrainedEvent;
