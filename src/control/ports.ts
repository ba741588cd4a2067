/** What the control plane needs of others. Adapters and the data plane implement these. */
import type { ClusterSpec } from '../core/config/model.ts';
import type { Difference, Finding, Outcome, VersionFigures } from '../core/messages.ts';
import type { CommandResult } from '../core/release/command.ts';
import type { Rise } from '../core/release/rise.ts';
import type { ReleaseState } from '../core/release/state.ts';
import type { RoutingTable } from '../core/routing/table.ts';

/** The data plane seen from above. */
export interface DataPlanePort {
  /** Puts a table in force. Resolves when every request that comes from now on is routed by it. Never rejects. */
  publish(table: RoutingTable): Promise<void>;
  /** The figures of one version, or undefined when no table ever named it. */
  figures(versionId: string): Readonly<VersionFigures> | undefined;
  /**
   * How far a threshold may rise before the next table says so; null: no further. Resolves when that is so everywhere. Never
   * rejects.
   */
  allowRise(rise: Rise | null): Promise<void>;
}

/** The control plane seen from below. Called synchronously at the end of each attempt; must not throw. */
export interface OutcomeSink {
  /** @param ramp the epoch of the version whose threshold was being raised then, or null; by default it is as now */
  outcome(outcome: Outcome, ramp?: number | null): void;
  /** What an exchange proved about a version that failed in it; called when the exchange is decided. Must not throw. */
  finding(finding: Finding): void;
}

/** The same for answers that were compared and are not alike. Must not throw. */
export interface DifferenceSink {
  difference(difference: Difference): void;
}

/** The control plane seen by what watches registries: it reads, and asks for a version as a person does. */
export interface ReleaseWatchPort {
  state(): ReleaseState;
  /** Never rejects. */
  submit(spec: ClusterSpec): Promise<CommandResult>;
}

/** Where the release state is kept. */
export interface StorePort {
  /** With `nothing` there is no state to come back to after a crash, so that nothing need be durable before it is used. */
  readonly keeps: 'everything' | 'nothing';
  /**
   * Resolves when the state, or one that was given later, is durable; a command is answered and its effects run only then.
   * Rejects with the reason, one line, when it can't be kept: then the state before is what stays kept.
   */
  save(state: ReleaseState): Promise<void>;
  /** Counters have changed: within a second `current` is asked for the state and made durable; no one waits for it. Must not throw. */
  note(current: () => ReleaseState): void;
}
