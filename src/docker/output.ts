/** What containers write: lines for people, from the engine's framed streams. */
import type Docker from 'dockerode';
import { within } from './engine.ts';

const LINES_KEPT = 20;
const LINE_CHARACTERS_MAX = 500;
/** A container that floods its output in its first seconds is listened to no further. */
const FIRST_LINES_MAX = 100;
const FIRST_MS = 3_000;
const FRAME_HEAD_BYTES = 8;

/** The last lines that it wrote to either of its outputs; none when they can't be had. */
export async function lastLines(container: Docker.Container): Promise<readonly string[]> {
  try {
    const options = { stdout: true, stderr: true, follow: false as const, tail: LINES_KEPT, ...within(5_000) };
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    splitter.push((await container.logs(options)) as Buffer);
    splitter.end();
    return lines.slice(-LINES_KEPT);
  } catch {
    return [];
  }
}

/** Tells what it writes in its first seconds. Resolves at once; never rejects. */
export async function tellFirstLines(container: Docker.Container, onLine: (line: string) => void): Promise<void> {
  const options = { stdout: true, stderr: true, follow: true as const, abortSignal: AbortSignal.timeout(FIRST_MS) };
  try {
    const stream = (await container.logs(options)) as NodeJS.ReadableStream & { destroy(): void };
    let count = 0;
    const splitter = new LineSplitter((line) => {
      count += 1;
      if (count <= FIRST_LINES_MAX) onLine(line);
      else stream.destroy();
    });
    stream.on('data', (chunk: Buffer) => splitter.push(chunk));
    stream.on('end', () => splitter.end());
    stream.on('error', () => {});
  } catch {
    // Its log driver may have nothing to read from.
  }
}

/**
 * Takes the engine's stream apart: frames of eight bytes and what they announce, or plain bytes where the container has a
 * terminal (then no head would make sense).
 */
class LineSplitter {
  readonly #onLine: (line: string) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #text = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer | string): void {
    this.#bytes = Buffer.concat([this.#bytes, Buffer.from(chunk)]);
    for (;;) {
      if (this.#bytes.length >= FRAME_HEAD_BYTES && !isFrame(this.#bytes)) {
        this.#take(this.#bytes.length, 0);
        return;
      }
      if (this.#bytes.length < FRAME_HEAD_BYTES) return;
      const size = this.#bytes.readUInt32BE(4);
      if (this.#bytes.length < FRAME_HEAD_BYTES + size) return;
      this.#take(FRAME_HEAD_BYTES + size, FRAME_HEAD_BYTES);
    }
  }

  end(): void {
    if (this.#bytes.length > 0 && !isFrame(this.#bytes)) this.#take(this.#bytes.length, 0);
    if (this.#text !== '') this.#tell(this.#text);
    this.#text = '';
  }

  #take(end: number, from: number): void {
    const lines = (this.#text + this.#bytes.subarray(from, end).toString()).split(/\r?\n/);
    this.#bytes = this.#bytes.subarray(end);
    this.#text = (lines.pop() ?? '').slice(0, LINE_CHARACTERS_MAX);
    for (const line of lines) this.#tell(line);
  }

  #tell(line: string): void {
    // What a program writes may hold anything; it goes to terminals and logs.
    const clean = line.replace(/[\p{Cc}\u2028\u2029]/gu, ' ').slice(0, LINE_CHARACTERS_MAX);
    if (clean.trim() !== '') this.#onLine(clean);
  }
}

function isFrame(bytes: Buffer): boolean {
  return (bytes[0] ?? 9) <= 2 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0;
}
