/** What a person (or the configuration file) can ask of the controller, and what it answers. */
import type { ClusterSpec } from '../config/model.ts';

export type Command =
  | { readonly kind: 'put'; readonly spec: ClusterSpec; readonly origin: 'file' | 'rest' }
  | { readonly kind: 'delete'; readonly id: string };

export type CommandResult =
  | { readonly kind: 'accepted'; readonly id: string }
  /** Nothing was changed. `reason` is one line for people. `internal` is a fault of the proxy itself. */
  | { readonly kind: 'refused'; readonly because: 'unknown-id' | 'conflict' | 'internal'; readonly reason: string };

/** One version as the REST API shows it: key order is the wire's (design: wire contract). */
export interface VersionView {
  readonly cluster: {
    readonly servers: readonly { readonly hostname: string; readonly port: number }[];
    readonly upgradeTransition: Readonly<Record<string, unknown>>;
    readonly uuid: string;
    readonly version: string;
  };
}
