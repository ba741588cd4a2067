/** The proxy's listening socket and its client connections. */
import net from 'node:net';
import { openFilesMax } from '../system/descriptors.ts';
import { ClientConnection } from './http1/client-connection.ts';
import type { Plane } from './plane.ts';
import { type Accepted, Sockets } from './tcp/sockets.ts';

/**
 * An address, or handles of one socket that is bound already. From each handle one connection is accepted in a turn of the
 * event loop: where many come at once, several handles of the one socket save turns.
 */
export type ListenAt = { readonly host: string; readonly port: number } | { readonly handles: readonly object[] };

/** Connections that may wait to be accepted. */
const BACKLOG = 4096;

/** So many connections beyond the limit are told so; further ones are closed without a word. */
const TURNED_AWAY_MAX = 32;
/** File descriptors for what is no connection of the proxy: the process, the config service, the state, the log. */
const OWN_FILES = 64;
/** However few descriptors there are, so many clients are let in. */
const CONNECTIONS_MIN = 8;
/** That clients are turned away is said so often at most. */
const SAID_EVERY_MS = 10_000;

export class Listener {
  readonly #plane: Plane;
  readonly #servers: net.Server[] = [];
  readonly #connections = new Set<ClientConnection>();
  readonly #connectionsMax: number;
  /** Those among them that are only being told to go. */
  readonly #turnedAway = new Set<ClientConnection>();
  #saidMs = Number.NEGATIVE_INFINITY;
  #onEmpty: (() => void) | null = null;

  constructor(plane: Plane) {
    this.#plane = plane;
    this.#connectionsMax = connectionsMax(plane);
    if (!plane.sockets.onHandles)
      plane.log.write(
        'NOTICE',
        'listener',
        `Connections are on the public sockets of Node ${process.version}: they cost more`,
      );
  }

  /** Resolves with the port; rejects with the system's error when it can't listen. */
  async listen(at: ListenAt): Promise<number> {
    const ports =
      'handles' in at
        ? at.handles.map((handle) => this.#listenWith((server) => server.listen(handle, BACKLOG)))
        : [this.#listenWith((server) => server.listen({ ...at, backlog: BACKLOG }))];
    const [port] = await Promise.all(ports);
    return port ?? 0;
  }

  #listenWith(begin: (server: net.Server) => void): Promise<number> {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', () => {
        server.removeListener('error', reject);
        // From here on an error is one of accepting (descriptors ran out); the next connection may do better.
        server.on('error', (error) => {
          this.#plane.log.write('ERROR', 'listener', `Accepting a connection failed: ${error.message}`);
        });
        this.#plane.sockets.takeFrom(server, (accepted) => this.#accept(accepted));
        const address = server.address();
        resolve(address !== null && typeof address === 'object' ? address.port : 0);
      });
      begin(server);
    });
  }

  /** Takes no further connections. */
  stopListening(): void {
    for (const server of this.#servers) server.close();
  }

  /** Half-closes the connections that have been silent for so long. */
  closeSilent(silenceMs: number): void {
    const silentSince = this.#plane.sweeper.nowMs - silenceMs;
    for (const connection of this.#connections) {
      if (connection.idleSinceMs <= silentSince) connection.closeIdle();
    }
  }

  /** Resolves when no connection is left. */
  whenEmpty(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  destroyAll(): void {
    for (const connection of [...this.#connections]) connection.destroy();
  }

  /** Ends the attempts that exchanges still have on this version; each goes on to another one if it may. */
  cutExchanges(versionId: string): void {
    for (const connection of [...this.#connections]) connection.cutExchange(versionId);
  }

  /** Connections that are not tunnels are closed; tunnels have a bound of their own. */
  destroyAllButTunnels(): void {
    for (const connection of [...this.#connections]) {
      if (!connection.tunnelling) connection.destroy();
    }
  }

  get count(): number {
    return this.#connections.size;
  }

  #accept(accepted: Accepted): void {
    if (this.#connections.size >= this.#connectionsMax + TURNED_AWAY_MAX) {
      this.#countRefused();
      Sockets.drop(accepted);
      return;
    }
    const isTooMany = this.#connections.size - this.#turnedAway.size >= this.#connectionsMax;
    const connection = new ClientConnection(this.#plane, accepted, this.#onClosed);
    this.#connections.add(connection);
    if (!isTooMany) return;
    this.#countRefused();
    this.#turnedAway.add(connection);
    connection.turnAway();
  }

  #countRefused(): void {
    const { counters, log, sweeper } = this.#plane;
    counters.connectionsRefused += 1;
    if (sweeper.nowMs < this.#saidMs + SAID_EVERY_MS) return;
    this.#saidMs = sweeper.nowMs;
    log.write('WARNING', 'listener', `Client connections are turned away: ${this.#connectionsMax} are open`);
  }

  readonly #onClosed = (connection: ClientConnection): void => {
    this.#connections.delete(connection);
    this.#turnedAway.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  };
}

/** `limits.connections`, or as many as there are file descriptors for: each may need another one to a server. */
function connectionsMax({ config, log }: Plane): number {
  const wanted = config.limits.connections;
  const files = openFilesMax();
  const possible = Math.max(CONNECTIONS_MIN, Math.floor((files - OWN_FILES) / 2));
  if (possible >= wanted) return wanted;
  const text = `limits.connections is ${wanted}, of which ${files} file descriptors (ulimit -n) allow ${possible}`;
  log.write('NOTICE', 'listener', text);
  return possible;
}
