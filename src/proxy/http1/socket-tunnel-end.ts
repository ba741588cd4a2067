/** One end of a tunnel on a plain socket: the connection that owned the socket passes its events on. */
import type { TunnelEnd, TunnelSide } from '../message-level.ts';
import type { TcpSocket } from '../tcp/socket.ts';

/** A tunnel may be silent for hours. After so much silence its other end is asked whether it is still there. */
const PRESENCE_MS = 60_000;

export class SocketTunnelEnd implements TunnelEnd {
  readonly #socket: TcpSocket;
  #tunnel: TunnelSide | null = null;
  #early: Buffer[] = [];

  constructor(socket: TcpSocket) {
    this.#socket = socket;
    socket.keepAlive(PRESENCE_MS);
  }

  // ---- from the connection

  /** Bytes that are this tunnel's own: the buffer is not used again. */
  arrived(bytes: Buffer): void {
    if (this.#tunnel === null) this.#early.push(bytes);
    else this.#tunnel.bytes(bytes);
  }

  ended(): void {
    this.#tunnel?.ended();
  }

  closed(): void {
    this.#tunnel?.closed();
  }

  drained(): void {
    this.#tunnel?.drained();
  }

  // ---- TunnelEnd

  tunnelTo(tunnel: TunnelSide): void {
    this.#tunnel = tunnel;
    const early = this.#early;
    this.#early = [];
    for (const bytes of early) tunnel.bytes(bytes);
    this.#socket.resume();
  }

  tunnelWrite(bytes: Buffer): boolean {
    this.#socket.writeOwn(bytes);
    return !this.#socket.full;
  }

  tunnelEnd(): void {
    this.#socket.end();
  }

  tunnelClose(): void {
    this.#socket.closeSoon();
  }

  tunnelCut(): void {
    this.#socket.reset();
  }

  tunnelPause(): void {
    this.#socket.pause();
  }

  tunnelResume(): void {
    this.#socket.resume();
  }
}
