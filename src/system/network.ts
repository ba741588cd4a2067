/** The network as the control plane uses it: to probe. The data plane owns its sockets itself. */
import { createConnection } from 'node:net';
import type { Clock } from './clock.ts';
import type { Names } from './names.ts';

export interface Network {
  /**
   * Opens a connection and closes it at once. Resolves with null when it was accepted, else with the cause at the first
   * address tried. `timeoutMs` bounds the whole attempt, name resolution included. Never rejects.
   */
  tryConnect(
    address: { readonly host: string; readonly port: number },
    timeoutMs: number,
  ): Promise<ConnectFailure | null>;
}

export interface ConnectFailure {
  readonly kind: 'refused' | 'timeout' | 'unreachable' | 'no-address';
  /** For the log, in the form `dial tcp 127.0.0.1:80: connection refused`. */
  readonly text: string;
}

/** The network of this machine; names come from `names`, so that a probe uses the addresses that traffic uses. */
export function realNetwork(names: Names, clock: Clock): Network {
  return {
    tryConnect({ host, port }, timeoutMs) {
      const { promise, resolve } = Promise.withResolvers<ConnectFailure | null>();
      const attempt = new ConnectAttempt(port, resolve);
      const stopWaiting = names.whenKnown(host, (addresses) => {
        if (addresses.length === 0) attempt.end({ kind: 'no-address', text: `dial tcp: lookup ${host}: no such host` });
        else attempt.begin(addresses);
      });
      const stopTimer = clock.after(timeoutMs, () => attempt.end(connectFailure('ETIMEDOUT', { host, port })));
      return promise.finally(() => {
        stopWaiting();
        stopTimer();
      });
    },
  };
}

/** What a failed connection attempt means, from the error's `code` and the address that was tried. */
export function connectFailure(code: string | undefined, address: { host: string; port: number }): ConnectFailure {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const text = (cause: string) => `dial tcp ${host}:${address.port}: ${cause}`;
  switch (code) {
    case 'ECONNREFUSED':
      return { kind: 'refused', text: text('connection refused') };
    case 'ECONNRESET':
      return { kind: 'refused', text: text('connection reset by peer') };
    case 'ETIMEDOUT':
      return { kind: 'timeout', text: text('i/o timeout') };
    case 'EHOSTUNREACH':
      return { kind: 'unreachable', text: text('no route to host') };
    case 'ENETUNREACH':
      return { kind: 'unreachable', text: text('network is unreachable') };
    default:
      return { kind: 'unreachable', text: text(code ?? 'connection failed') };
  }
}

/** One probe: the addresses of a server one after the other, until one accepts or all have failed. */
class ConnectAttempt {
  readonly #port: number;
  readonly #done: (result: ConnectFailure | null) => void;
  #ended = false;
  #first: ConnectFailure | null = null;
  #closeSocket: () => void = () => {};

  constructor(port: number, done: (result: ConnectFailure | null) => void) {
    this.#port = port;
    this.#done = done;
  }

  begin(addresses: readonly string[], index = 0): void {
    if (this.#ended) return;
    const host = addresses[index];
    if (host === undefined) {
      this.end(this.#first);
      return;
    }
    const socket = createConnection({ host, port: this.#port, autoSelectFamily: false });
    this.#closeSocket = () => socket.destroy();
    socket.once('connect', () => this.end(null));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#ended) return;
      this.#first ??= connectFailure(error.code, { host, port: this.#port });
      this.begin(addresses, index + 1);
    });
  }

  end(result: ConnectFailure | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closeSocket();
    this.#done(result);
  }
}
