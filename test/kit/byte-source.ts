/**
 * A socket read at the reader's pace: the kit's clients and servers ask for a line, for n bytes or for the rest, and
 * nothing is taken from the kernel before it is asked for. So a test decides who is slow, byte by byte.
 */
import type { Socket } from 'node:net';

/** The peer broke the connection or ended it inside a message: what arrived looks incomplete, as it should. */
export class IncompleteError extends Error {
  /** Body bytes that had arrived, chunk framing removed. */
  partial: Buffer = Buffer.alloc(0);
}

/** The peer sent what no strict HTTP/1.1 reader may accept. */
export class ViolationError extends Error {}

export class ByteSource {
  readonly socket: Socket;
  /** Every byte that was read, when `record` was asked for. */
  readonly recorded: Buffer[] | null;
  ended = false;
  failure: Error | null = null;
  #chunks: Buffer[] = [];
  #length = 0;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket, record: 'record' | 'forget' = 'forget') {
    this.socket = socket;
    this.recorded = record === 'record' ? [] : null;
    socket.pause();
    socket.on('data', (chunk: Buffer) => {
      socket.pause();
      this.recorded?.push(chunk);
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    socket.on('error', (error) => {
      this.failure ??= error;
      this.#wake();
    });
    socket.on('close', () => {
      if (!this.ended) this.failure ??= new Error('The socket was destroyed');
      this.#wake();
    });
  }

  /** Bytes read from the kernel and not yet taken. */
  get buffered(): number {
    return this.#length;
  }

  /** One line without its CRLF, as latin1; null when the peer ended before its first byte. */
  async line(bytesMax = 65_536): Promise<string | null> {
    for (let searched = 0; ; ) {
      const bytes = this.#joined();
      const at = bytes.indexOf(0x0a, searched);
      if (at >= 0) return this.#lineOf(this.#shift(at + 1));
      searched = bytes.length;
      if (searched > bytesMax) throw new ViolationError(`Line is longer than ${bytesMax} bytes`);
      if (!(await this.#more())) {
        if (searched === 0) return null;
        throw new IncompleteError('Connection ended inside a line');
      }
    }
  }

  /** Exactly `count` bytes. */
  async take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = count; missing > 0; ) {
      if (this.#length === 0 && !(await this.#moreOr(parts))) {
        throw incomplete(`Connection ended ${missing} bytes short of ${count}`, parts);
      }
      const part = this.#shift(Math.min(missing, this.#length));
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** Everything up to the peer's FIN; a reset is an IncompleteError. */
  async rest(): Promise<Buffer> {
    const parts: Buffer[] = [this.#shift(this.#length)];
    while (await this.#moreOr(parts)) parts.push(this.#shift(this.#length));
    return Buffer.concat(parts);
  }

  /** What the kernel has now or sends next: at least one byte, or null at the end. */
  async some(): Promise<Buffer | null> {
    if (this.#length === 0 && !(await this.#more())) return null;
    return this.#shift(this.#length);
  }

  /** How the connection ended, and the bytes that still came before that. */
  async closed(): Promise<{ readonly how: 'fin' | 'reset'; readonly bytes: Buffer }> {
    const parts: Buffer[] = [this.#shift(this.#length)];
    try {
      while (await this.#more()) parts.push(this.#shift(this.#length));
      return { how: 'fin', bytes: Buffer.concat(parts) };
    } catch {
      return { how: 'reset', bytes: Buffer.concat(parts) };
    }
  }

  async #moreOr(parts: readonly Buffer[]): Promise<boolean> {
    try {
      return await this.#more();
    } catch (error) {
      throw incomplete(`Connection broke: ${(error as Error).message}`, parts);
    }
  }

  /** True when there is something more to take, false at the peer's FIN; rejects when the connection broke. */
  async #more(): Promise<boolean> {
    const before = this.#length;
    while (this.#length === before) {
      if (this.ended) return false;
      if (this.failure) throw new IncompleteError(this.failure.message);
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        this.socket.resume();
      });
    }
    return true;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  #shift(count: number): Buffer {
    const bytes = this.#joined();
    this.#chunks = count === bytes.length ? [] : [bytes.subarray(count)];
    this.#length -= count;
    return bytes.subarray(0, count);
  }

  #lineOf(bytes: Buffer): string {
    const text = bytes.toString('latin1');
    if (!text.endsWith('\r\n')) throw new ViolationError(`Line ends in a bare LF: ${JSON.stringify(text)}`);
    const line = text.slice(0, -2);
    if (/[\r\0]/.test(line)) throw new ViolationError(`Line holds CR or NUL: ${JSON.stringify(line)}`);
    return line;
  }
}

function incomplete(message: string, parts: readonly Buffer[]): IncompleteError {
  const error = new IncompleteError(message);
  error.partial = Buffer.concat(parts);
  return error;
}
