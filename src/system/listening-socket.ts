/**
 * A listening socket that this process holds for others: it never accepts a connection itself. While no other process does, connections
 * wait in the socket's queue and none is refused.
 */
import { lookup } from 'node:dns/promises';
import * as net from 'node:net';
import { getSystemErrorName } from 'node:util';

export interface ListeningSocket {
  /** To be sent along with a message; `net.Server.listen` takes it at the other end. */
  readonly handle: object;
  readonly address: string;
  readonly port: number;
  close(): void;
}

/** What `node:net` and `node:cluster` make sockets with; a `net.Server` would accept as soon as it listens. */
type CreateHandle = (
  address: string | null,
  port: number | null,
  addressType: number | null,
  fd: number | undefined,
  flags: number,
) => Handle | number;

interface Name {
  address?: string;
  port?: number;
}

interface Handle {
  /** Missing where it is no TCP socket. */
  getsockname?(out: Name): number;
  close(): void;
}

const { _createServerHandle: createHandle } = net as unknown as { readonly _createServerHandle: CreateHandle };

/** Binds a socket to the address; port 0 asks for a free one. Rejects with an error that has the system's `code`. */
export async function bindSocket(host: string, port: number): Promise<ListeningSocket> {
  const { address, family } = await lookup(host);
  return held(createHandle(address, port, family, undefined, 0), `${host}:${port}`);
}

/** Takes a socket that this process was started with. Throws a clear error. */
export function socketOfDescriptor(fd: number): ListeningSocket {
  return held(createHandle(null, null, null, fd, 0), `descriptor ${fd}`);
}

function held(handle: Handle | number, what: string): ListeningSocket {
  if (typeof handle === 'number') throw systemError(handle, what);
  const name: Name = {};
  if (handle.getsockname === undefined) throw new Error(`Taking ${what} failed: it is no TCP socket`);
  // Binding tells only now that the address is in use.
  const failure = handle.getsockname(name);
  if (failure !== 0) {
    handle.close();
    throw systemError(failure, what);
  }
  return { handle, address: name.address ?? '', port: name.port ?? 0, close: () => handle.close() };
}

function systemError(number: number, what: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(number);
  return Object.assign(new Error(`bind ${code} ${what}`), { code });
}
