/**
 * What a transition wants done, as data; `control/effects.ts` does it, after the next state is durable. Each is idempotent:
 * it names a state of affairs, not a step.
 */
import type { HealthCheck, LogLevel, ServerAddress } from '../config/model.ts';
import type { CutOrder, Route } from '../routing/table.ts';

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

export type Effect = PublishEffect | RaiseEffect | PrepareEffect | ProbeEffect | LogEffect;
