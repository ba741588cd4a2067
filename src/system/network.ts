/** The network as the control plane uses it: to probe. The data plane owns its sockets itself. */
import { createConnection } from 'node:net';
import type { Clock } from './clock.ts';
import { type HttpAnswer, type HttpCheck, httpGet } from './http-get.ts';
import type { Names } from './names.ts';

export interface Network {
  /**
   * Opens a connection and closes it at once. Resolves with null when it was accepted, else with the cause at the first
   * address tried. `timeoutMs` bounds the whole attempt, name resolution included. With `staysMs` it must not be closed by
   * the other side for so long. Never rejects.
   */
  tryConnect(address: ServerAt, timeoutMs: number, staysMs?: number): Promise<ConnectFailure | null>;
  /**
   * Sends one GET on a connection of its own and resolves with the head of the answer, or with the cause at the first
   * address tried. `timeoutMs` bounds the whole of it, name resolution included. Never rejects.
   */
  checkHttp(address: ServerAt, check: HttpCheck): Promise<HttpAnswer | ConnectFailure>;
}

interface ServerAt {
  /** A host name or an IP address. */
  readonly host: string;
  readonly port: number;
}

export interface ConnectFailure {
  readonly kind: 'refused' | 'timeout' | 'unreachable' | 'no-address';
  /** For the log, in the form `dial tcp 127.0.0.1:80: connection refused`. */
  readonly text: string;
}

/** The network of this machine; names come from `names`, so that a probe uses the addresses that traffic uses. */
export function realNetwork(names: Names, clock: Clock): Network {
  function walk<T>(server: ServerAt, timeoutMs: number, trial: Trial<T>): Promise<T | ConnectFailure> {
    const { host, port } = server;
    const { promise, resolve } = Promise.withResolvers<T | ConnectFailure>();
    const attempt = new AddressWalk(port, trial.tryOne, resolve);
    const stopWaiting = names.whenKnown(host, (addresses) => {
      if (addresses.length === 0) attempt.end({ kind: 'no-address', text: `dial tcp: lookup ${host}: no such host` });
      else attempt.begin(addresses);
    });
    const stopTimer = clock.after(timeoutMs, () => attempt.end({ kind: 'timeout', text: trial.timeoutText }));
    return promise.finally(() => {
      stopWaiting();
      stopTimer();
    });
  }
  return {
    tryConnect(server, timeoutMs, staysMs = 0) {
      const timeoutText = connectFailure('ETIMEDOUT', server).text;
      return walk<null>(server, timeoutMs, { timeoutText, tryOne: acceptedAt(clock, staysMs) });
    },
    checkHttp(server, check) {
      const timeoutText = `GET ${check.path}: no answer within ${check.timeoutMs / 1000} s`;
      const tryOne: TryOne<HttpAnswer> = (address, ended) => {
        return httpGet({ ...check, address, host: check.host ?? at(server) }, (code, answer) =>
          ended(answer ?? connectFailure(code, address)),
        );
      };
      return walk(server, check.timeoutMs, { timeoutText, tryOne });
    },
  };
}

/** What a failed connection attempt means, from the error's `code` and the address that was tried. */
export function connectFailure(code: string | undefined, address: ServerAt): ConnectFailure {
  const text = (cause: string) => `dial tcp ${at(address)}: ${cause}`;
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

/** `host:port`, an IPv6 address in brackets. */
function at({ host, port }: ServerAt): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Tries one address and says once how that ended; the returned function ends it at once. */
type TryOne<T> = (address: ServerAt, ended: (result: T | ConnectFailure) => void) => () => void;

interface Trial<T> {
  readonly tryOne: TryOne<T>;
  /** The cause when the whole takes too long. */
  readonly timeoutText: string;
}

/** The addresses of a server one after the other, until one gives a result or all have failed. */
class AddressWalk<T> {
  readonly #port: number;
  readonly #tryOne: TryOne<T>;
  readonly #done: (result: T | ConnectFailure) => void;
  #ended = false;
  #first: ConnectFailure | null = null;
  #stop: () => void = () => {};

  constructor(port: number, tryOne: TryOne<T>, done: (result: T | ConnectFailure) => void) {
    this.#port = port;
    this.#tryOne = tryOne;
    this.#done = done;
  }

  begin(addresses: readonly string[], index = 0): void {
    if (this.#ended) return;
    const host = addresses[index];
    if (host === undefined) {
      this.end(this.#first as ConnectFailure);
      return;
    }
    this.#stop = this.#tryOne({ host, port: this.#port }, (result) => {
      if (this.#ended) return;
      if (!isFailure(result)) {
        this.end(result);
        return;
      }
      this.#first ??= result;
      this.begin(addresses, index + 1);
    });
  }

  end(result: T | ConnectFailure): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
    this.#done(result);
  }
}

function isFailure<T>(result: T | ConnectFailure): result is ConnectFailure {
  return typeof result === 'object' && result !== null && 'text' in result;
}

function acceptedAt(clock: Clock, staysMs: number): TryOne<null> {
  return (address, ended) => {
    const socket = createConnection({ ...address, autoSelectFamily: false });
    let stopTimer = (): void => {};
    const closed = (): void =>
      ended({ kind: 'refused', text: `dial tcp ${at(address)}: the connection was closed at once` });
    socket.once('connect', () => {
      if (staysMs === 0) ended(null);
      else stopTimer = clock.after(staysMs, () => ended(null));
    });
    socket.on('end', closed);
    socket.on('error', (error: NodeJS.ErrnoException) => ended(connectFailure(error.code, address)));
    if (staysMs > 0) socket.resume();
    return () => {
      stopTimer();
      socket.destroy();
    };
  };
}
