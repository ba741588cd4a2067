/**
 * Host names, resolved in the background: a connection is always opened to an address that is already known, so that a slow
 * resolver slows no request. The last known addresses stay when the resolver fails.
 */
import { lookup as dnsLookup } from 'node:dns';
import { isIP } from 'node:net';
import { type Clock, realClock } from './clock.ts';

export interface Names {
  /**
   * The addresses known now, IPv4 first; empty when none is. Literals and `localhost` are known at once; asking for another
   * name keeps it fresh from then on.
   */
  addressesOf(host: string): readonly string[];
  /**
   * Calls back with the addresses: at once when some are known, else when the first resolution has ended (with none when it
   * failed). The returned function cancels.
   */
  whenKnown(host: string, callback: (addresses: readonly string[]) => void): () => void;
  /** Resolves anew, because a connection failed. At most one resolution of a name is under way, and one starts per second. */
  refresh(host: string): void;
  /** Keeps exactly these names fresh from now on; others are forgotten. */
  watch(hosts: readonly string[]): void;
  /** Ends all background work; waiting callbacks are dropped. */
  close(): void;
}

/** Resolves a name to all its addresses, in any order; calls back once. */
export type Lookup = (host: string, callback: (failure: Error | null, addresses: readonly string[]) => void) => void;

export interface NamesOptions {
  readonly clock?: Clock;
  readonly lookup?: Lookup;
}

/** How often a name is resolved anew. */
const REFRESH_MS = 10_000;
/** The least time between two resolutions of one name. */
const REFRESH_GAP_MS = 1_000;
/** Names kept at most; past that a name is resolved when it is waited for and not kept fresh. */
const NAMES_MAX = 1_000;

const LOCALHOST: readonly string[] = ['127.0.0.1', '::1'];
const NONE: readonly string[] = [];

interface Entry {
  addresses: readonly string[];
  resolving: boolean;
  startedMs: number;
  waiting: Set<(addresses: readonly string[]) => void>;
}

/** Names of the system's resolver. */
export class BackgroundNames implements Names {
  readonly #clock: Clock;
  readonly #lookup: Lookup;
  readonly #entries = new Map<string, Entry>();
  readonly #literals = new Map<string, readonly string[]>();
  readonly #stop: () => void;
  #closed = false;

  constructor(options: NamesOptions = {}) {
    this.#clock = options.clock ?? realClock;
    this.#lookup = options.lookup ?? systemLookup;
    this.#stop = this.#clock.every(REFRESH_MS, () => this.#refreshAll());
  }

  addressesOf(host: string): readonly string[] {
    return this.#fixed(host) ?? this.#entry(host).addresses;
  }

  whenKnown(host: string, callback: (addresses: readonly string[]) => void): () => void {
    const fixed = this.#fixed(host);
    const entry = fixed === undefined ? this.#entry(host) : undefined;
    if (entry === undefined || entry.addresses.length > 0) {
      callback(fixed ?? entry?.addresses ?? NONE);
      return () => {};
    }
    // One function per waiter, so that two waiters may pass the same callback.
    const waiter = (addresses: readonly string[]) => callback(addresses);
    entry.waiting.add(waiter);
    this.#resolve(host, entry);
    return () => entry.waiting.delete(waiter);
  }

  refresh(host: string): void {
    if (this.#fixed(host) !== undefined) return;
    const entry = this.#entry(host);
    if (this.#clock.nowMs() - entry.startedMs >= REFRESH_GAP_MS) this.#resolve(host, entry);
  }

  watch(hosts: readonly string[]): void {
    const wanted = new Set(hosts);
    for (const host of this.#literals.keys()) if (!wanted.has(host)) this.#literals.delete(host);
    for (const [host, entry] of this.#entries) {
      if (!wanted.has(host) && entry.waiting.size === 0) this.#entries.delete(host);
    }
    for (const host of wanted) this.addressesOf(host);
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    this.#entries.clear();
  }

  /** The addresses of a host that needs no resolver, or undefined. */
  #fixed(host: string): readonly string[] | undefined {
    const known = this.#literals.get(host);
    if (known !== undefined) return known;
    if (host === 'localhost') return LOCALHOST;
    if (isIP(host) === 0) return undefined;
    const addresses = [host];
    if (this.#literals.size < NAMES_MAX) this.#literals.set(host, addresses);
    return addresses;
  }

  #entry(host: string): Entry {
    let entry = this.#entries.get(host);
    if (entry === undefined) {
      entry = { addresses: NONE, resolving: false, startedMs: Number.NEGATIVE_INFINITY, waiting: new Set() };
      if (this.#entries.size < NAMES_MAX) this.#entries.set(host, entry);
      this.#resolve(host, entry);
    }
    return entry;
  }

  #refreshAll(): void {
    for (const [host, entry] of this.#entries) this.#resolve(host, entry);
  }

  #resolve(host: string, entry: Entry): void {
    if (entry.resolving || this.#closed) return;
    entry.resolving = true;
    entry.startedMs = this.#clock.nowMs();
    this.#lookup(host, (failure, addresses) => {
      entry.resolving = false;
      if (this.#closed) return;
      if (failure === null && addresses.length > 0) entry.addresses = ipv4First(addresses);
      const waiting = [...entry.waiting];
      entry.waiting.clear();
      for (const callback of waiting) callback(entry.addresses);
    });
  }
}

function ipv4First(addresses: readonly string[]): readonly string[] {
  return [...addresses.filter((address) => isIP(address) === 4), ...addresses.filter((address) => isIP(address) === 6)];
}

const systemLookup: Lookup = (host, callback) => {
  dnsLookup(host, { all: true }, (failure, found) => {
    callback(failure, failure === null ? found.map(({ address }) => address) : NONE);
  });
};
