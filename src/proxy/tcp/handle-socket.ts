/** A TCP connection on one of Node's handles: no stream, no events, nothing allocated for a read or a write that is done at once. */
import { isIPv6 } from 'node:net';
import { type BufferPool, POOLED_BYTES_MAX } from '../buffer-pool.ts';
import type { Handles, Request, TcpHandle, Written } from './handles.ts';
import { endLending, keepLent, lend, mayKeep, SHARED_BUFFER } from './read-buffers.ts';
import { type ConnectingOwner, QUEUED_BYTES_MAX, type SocketOwner, systemError, type TcpSocket } from './socket.ts';

/** What connections on handles share. */
export interface HandleSocketParts {
  readonly handles: Handles;
  readonly pool: BufferPool;
}

/** The end of the stream, and that a connection is no more, as libuv numbers them on Linux and macOS. */
const UV_EOF = -4095;
/** `shutdown` says so when there is nothing to wait for. */
const DONE_AT_ONCE = 1;
/** A long body has come to its end when a read brings no more than this. */
const LITTLE_BYTES = 16 * 1024;

export class HandleSocket implements TcpSocket {
  queuedBytes = 0;
  full = false;
  paused = false;

  readonly #parts: HandleSocketParts;
  readonly #handle: TcpHandle;
  readonly #owner: SocketOwner;
  /** What is read into; the shared buffer or one of this connection's own. */
  #buffer: Buffer = SHARED_BUFFER;
  #stage: 'open' | 'ending' | 'finished' | 'closed' = 'open';
  #peerEnded = false;
  #closesWhenSent = false;
  #told = false;

  private constructor(parts: HandleSocketParts, handle: TcpHandle, owner: SocketOwner) {
    this.#parts = parts;
    this.#handle = handle;
    this.#owner = owner;
    handle.socket = this;
  }

  /** A connection that was accepted, without delay by Nagle's algorithm as its listener; it is read from the next turn of the event loop on. */
  static accepted(parts: HandleSocketParts, handle: TcpHandle, owner: SocketOwner): HandleSocket {
    const socket = new HandleSocket(parts, handle, owner);
    socket.#start();
    return socket;
  }

  static connect(
    parts: HandleSocketParts,
    to: { readonly address: string; readonly port: number },
    owner: ConnectingOwner,
  ): HandleSocket {
    const { handles } = parts;
    const handle = handles.newHandle();
    const socket = new HandleSocket(parts, handle, owner);
    const request = handles.newConnect();
    request.oncomplete = (status) => socket.#connected(status, owner);
    const error = isIPv6(to.address)
      ? handle.connect6(request, to.address, to.port)
      : handle.connect(request, to.address, to.port);
    if (error !== 0) socket.#failSoon(error, 'connect');
    return socket;
  }

  get remoteAddress(): string {
    const found: { address?: string } = {};
    if (this.#stage !== 'closed') this.#handle.getpeername(found);
    return found.address ?? '';
  }

  writeText(text: string): void {
    if (this.#mayWrite) this.#wrote(this.#parts.handles.writeText(this.#handle, text), text.length, null);
  }

  writeLent(text: string, bytes: Buffer, from: number, to: number): void {
    if (!this.#mayWrite) return;
    if (mayKeep(bytes)) {
      const written = this.#write(text, bytes.subarray(from, to));
      this.#wrote(written, text.length + to - from, typeof written === 'number' ? null : keepLent());
      return;
    }
    const { pool } = this.#parts;
    let before = text;
    for (let at = from; at < to && this.#mayWrite; at += POOLED_BYTES_MAX) {
      const buffer = pool.take(Math.min(to - at, POOLED_BYTES_MAX));
      const length = bytes.copy(buffer, 0, at, Math.min(to, at + POOLED_BYTES_MAX));
      this.#writePooled(before, buffer, length);
      before = '';
    }
  }

  writePooled(buffer: Buffer, count: number): void {
    this.#writePooled('', buffer, count);
  }

  writeOwn(bytes: Buffer): void {
    if (!this.#mayWrite) return;
    const written = this.#write('', bytes);
    if (typeof written !== 'number') written.buffer = bytes;
    this.#wrote(written, bytes.length, null);
  }

  end(): void {
    if (this.#stage !== 'open') return;
    this.#stage = 'ending';
    const request = this.#parts.handles.newShutdown();
    request.socket = this;
    request.oncomplete = HandleSocket.#onShutDown;
    const error = this.#handle.shutdown(request);
    if (error === DONE_AT_ONCE) process.nextTick(() => this.#finished());
    else if (error < 0) this.#failSoon(error, 'shutdown');
  }

  closeSoon(): void {
    if (this.queuedBytes === 0) this.close();
    else this.#closesWhenSent = true;
  }

  close(): void {
    if (this.#stage === 'closed') return;
    this.#stage = 'closed';
    this.#handle.close(HandleSocket.#onClosed);
  }

  reset(): void {
    if (this.#stage === 'closed') return;
    this.#stage = 'closed';
    // Refused once FIN is on its way.
    if (this.#handle.reset(HandleSocket.#onClosed) !== 0) this.#handle.close(HandleSocket.#onClosed);
  }

  pause(): void {
    if (this.paused || this.#stage === 'closed') return;
    this.paused = true;
    this.#handle.readStop();
  }

  resume(): void {
    if (!this.paused || this.#stage === 'closed') return;
    this.paused = false;
    this.#read();
  }

  keepAlive(silenceMs: number): void {
    if (this.#stage !== 'closed') this.#handle.setKeepAlive(true, Math.max(1, Math.floor(silenceMs / 1000)));
  }

  // ---- writing

  get #mayWrite(): boolean {
    return this.#stage === 'open' && !this.#closesWhenSent;
  }

  /** The buffer goes back to the pool once its first `count` bytes have been taken, or can't be sent. */
  #writePooled(text: string, buffer: Buffer, count: number): void {
    const written = this.#mayWrite ? this.#write(text, buffer.subarray(0, count)) : 0;
    const isDone = typeof written === 'number';
    this.#wrote(written, text.length + count, isDone ? null : buffer);
    if (isDone) this.#parts.pool.give(buffer);
  }

  #write(text: string, bytes: Buffer): Written {
    const { handles } = this.#parts;
    return text === '' ? handles.writeBytes(this.#handle, bytes) : handles.writeBoth(this.#handle, text, bytes);
  }

  /** `pooled` goes back to the pool when it has been written. */
  #wrote(written: Written, bytes: number, pooled: Buffer | null): void {
    if (written === 0) return;
    if (typeof written === 'number') {
      this.#failSoon(written, 'write');
      return;
    }
    written.socket = this;
    written.bytes = bytes;
    written.oncomplete = HandleSocket.#onWritten;
    if (pooled !== null) {
      written.buffer = pooled;
      written.pooled = true;
    }
    this.queuedBytes += bytes;
    if (this.queuedBytes >= QUEUED_BYTES_MAX) this.full = true;
  }

  static readonly #onWritten = function (this: Request, status: number): void {
    const socket = this.socket as HandleSocket;
    if (this.pooled === true) socket.#parts.pool.give(this.buffer as Buffer);
    socket.queuedBytes -= this.bytes ?? 0;
    if (socket.#stage === 'closed') return;
    if (status < 0) socket.#fail(status, 'write');
    else if (socket.queuedBytes === 0) socket.#sent();
  };

  /** Nothing is queued any more. */
  #sent(): void {
    if (this.#closesWhenSent) {
      this.close();
    } else if (this.full) {
      this.full = false;
      this.#owner.socketDrained();
    }
  }

  static readonly #onShutDown = function (this: Request, status: number): void {
    const socket = this.socket as HandleSocket;
    if (socket.#stage === 'closed') return;
    if (status < 0) socket.#fail(status, 'shutdown');
    else socket.#finished();
  };

  #finished(): void {
    if (this.#stage !== 'ending') return;
    this.#stage = 'finished';
    if (this.#peerEnded) this.close();
    else this.#owner.socketFinished();
  }

  // ---- reading

  #connected(status: number, owner: ConnectingOwner): void {
    if (this.#stage === 'closed') return;
    if (status < 0) {
      this.#fail(status, 'connect');
      return;
    }
    this.#handle.setNoDelay(true);
    this.#start();
    owner.socketConnected();
  }

  #start(): void {
    const handle = this.#handle;
    handle.onread = HandleSocket.#onRead;
    handle.useUserBuffer(this.#buffer);
    if (!this.paused) this.#read();
  }

  #read(): void {
    const error = this.#handle.readStart();
    if (error !== 0) this.#failSoon(error, 'read');
  }

  static readonly #onRead = function (this: TcpHandle): Buffer | undefined {
    const socket = this.socket as HandleSocket;
    const count = socket.#parts.handles.readResult();
    if (count === 0 || socket.#stage === 'closed') return undefined;
    if (count > 0) return socket.#take(count);
    if (count === UV_EOF) socket.#endedByPeer();
    else socket.#fail(count, 'read');
    return undefined;
  };

  /** Returns the buffer to read into from now on, if it is another one. */
  #take(count: number): Buffer | undefined {
    const buffer = this.#buffer;
    const isShared = buffer === SHARED_BUFFER;
    if (!isShared) lend(buffer);
    this.#owner.socketBytes(buffer, count);
    const isKept = !isShared && !endLending();
    // A read that fills the buffer tells of a long body; while it has to wait for its reader, it needs no place to go to.
    const isLong = (isShared ? count === buffer.length : count > LITTLE_BYTES) && !this.paused;
    const goesOn = isLong && this.#stage !== 'closed';
    if (!isKept && goesOn !== isShared) return undefined;
    if (!isKept && !isShared) this.#parts.pool.give(buffer);
    this.#buffer = goesOn ? this.#parts.pool.takeForBody() : SHARED_BUFFER;
    return this.#buffer;
  }

  #endedByPeer(): void {
    this.#peerEnded = true;
    this.#owner.socketEnded();
    if (this.#stage === 'finished') this.close();
  }

  // ---- the end

  #failSoon(status: number, call: string): void {
    process.nextTick(() => this.#fail(status, call));
  }

  #fail(status: number, call: string): void {
    if (this.#stage === 'closed') return;
    this.close();
    this.#tell(systemError(status, call));
  }

  static readonly #onClosed = function (this: TcpHandle): void {
    const socket = this.socket as HandleSocket;
    if (socket.#buffer !== SHARED_BUFFER) socket.#parts.pool.give(socket.#buffer);
    socket.#buffer = SHARED_BUFFER;
    socket.#tell(null);
  };

  #tell(error: NodeJS.ErrnoException | null): void {
    if (this.#told) return;
    this.#told = true;
    this.#owner.socketClosed(error);
  }
}
