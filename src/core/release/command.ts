/** What a person (or the configuration file) can ask of the controller, and what it answers. */
import type { ClusterSpec, Mode } from '../config/model.ts';
import type { Comparison } from './divergence.ts';
import type { Baseline, Evidence } from './evidence.ts';
import type { Decision, ReleaseCounts, Rule } from './ledger.ts';
import type { VersionPhase } from './state.ts';
import type { Verdict } from './verdict.ts';

/** What can be done to a release by hand. */
export type Control = 'promote' | 'pause' | 'resume' | 'rollback';
export const CONTROLS: readonly Control[] = ['promote', 'pause', 'resume', 'rollback'];

export type Command =
  | { readonly kind: 'put'; readonly spec: ClusterSpec; readonly origin: 'rest' | 'watch' }
  /** `asWritten`: the `cluster` of the file, to know it again. */
  | { readonly kind: 'put'; readonly spec: ClusterSpec; readonly origin: 'file'; readonly asWritten: unknown }
  | { readonly kind: 'delete'; readonly id: string }
  /** `reason` is the person's own, one line, or null. */
  | { readonly kind: Control; readonly id: string; readonly reason: string | null };

export type CommandResult =
  | { readonly kind: 'accepted'; readonly id: string }
  /** Nothing was changed. `reason` is one line for people. */
  | { readonly kind: 'refused'; readonly because: RefusedBecause; readonly reason: string };

/** `storage`: the state could not be kept. `internal`: a fault of the proxy itself. */
export type RefusedBecause = 'unknown-id' | 'conflict' | 'storage' | 'internal';

/** One version as the REST API shows it: key order is the wire's (design: wire contract). */
export interface VersionView {
  readonly cluster: {
    /** Where they were given; the values of environments are masked. */
    readonly containers?: readonly unknown[];
    /** Where one was given. */
    readonly healthCheck?: Readonly<Record<string, unknown>>;
    readonly servers: readonly { readonly hostname: string; readonly port: number }[];
    readonly upgradeTransition: Readonly<Record<string, unknown>>;
    readonly uuid: string;
    readonly version: string;
  };
}

/** Where one version stands, as the REST API tells it. Times are ISO 8601. */
export interface StatusView {
  readonly id: string;
  readonly version: string;
  readonly phase: VersionPhase;
  readonly since: string;
  /** Why it is in this phase; while it is starting, also why it is not ready. */
  readonly reason: string;
  readonly mode: Mode;
  /** The rest is null when the version is not on trial. */
  readonly paused: boolean | null;
  /** Percent; null for modes other than GRADUAL. */
  readonly threshold: number | null;
  readonly verdict: Verdict | null;
  readonly evidence: Evidence | null;
  readonly baseline: Baseline | null;
  /** Mode CONCURRENT; else null. */
  readonly comparison: Comparison | null;
  /** `health` is `healthy`, `ejected`, `probing` or `returning`; it is left out while the version does not serve. */
  readonly servers: readonly { readonly hostname: string; readonly port: number; readonly health?: string }[];
  /** What a version in containers runs in. */
  readonly containers?: readonly ContainerView[];
  /** Exchanges and tunnels in flight now. */
  readonly inFlight: number;
  readonly tunnels: number;
}

export interface ContainerView {
  readonly name: string;
  readonly id: string;
  readonly image: string;
  /** By which the very same image is found again: of its registry, else the engine's own id of it. */
  readonly digest: string;
  /** `host:port`, or null: it is not proxied to. */
  readonly server: string | null;
}

/** One release of the ledger, as the REST API tells it. Times are ISO 8601. */
export interface LedgerView {
  readonly id: string;
  readonly version: string;
  readonly mode: Mode;
  /** The older version it was held against, or null: it never came to that. */
  readonly against: string | null;
  readonly begun: string;
  /** null: it goes on. The decision, its rule and reason are null with it. */
  readonly decided: string | null;
  readonly decision: Decision | null;
  readonly rule: Rule | null;
  readonly reason: string | null;
  readonly verdict: Verdict;
  readonly counts: ReleaseCounts;
  /** Mode CONCURRENT: the counts and the first differences; else null. */
  readonly comparison: Comparison | null;
  readonly evidence: Evidence;
  readonly baseline: Baseline;
  /** The last lines that its containers wrote, where it failed. */
  readonly output: readonly string[];
}
