/**
 * A client's socket that reads into a buffer of ours, as the sockets do that we open ourselves (the `onread` option of
 * `net.Socket`): no buffer is made for each read, and the stream machinery is passed by. A server has no such option, so the
 * connection it accepted is moved to a socket that has it. The move rests on two fields of `net.Socket` that are not
 * documented; where they are not as expected the accepted socket is used as it is, with the same bytes.
 */
import net from 'node:net';

/** Bytes that arrived: the first `count` of `bytes`, lent until the call returns. */
export type OnBytes = (bytes: Buffer, count: number) => void;

interface Internals {
  _handle: { readonly useUserBuffer?: unknown } | null;
  /** Counts its connections, and is told by the socket when one is closed. */
  _server: unknown;
}

/**
 * @param accepted from a server with `pauseOnConnect`; not to be used any more
 * @param buffer may be shared by all sockets: nothing is read into it before `onBytes` has returned
 */
export function readInto(accepted: net.Socket, buffer: Buffer, onBytes: OnBytes): net.Socket {
  const from = accepted as unknown as Internals;
  const handle = from._handle;
  if (typeof handle?.useUserBuffer !== 'function') {
    accepted.on('data', (bytes: Buffer) => onBytes(bytes, bytes.length));
    accepted.resume();
    return accepted;
  }
  const options: object = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer,
      callback: (count: number, bytes: Uint8Array): boolean => {
        onBytes(bytes as Buffer, count);
        return true;
      },
    },
  };
  const socket = new net.Socket(options);
  (socket as unknown as Internals)._server = from._server;
  from._handle = null;
  from._server = null;
  return socket;
}
