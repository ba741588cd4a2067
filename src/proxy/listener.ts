/** The proxy's listening socket and its client connections. */
import net from 'node:net';
import { ClientConnection } from './http1/client-connection.ts';
import type { Plane } from './plane.ts';

export class Listener {
  readonly #plane: Plane;
  readonly #server: net.Server;
  readonly #connections = new Set<ClientConnection>();
  #onEmpty: (() => void) | null = null;

  constructor(plane: Plane) {
    this.#plane = plane;
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = plane.config.limits.connections;
  }

  /** Resolves with the port; rejects with the system's error when it can't listen. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.removeListener('error', reject);
        // From here on an error is one of accepting (descriptors ran out); the next connection may do better.
        this.#server.on('error', (error) => {
          this.#plane.log.write('ERROR', 'listener', `Accepting a connection failed: ${error.message}`);
        });
        const address = this.#server.address();
        resolve(address !== null && typeof address === 'object' ? address.port : port);
      });
    });
  }

  /** Takes no further connections. */
  stopListening(): void {
    this.#server.close();
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

  #accept(socket: net.Socket): void {
    this.#connections.add(
      new ClientConnection(this.#plane, socket, (connection) => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#onEmpty?.();
      }),
    );
  }
}
