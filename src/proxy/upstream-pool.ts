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

export class UpstreamPool {
  readonly #idle = new Map<string, UpstreamConnection[]>();
  readonly #all = new Set<UpstreamConnection>();

  /** Begins an attempt on a pooled connection, or on a new one. */
  attempt(plane: Plane, server: Server, call: AttemptCall): UpstreamConnection {
    const pooled = call.freshness === 'new' ? undefined : this.#take(plane, server, call.freshness);
    if (pooled !== undefined) {
      pooled.begin(call.request, call.listener, call.responseTimeoutMs);
      return pooled;
    }
    const fresh = new UpstreamConnection(plane, server);
    this.#all.add(fresh);
    fresh.begin(call.request, call.listener, call.responseTimeoutMs);
    return fresh;
  }

  /** A connection has done its exchange and may take another. */
  putBack(connection: UpstreamConnection): void {
    const idle = this.#idle.get(connection.server.key);
    if (idle === undefined) this.#idle.set(connection.server.key, [connection]);
    else idle.push(connection);
  }

  /** A connection is closed, wherever it was. */
  forget(connection: UpstreamConnection): void {
    this.#all.delete(connection);
    const idle = this.#idle.get(connection.server.key);
    if (idle === undefined) return;
    const index = idle.lastIndexOf(connection);
    if (index >= 0) idle.splice(index, 1);
    if (idle.length === 0) this.#idle.delete(connection.server.key);
  }

  /** Closes the idle connections to servers that no version names any more. */
  keepOnly(serverKeys: ReadonlySet<string>): void {
    for (const [key, idle] of [...this.#idle]) {
      if (serverKeys.has(key)) continue;
      for (const connection of [...idle]) connection.close();
    }
  }

  close(): void {
    for (const connection of [...this.#all]) connection.close();
  }

  #take(plane: Plane, server: Server, freshness: Freshness): UpstreamConnection | undefined {
    const idle = this.#idle.get(server.key);
    const connection = idle?.pop();
    if (idle === undefined || connection === undefined) return undefined;
    if (freshness === 'recent' && plane.sweeper.nowMs - connection.idleSinceMs > RECENT_MS) {
      idle.push(connection);
      return undefined;
    }
    return connection;
  }
}

interface AttemptCall {
  readonly request: OutgoingRequest;
  readonly listener: AttemptListener;
  readonly freshness: Freshness;
  readonly responseTimeoutMs: number;
}
