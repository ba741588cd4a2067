/** Opens and accepts TCP connections, on handles where they are as expected, else on public sockets. */
import type net from 'node:net';
import type { BufferPool } from '../buffer-pool.ts';
import { HandleSocket, type HandleSocketParts } from './handle-socket.ts';
import { type Handles, handles as knownHandles, type TcpHandle } from './handles.ts';
import { type ConnectingOwner, type SocketOwner, systemError, type TcpSocket } from './socket.ts';
import { StreamSocket } from './stream-socket.ts';

interface ListeningHandle extends Pick<TcpHandle, 'setNoDelay'> {
  onconnection?: (status: number, handle?: TcpHandle) => void;
}

/** A connection that a server has accepted and nobody owns yet. */
export type Accepted = TcpHandle | net.Socket;

export class Sockets {
  readonly #parts: HandleSocketParts | null;

  constructor(pool: BufferPool, handles: Handles | null = knownHandles) {
    this.#parts = handles === null ? null : { handles, pool };
  }

  /** False: on public sockets, which do the same and cost more. */
  get onHandles(): boolean {
    return this.#parts !== null;
  }

  connect(to: { readonly address: string; readonly port: number }, owner: ConnectingOwner): TcpSocket {
    return this.#parts === null ? StreamSocket.connect(to, owner) : HandleSocket.connect(this.#parts, to, owner);
  }

  /**
   * Takes the connections of a server that listens, made with `pauseOnConnect`, `allowHalfOpen` and `noDelay`. On handles the
   * server makes no sockets of them, and neither counts nor bounds them.
   */
  takeFrom(server: net.Server, take: (accepted: Accepted) => void): void {
    const listening = (server as unknown as { _handle?: ListeningHandle })._handle;
    if (this.#parts === null || typeof listening?.onconnection !== 'function') {
      server.on('connection', take);
      return;
    }
    // Connections inherit it, which is a call less for each.
    listening.setNoDelay(true);
    listening.onconnection = (status: number, handle?: TcpHandle): void => {
      if (status === 0 && handle !== undefined) take(handle);
      else server.emit('error', systemError(status, 'accept'));
    };
  }

  own(accepted: Accepted, owner: SocketOwner): TcpSocket {
    if (isHandle(accepted)) return HandleSocket.accepted(this.#parts as HandleSocketParts, accepted, owner);
    return StreamSocket.accepted(accepted, owner);
  }

  /** Closes a connection that nobody is to own. */
  static drop(accepted: Accepted): void {
    if (isHandle(accepted)) accepted.close(() => {});
    else accepted.destroy();
  }
}

function isHandle(accepted: Accepted): accepted is TcpHandle {
  return 'useUserBuffer' in accepted;
}
