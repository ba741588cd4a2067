/**
 * What is to be written to one socket, gathered so that a head and a small body leave in one write. Text is latin1, one
 * char an octet; small bodies join it, larger ones follow it in the same vectored write.
 */
import type { TcpSocket } from '../tcp/socket.ts';
import type { Sender, WriteTurn } from './write-turn.ts';

/** Up to this much is joined to the text; beyond it a copy costs more than a second buffer in the write. */
const JOIN_BYTES_MAX = 8 * 1024;
/** The text is sent when it has grown to this. */
const TEXT_CHARS_MAX = 32 * 1024;

export class Outbox implements Sender {
  readonly #socket: TcpSocket;
  readonly #writes: WriteTurn;
  #text = '';
  #waiting = false;
  #closes = false;

  constructor(socket: TcpSocket, writes: WriteTurn) {
    this.#socket = socket;
    this.#writes = writes;
  }

  text(text: string): void {
    this.#text += text;
  }

  /** Lent bytes. */
  bytes(bytes: Buffer, from: number, to: number): void {
    if (to - from <= JOIN_BYTES_MAX) {
      this.#text += bytes.toString('latin1', from, to);
      if (this.#text.length >= TEXT_CHARS_MAX) this.#write();
      return;
    }
    const text = this.#text;
    this.#text = '';
    this.#socket.writeLent(text, bytes, from, to);
  }

  /** What was gathered is to be sent with this turn of the event loop. */
  flush(): void {
    if (this.#text.length >= TEXT_CHARS_MAX) this.#write();
    if (this.#text === '' || this.#waiting) return;
    this.#waiting = true;
    this.#writes.add(this);
  }

  /** The same, and the connection is closed once it has been taken. */
  flushAndClose(): void {
    this.#closes = true;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#writes.add(this);
  }

  /** Sends it at once: what comes next does not pass through here (the end of the stream, a tunnel). */
  flushNow(): void {
    if (this.#text !== '') this.#write();
  }

  sendNow(): void {
    this.#waiting = false;
    if (this.#text !== '') this.#write();
    if (this.#closes) this.#socket.closeSoon();
  }

  #write(): void {
    const text = this.#text;
    this.#text = '';
    this.#socket.writeText(text);
  }

  /** More is waiting than the socket wants to hold: hold back until it has drained. */
  get full(): boolean {
    return this.#socket.full;
  }
}
