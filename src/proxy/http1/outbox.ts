/**
 * What is to be written to one socket, gathered so that a head and its body leave in one write, at the end of the event loop's
 * turn. Text is latin1, one char an octet. A small body joins it; a larger one is copied behind it into a buffer; a long
 * one, which lies in a buffer of its own, is sent from there at once.
 */
import { type BufferPool, POOLED_BYTES_MAX } from '../buffer-pool.ts';
import { mayKeep } from '../tcp/read-buffers.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import type { Sender, WriteTurn } from './write-turn.ts';

/** What is shared with the other parts of the plane. */
interface OutboxPlane {
  readonly writes: WriteTurn;
  readonly buffers: BufferPool;
}

/** Up to this much is joined to the text; of more a copy in a buffer costs less. */
const JOIN_BYTES_MAX = 1024;
/** The text is sent when it has grown to this. */
const TEXT_CHARS_MAX = 32 * 1024;

export class Outbox implements Sender {
  readonly #socket: TcpSocket;
  readonly #plane: OutboxPlane;
  /** A buffer of the pool with what is to be sent before the text; null: nothing. */
  #copy: Buffer | null = null;
  #copied = 0;
  #text = '';
  #waiting = false;
  #closes = false;

  constructor(socket: TcpSocket, plane: OutboxPlane) {
    this.#socket = socket;
    this.#plane = plane;
  }

  text(text: string): void {
    this.#text += text;
  }

  /** Lent bytes. */
  bytes(bytes: Buffer, from: number, to: number): void {
    const count = to - from;
    if (count <= JOIN_BYTES_MAX) {
      this.#text += bytes.toString('latin1', from, to);
      if (this.#text.length >= TEXT_CHARS_MAX) this.#write();
    } else if (mayKeep(bytes) || count + this.#text.length > POOLED_BYTES_MAX) {
      if (this.#copy !== null) this.#write();
      const text = this.#text;
      this.#text = '';
      this.#socket.writeLent(text, bytes, from, to);
    } else {
      this.#keepCopy(bytes, from, to);
    }
  }

  /** What was gathered is to be sent with this turn of the event loop. */
  flush(): void {
    if (this.#text.length >= TEXT_CHARS_MAX) this.#write();
    if (this.#isEmpty || this.#waiting) return;
    this.#waiting = true;
    this.#plane.writes.add(this);
  }

  /** The same, and the connection is closed once it has been taken. */
  flushAndClose(): void {
    this.#closes = true;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#plane.writes.add(this);
  }

  /** Sends it at once: what comes next does not pass through here (the end of the stream, a tunnel). */
  flushNow(): void {
    if (!this.#isEmpty) this.#write();
  }

  sendNow(): void {
    this.#waiting = false;
    if (!this.#isEmpty) this.#write();
    if (this.#closes) this.#socket.closeSoon();
  }

  /** More is waiting than the socket wants to hold: hold back until it has drained. */
  get full(): boolean {
    return this.#socket.full;
  }

  get #isEmpty(): boolean {
    return this.#text === '' && this.#copy === null;
  }

  #keepCopy(bytes: Buffer, from: number, to: number): void {
    if (this.#copy !== null) this.#write();
    const text = this.#text;
    this.#text = '';
    this.#copy = this.#plane.buffers.take(text.length + to - from);
    const start = text === '' ? 0 : this.#copy.write(text, 'latin1');
    this.#copied = start + bytes.copy(this.#copy, start, from, to);
  }

  #write(): void {
    const copy = this.#copy;
    let text = this.#text;
    this.#text = '';
    this.#copy = null;
    if (copy !== null) {
      const hasRoom = copy.length - this.#copied >= text.length;
      const end = this.#copied + (hasRoom && text !== '' ? copy.write(text, this.#copied, 'latin1') : 0);
      if (hasRoom) text = '';
      this.#socket.writePooled(copy, end);
    }
    if (text !== '') this.#socket.writeText(text);
  }
}
