/**
 * Keep-alive connections to servers, per server, newest first: the connection used last is the likeliest to stand.
 */
import type { Server } from '../core/routing/table.ts';
import { UpstreamConnection } from './http1/upstream-connection.ts';
import type { AttemptListener, OutgoingRequest } from './message-level.ts';
import type { Plane } from './plane.ts';

/** Which connection a request may take. A request that may not be sent twice must not meet a connection about to close. */
export type Freshness = 'any' | 'recent' | 'new';

const RECENT_MS = 1000;

/** The idle connections to one `host:port`, which all versions that name it share. */
export interface IdleList {
  readonly connections: UpstreamConnection[];
  /** False once no version names the server any more. */
  wanted: boolean;
}

export class UpstreamPool {
  readonly #byKey = new Map<string, IdleList>();
  /** By the servers of a route, which a request finds by their index: one of a thousand servers is not looked up by its name. */
  readonly #byServers = new Map<readonly Server[], readonly IdleList[]>();
  readonly #all = new Set<UpstreamConnection>();

  /** Begins an attempt on a pooled connection, or on a new one. */
  attempt(plane: Plane, call: AttemptCall): UpstreamConnection {
    const { servers, index } = call;
    const home = this.#of(servers)[index] as IdleList;
    const pooled = call.freshness === 'new' ? undefined : take(plane, home, call.freshness);
    if (pooled !== undefined) {
      pooled.begin(call.request, call.listener, call.responseTimeoutMs);
      return pooled;
    }
    const fresh = new UpstreamConnection(plane, servers[index] as Server, home);
    this.#all.add(fresh);
    fresh.begin(call.request, call.listener, call.responseTimeoutMs);
    return fresh;
  }

  /** A connection has done its exchange and may take another. */
  putBack(connection: UpstreamConnection): void {
    const { home } = connection;
    if (home.wanted) home.connections.push(connection);
    else connection.close();
  }

  /** A connection is closed, wherever it was. */
  forget(connection: UpstreamConnection): void {
    this.#all.delete(connection);
    const { connections } = connection.home;
    const index = connections.lastIndexOf(connection);
    if (index >= 0) connections.splice(index, 1);
  }

  /** Closes the connections to servers that no version names any more: the idle ones now, others when they would become idle. */
  keepOnly(serverKeys: ReadonlySet<string>): void {
    this.#byServers.clear();
    for (const [key, idle] of this.#byKey) {
      if (serverKeys.has(key)) continue;
      this.#byKey.delete(key);
      idle.wanted = false;
      for (const connection of [...idle.connections]) connection.close();
    }
  }

  close(): void {
    for (const connection of [...this.#all]) connection.close();
  }

  #of(servers: readonly Server[]): readonly IdleList[] {
    const known = this.#byServers.get(servers);
    if (known !== undefined) return known;
    const found = servers.map(({ key }) => this.#ofKey(key));
    this.#byServers.set(servers, found);
    return found;
  }

  #ofKey(key: string): IdleList {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const idle = { connections: [], wanted: true };
    this.#byKey.set(key, idle);
    return idle;
  }
}

function take(plane: Plane, { connections }: IdleList, freshness: Freshness): UpstreamConnection | undefined {
  const connection = connections.at(-1);
  if (connection === undefined) return undefined;
  if (freshness === 'recent' && plane.sweeper.nowMs - connection.idleSinceMs > RECENT_MS) return undefined;
  connections.pop();
  return connection;
}

interface AttemptCall {
  readonly servers: readonly Server[];
  /** Of the one that is asked. */
  readonly index: number;
  readonly request: OutgoingRequest;
  readonly listener: AttemptListener;
  readonly freshness: Freshness;
  readonly responseTimeoutMs: number;
}
