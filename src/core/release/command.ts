/** What a person (or the configuration file) can ask of the controller, and what it answers. */
import type { ClusterSpec } from '../config/model.ts';

export type Command =
  | { readonly kind: 'put'; readonly spec: ClusterSpec; readonly origin: 'rest' }
  /** `asWritten`: the `cluster` of the file, to know it again. */
  | { readonly kind: 'put'; readonly spec: ClusterSpec; readonly origin: 'file'; readonly asWritten: unknown }
  | { readonly kind: 'delete'; readonly id: string };

export type CommandResult =
  | { readonly kind: 'accepted'; readonly id: string }
  /** Nothing was changed. `reason` is one line for people. */
  | { readonly kind: 'refused'; readonly because: RefusedBecause; readonly reason: string };

/** `storage`: the state could not be kept. `internal`: a fault of the proxy itself. */
export type RefusedBecause = 'unknown-id' | 'conflict' | 'storage' | 'internal';

/** One version as the REST API shows it: key order is the wire's (design: wire contract). */
export interface VersionView {
  readonly cluster: {
    readonly servers: readonly { readonly hostname: string; readonly port: number }[];
    readonly upgradeTransition: Readonly<Record<string, unknown>>;
    readonly uuid: string;
    readonly version: string;
  };
}
