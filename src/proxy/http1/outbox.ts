/**
 * What is to be written to one socket, gathered so that a head and a small body leave in one write. Text is latin1, one
 * char an octet; small bodies join it, larger ones follow it in the same vectored write.
 */
import type { Socket } from 'node:net';
import { type BufferPool, POOLED_BYTES_MAX } from '../buffer-pool.ts';
import type { Sender, WriteTurn } from './write-turn.ts';

/** Up to this much is joined to the text; beyond it a copy costs more than a second buffer in the write. */
const JOIN_BYTES_MAX = 8 * 1024;
/** The text is sent when it has grown to this. */
const TEXT_CHARS_MAX = 32 * 1024;

/** What the outboxes of one data plane share. */
export interface Sending {
  readonly writes: WriteTurn;
  readonly pool: BufferPool;
}

export class Outbox implements Sender {
  readonly #socket: Socket;
  readonly #sending: Sending;
  #text = '';
  #waiting = false;
  /** Buffers that are being written, in the order in which their writes end; made for the first. */
  #lent: Buffer[] | null = null;
  readonly #onWritten = (): void => {
    const written = this.#lent?.shift();
    if (written !== undefined) this.#sending.pool.give(written);
  };

  constructor(socket: Socket, sending: Sending) {
    this.#socket = socket;
    this.#sending = sending;
  }

  text(text: string): void {
    this.#text += text;
  }

  /** Bytes that are lent: what the kernel does not take at once is sent from a copy. */
  bytes(bytes: Buffer, from: number, to: number): void {
    if (to - from <= JOIN_BYTES_MAX) {
      this.#text += bytes.toString('latin1', from, to);
      if (this.#text.length >= TEXT_CHARS_MAX) this.#write();
      return;
    }
    this.#socket.cork();
    if (this.#text !== '') this.#write();
    for (let at = from; at < to; at += POOLED_BYTES_MAX)
      this.#writeCopy(bytes, at, Math.min(to, at + POOLED_BYTES_MAX));
    this.#socket.uncork();
  }

  /** What was gathered is to be sent with this turn of the event loop. */
  flush(): void {
    if (this.#text.length >= TEXT_CHARS_MAX) this.#write();
    if (this.#text === '' || this.#waiting) return;
    this.#waiting = true;
    this.#sending.writes.add(this);
  }

  /** Sends it at once: what comes next does not pass through here (the end of the stream, a tunnel). */
  flushNow(): void {
    if (this.#text !== '') this.#write();
  }

  sendNow(): void {
    this.#waiting = false;
    if (this.#text !== '' && !this.#socket.destroyed) this.#write();
  }

  #writeCopy(bytes: Buffer, from: number, to: number): void {
    const buffer = this.#sending.pool.take(to - from);
    const copied = bytes.copy(buffer, 0, from, to);
    this.#lent ??= [];
    this.#lent.push(buffer);
    this.#socket.write(buffer.subarray(0, copied), this.#onWritten);
  }

  #write(): void {
    const text = this.#text;
    this.#text = '';
    this.#socket.write(text, 'latin1');
  }

  /** More is waiting than the socket wants to hold: hold back until it has drained. */
  get full(): boolean {
    return this.#socket.writableNeedDrain;
  }
}
