/**
 * The routing table: what the control plane publishes and the data plane reads. Immutable; a change is a new table
 * with a higher number that shares what did not change.
 */
import type { CompareRules, Mode } from '../config/model.ts';
import type { KnownIds } from './known-ids.ts';

/** One server of a version. */
export interface Server {
  /** `host:port`, the key of its connection pool. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  /** Share of its turns that it takes, in (0, 1]: below 1 while it starts slowly after having been ejected. */
  readonly weight: number;
}

/** One version as the data plane sees it. */
export interface Route {
  readonly id: string;
  readonly service: string;
  readonly version: string;
  readonly epoch: number;
  readonly mode: Mode;
  /** True once the mode has done its work: the version admits everything. */
  readonly released: boolean;
  /** A standby above the stable version, put below a newer one: it admits its own sessions only, and serves to fall back on. */
  readonly dormant: boolean;
  /** Releasing or watching: its failures are hidden by an older version, and it may be removed. */
  readonly onTrial: boolean;
  /** Those that may be asked: ejected ones are left out, unless all are. Never empty. */
  readonly servers: readonly Server[];
  /** Whole seconds; with mode SESSION only, else 0. */
  readonly sessionTimeoutS: number;
  /** Percent by which an answered request raises the threshold; with mode GRADUAL only, else 0. */
  readonly percentagePerRequest: number;
  /** Where a GRADUAL bucket comes from: `cookie`, `ip`, or the lower-case name of a header. */
  readonly bucketKey: string;
  /** CONCURRENT: how many of the newest versions are asked, this one among them; else 1. */
  readonly versions: number;
  /** CONCURRENT: how long a slower newer answer is waited for once an older one stands ready. */
  readonly patienceMs: number;
  /** CONCURRENT: methods that are duplicated; null is all. */
  readonly duplicatedMethods: readonly string[] | null;
  /** CONCURRENT: what of the answers is compared; else null. */
  readonly compare: CompareRules | null;
  /** No response head within this time is a failure of the attempt. */
  readonly responseTimeoutMs: number;
  /** While on trial: an answer is held back until it is whole, or this many bytes, or this long after its head. */
  readonly holdBytes: number;
  readonly holdMs: number;
}

/** Where one request goes, decided at admission. One of a few frozen objects made with the table. */
export interface Plan {
  /** `single`: ask `order` one after the other. `fan-out`: ask the first `legs` of `order` at once. */
  readonly kind: 'single' | 'fan-out';
  /** Every version of the table, each once, in the order in which it may be tried; the first is the admitting one. */
  readonly order: readonly Route[];
  readonly legs: number;
  /** Index in the chain of the admitting version. */
  readonly admitted: number;
}

export interface CutOrder {
  readonly versionId: string;
  /** `exchanges` after `timeouts.drain`, `tunnels` after `timeouts.tunnelDrain`. */
  readonly what: 'exchanges' | 'tunnels';
}

/** What a request has met that came as far down the chain as some version, dormant ones apart. */
export interface Way {
  /** A GRADUAL version. */
  readonly gradual: boolean;
  /** Of the first SESSION version; 0: there was none. */
  readonly sessionTimeoutS: number;
}

export interface RoutingTable {
  readonly number: number;
  /** Ids of versions that have left the chain and whose time to drain is over: what they still have in flight is cut. */
  readonly cut: readonly CutOrder[];
  /** The serving versions, newest first. May be empty: nothing serves. */
  readonly chain: readonly Route[];
  /**
   * By index in the chain: percent in [0, 100] with mode GRADUAL, else 0. Apart from the routes, so that a rise (one per
   * answered request) makes a new table that shares routes and plans.
   */
  readonly thresholds: readonly number[];
  readonly ids: KnownIds;
  /** By version id: its index in the chain. */
  readonly places: ReadonlyMap<string, number>;
  /** By index in the chain: the index after the last of the SESSION releases that follow each other from there; the next one for others. */
  readonly runEnds: readonly number[];
  /** By index in the chain. */
  readonly ways: readonly Way[];
  /** By index in the chain: the plan when that version admits and is asked alone. */
  readonly single: readonly Plan[];
  /** By index in the chain: the plan with fan-out; the same as `single` where the version's mode has none. */
  readonly fanOut: readonly Plan[];
}
