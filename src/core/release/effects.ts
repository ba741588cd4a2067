/**
 * What a transition wants done, as data; `control/effects.ts` does it, after the next state is durable. Each is idempotent:
 * it names a state of affairs, not a step.
 */
import type { ContainerSpec, HealthCheck, LogLevel, ServerAddress } from '../config/model.ts';
import type { CutOrder, Route } from '../routing/table.ts';
import type { Launch } from './state.ts';

/** This chain is in force. */
export interface PublishEffect {
  readonly kind: 'publish';
  /** Newest first. */
  readonly routes: readonly Route[];
  /** By index in `routes`, percent. */
  readonly thresholds: readonly number[];
  /** By index in `routes`. */
  readonly checks: readonly (HealthCheck | null)[];
  /** Versions that have left and not drained in time: what they still have in flight is cut. */
  readonly cut: readonly CutOrder[];
}

/** The threshold of one version in the published chain is this one. */
export interface RaiseEffect {
  readonly kind: 'raise';
  readonly id: string;
  readonly threshold: number;
}

/** The servers of a version are waited for; `ready` or `unready` says what came of it. */
export interface PrepareEffect {
  readonly kind: 'prepare';
  readonly id: string;
  readonly epoch: number;
  readonly servers: readonly ServerAddress[];
  readonly check: HealthCheck | null;
  readonly timeoutMs: number;
}

/** The containers of a version run: those that do are found again, the others are started. `launched` or `launch-failed` follows. */
export interface LaunchEffect {
  readonly kind: 'launch';
  readonly id: string;
  readonly service: string;
  readonly version: string;
  readonly containers: readonly ContainerSpec[];
  /** What it ran in before: the same images are taken again. */
  readonly before: Launch | null;
}

/** The containers of a version that has left are gone, but for those that another version uses. */
export interface StopEffect {
  readonly kind: 'stop';
  readonly id: string;
  readonly containers: readonly ContainerSpec[];
  readonly launch: Launch | null;
}

/** The older versions are tried at once; a `probed` event says what came of it. */
export interface ProbeEffect {
  readonly kind: 'probe';
  readonly id: string;
  readonly epoch: number;
}

interface LogEffect {
  readonly kind: 'log';
  readonly level: LogLevel;
  readonly text: string;
  readonly facts: Readonly<Record<string, string | number>>;
}

export type Effect = PublishEffect | RaiseEffect | PrepareEffect | LaunchEffect | StopEffect | ProbeEffect | LogEffect;
