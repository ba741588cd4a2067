/** The servers of all versions, each with its manners, and what of each request reached them. */
import type { ConnectFailure, Network } from '../../src/system/network.ts';
import type { Chance } from '../kit/chance.ts';

export type Manner =
  | 'well'
  | 'slow' // answers well, after longer than an older version is made to wait
  | 'refuses'
  | 'silent' // neither accepts nor refuses
  | 'resets'
  | 'junk'
  | 'fails' // 500
  | 'hangs'
  | 'cuts' // breaks off in the body
  | 'stalls' // stops in the body
  | 'mixed' // now this, now that
  | 'warming'; // its engine takes connections for it, and breaks them

/** With how likely each is. */
const MANNERS: Readonly<Record<Manner, number>> = {
  well: 0,
  slow: 1,
  refuses: 3,
  silent: 1,
  resets: 2,
  junk: 1,
  fails: 3,
  hangs: 1,
  cuts: 2,
  stalls: 1,
  mixed: 3,
  warming: 0,
};

/** One attempt as the servers saw it. */
export interface Seen {
  readonly key: string;
  /** Bytes of the request may have reached the server. */
  reached: boolean;
  /** The application has read the request whole. */
  applied: boolean;
  /** Of the answer that it began, 0 before. */
  status: number;
  /** How it ended; `stale`: a pooled connection that broke. */
  result: 'open' | 'answered' | 'failed' | 'stale' | 'abandoned';
}

interface Server {
  manner: Manner;
  /** Since when it has done well; Infinity while it does not. */
  wellSinceMs: number;
}

export class Upstreams {
  readonly #chance: Chance;
  readonly #servers = new Map<string, Server>();
  readonly #seen = new Map<string, Seen[]>();
  /** Servers in containers that have ended: nothing is there until they are started again. */
  readonly #ended = new Set<string>();

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  add(key: string, nowMs: number): void {
    this.#servers.set(key, { manner: 'well', wellSinceMs: nowMs });
  }

  /** A container has been started there: `listens` is called when somebody listens in it. */
  addWarming(key: string): void {
    this.#ended.delete(key);
    this.#servers.set(key, { manner: 'warming', wellSinceMs: Number.POSITIVE_INFINITY });
  }

  listens(key: string, nowMs: number): void {
    if (this.isWarming(key)) this.#servers.set(key, { manner: 'well', wellSinceMs: nowMs });
  }

  isWarming(key: string): boolean {
    return this.#servers.get(key)?.manner === 'warming';
  }

  /** The container there has ended. */
  end(key: string): void {
    this.#ended.add(key);
    this.#servers.delete(key);
  }

  /** Makes a server go bad, or well again; not one that has not come up, or has ended. */
  turn(key: string, to: 'bad' | 'well', nowMs: number): Manner {
    if (this.isWarming(key)) return 'warming';
    if (this.#ended.has(key)) return 'refuses';
    const manner = to === 'well' ? 'well' : this.#chance.weighed(MANNERS);
    this.#servers.set(key, { manner, wellSinceMs: manner === 'well' ? nowMs : Number.POSITIVE_INFINITY });
    return manner;
  }

  get keys(): readonly string[] {
    return [...this.#servers.keys()];
  }

  /** What the server does to one request. */
  mannerOf(key: string): Exclude<Manner, 'mixed' | 'warming'> {
    const manner = this.#servers.get(key)?.manner ?? 'refuses';
    if (manner === 'warming') return 'resets';
    if (manner !== 'mixed') return manner;
    return this.#chance.pick(['well', 'well', 'fails', 'resets', 'cuts', 'refuses'] as const);
  }

  /** True when the server has done well all the time since before then. */
  wasWellSince(key: string, sinceMs: number): boolean {
    return (this.#servers.get(key)?.wellSinceMs ?? Number.POSITIVE_INFINITY) < sinceMs;
  }

  note(requestId: string, seen: Seen): void {
    const list = this.#seen.get(requestId);
    if (list === undefined) this.#seen.set(requestId, [seen]);
    else list.push(seen);
  }

  seen(requestId: string): readonly Seen[] {
    return this.#seen.get(requestId) ?? [];
  }

  /** The network for probes. */
  networkOf(after: (delayMs: number, callback: () => void) => void): Network {
    return {
      tryConnect: ({ host, port }, timeoutMs) => {
        const key = `${host}:${port}`;
        const manner = this.mannerOf(key);
        const { promise, resolve } = Promise.withResolvers<ConnectFailure | null>();
        const failure = (kind: ConnectFailure['kind']): ConnectFailure => ({ kind, text: `dial tcp ${key}: ${kind}` });
        if (manner === 'silent') after(timeoutMs, () => resolve(failure('timeout')));
        else after(1, () => resolve(manner === 'refuses' || this.isWarming(key) ? failure('refused') : null));
        return promise;
      },
      checkHttp: () => Promise.reject(new Error('No version of the simulation has a health check')),
    };
  }
}

/** The body that a server sends: another server's, or another request's, would differ. */
export function bodyOf(key: string, requestId: string, byteCount: number): string {
  return `${key} ${requestId} `.repeat(Math.ceil(byteCount / 8)).slice(0, byteCount);
}
