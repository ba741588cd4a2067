/**
 * A TCP connection as the proxy uses it, and the one who owns it. There are two kinds: on Node's handles (`handle-socket.ts`),
 * and, where those are not as expected, on its public sockets (`stream-socket.ts`).
 */
import { getSystemErrorName } from 'node:util';

export interface TcpSocket {
  /** The peer's address, '' if it has gone. */
  readonly remoteAddress: string;
  /** Bytes that were written and not yet taken by the kernel. */
  readonly queuedBytes: number;
  /** So much is queued that the owner should write no more before `socketDrained`. */
  readonly full: boolean;
  readonly paused: boolean;

  /** Sends latin1 text, one char an octet. */
  writeText(text: string): void;
  /** Sends the text and behind it bytes that are lent until the call returns. */
  writeLent(text: string, bytes: Buffer, from: number, to: number): void;
  /** Sends the first `count` bytes of a buffer of the pool, which is the socket's from here on. */
  writePooled(buffer: Buffer, count: number): void;
  /** Sends bytes that nobody changes any more. */
  writeOwn(bytes: Buffer): void;
  /** Sends FIN after what is queued. */
  end(): void;
  /** Closes once what is queued has been taken. */
  closeSoon(): void;
  /** Closes at once: what is queued is lost. */
  close(): void;
  /** Closes at once, with RST. */
  reset(): void;
  /** Stops reading; neither bytes nor FIN or RST are seen. */
  pause(): void;
  resume(): void;
  /** Asks a peer that has been silent for so long, by the kernel, whether it is still there. */
  keepAlive(silenceMs: number): void;
}

/** What the owner is told, never from within a call of its own. */
export interface SocketOwner {
  /** The first `count` bytes are here, lent until the call returns. */
  socketBytes(bytes: Buffer, count: number): void;
  /** The peer has sent FIN. */
  socketEnded(): void;
  /** All that was queued has been taken, after it was too much. */
  socketDrained(): void;
  /** FIN has been sent. */
  socketFinished(): void;
  /** It is closed, by either side; told once, as the last of all. */
  socketClosed(error: NodeJS.ErrnoException | null): void;
}

/** The owner of a connection that it has asked for. */
export interface ConnectingOwner extends SocketOwner {
  /** The connection stands. */
  socketConnected(): void;
}

/** When so much is queued the socket is full. */
export const QUEUED_BYTES_MAX = 64 * 1024;

/** @param errno the system's number, negative as libuv gives it */
export function systemError(errno: number, call: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${call} ${code}`), { code, errno, syscall: call });
}
