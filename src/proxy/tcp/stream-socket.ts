/** A TCP connection on a public socket of Node's, for where its handles can't be relied on. */
import net from 'node:net';
import type { ConnectingOwner, SocketOwner, TcpSocket } from './socket.ts';
import { QUEUED_BYTES_MAX } from './socket.ts';

export class StreamSocket implements TcpSocket {
  readonly #socket: net.Socket;

  private constructor(socket: net.Socket, owner: SocketOwner) {
    this.#socket = socket;
    let failure: NodeJS.ErrnoException | null = null;
    socket.on('data', (bytes: Buffer) => owner.socketBytes(bytes, bytes.length));
    socket.on('end', () => owner.socketEnded());
    socket.on('drain', () => owner.socketDrained());
    socket.on('finish', () => owner.socketFinished());
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => owner.socketClosed(failure));
  }

  /** @param socket from a server with `pauseOnConnect` and `allowHalfOpen` */
  static accepted(socket: net.Socket, owner: SocketOwner): StreamSocket {
    const made = new StreamSocket(socket, owner);
    socket.resume();
    return made;
  }

  static connect(to: { readonly address: string; readonly port: number }, owner: ConnectingOwner): StreamSocket {
    const socket = net.connect({
      host: to.address,
      port: to.port,
      autoSelectFamily: false,
      noDelay: true,
      allowHalfOpen: true,
      highWaterMark: QUEUED_BYTES_MAX,
    } as net.TcpNetConnectOpts);
    socket.on('connect', () => owner.socketConnected());
    return new StreamSocket(socket, owner);
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  get full(): boolean {
    return this.#socket.writableNeedDrain;
  }

  get paused(): boolean {
    return this.#socket.isPaused();
  }

  writeText(text: string): void {
    if (this.#socket.writable) this.#socket.write(text, 'latin1');
  }

  writeLent(text: string, bytes: Buffer, from: number, to: number): void {
    if (!this.#socket.writable) return;
    this.#socket.cork();
    if (text !== '') this.#socket.write(text, 'latin1');
    this.#socket.write(Buffer.from(bytes.subarray(from, to)));
    this.#socket.uncork();
  }

  /** The buffer is left to the collector. */
  writePooled(buffer: Buffer, count: number): void {
    this.writeOwn(buffer.subarray(0, count));
  }

  writeOwn(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  closeSoon(): void {
    this.#socket.destroySoon();
  }

  close(): void {
    this.#socket.destroy();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  keepAlive(silenceMs: number): void {
    this.#socket.setKeepAlive(true, silenceMs);
  }
}
