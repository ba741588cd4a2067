/**
 * What is to be written to one socket, gathered so that a head and a small body leave in one write. Text is latin1, one
 * char an octet; small bodies join it, larger ones follow it in the same vectored write.
 */
import type { Socket } from 'node:net';

/** Up to this much is joined to the text; beyond it a copy costs more than a second buffer in the write. */
const JOIN_BYTES_MAX = 8 * 1024;
/** The text is sent when it has grown to this. */
const TEXT_CHARS_MAX = 32 * 1024;

export class Outbox {
  readonly #socket: Socket;
  #text = '';

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  text(text: string): void {
    this.#text += text;
  }

  /** Bytes that are lent: what the kernel does not take at once is sent from a copy. */
  bytes(bytes: Buffer, from: number, to: number): void {
    if (to - from <= JOIN_BYTES_MAX) {
      this.#text += bytes.toString('latin1', from, to);
      if (this.#text.length >= TEXT_CHARS_MAX) this.flush();
      return;
    }
    const copy = Buffer.allocUnsafeSlow(to - from);
    bytes.copy(copy, 0, from, to);
    if (this.#text === '') {
      this.#socket.write(copy);
      return;
    }
    this.#socket.cork();
    this.flush();
    this.#socket.write(copy);
    this.#socket.uncork();
  }

  flush(): void {
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    this.#socket.write(text, 'latin1');
  }

  /** More is waiting than the socket wants to hold: hold back until it has drained. */
  get full(): boolean {
    return this.#socket.writableNeedDrain;
  }
}
