/** What the control plane needs of others. Adapters and the data plane implement these. */
import type { Outcome, VersionFigures } from '../core/messages.ts';
import type { RoutingTable } from '../core/routing/table.ts';

/** The data plane seen from above. */
export interface DataPlanePort {
  /** Puts a table in force; when it returns, the next request is routed by it. */
  publish(table: RoutingTable): void;
  /** The figures of one version, or undefined when no table ever named it. */
  figures(versionId: string): Readonly<VersionFigures> | undefined;
}

/** The control plane seen from below. Called synchronously at the end of each attempt; must not throw. */
export interface OutcomeSink {
  outcome(outcome: Outcome): void;
}
