/**
 * Standard error as a place for log lines that never holds up the process.
 *
 * Lines of one turn of the event loop are written together, by one system call that does not wait. What a full pipe or
 * a stopped terminal does not take is kept up to a bound and tried again. Past the bound, and on every other failure
 * (a closed pipe, a full disk), whole lines are dropped and counted; the log tells how many once lines get through.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';

/** What takes finished lines. */
export interface LogDestination {
  /** Takes whole lines, each with its line end. Never throws, never waits. */
  write(lines: string): void;
  /** Writes what is kept, for the end of the process: waits for a slow reader, but no longer than 0.25 s. */
  flush(): void;
  /** Lines lost so far because the destination did not take them. */
  dropped(): number;
  /** True while the last write got through and there is room for more. */
  clear(): boolean;
}

/** Writes bytes and says how many were taken; throws as `writeSync` does, with code EAGAIN for none at present. */
export type WriteBytes = (bytes: Uint8Array) => number;

/** How many bytes of lines are kept for a destination that takes none. */
const KEPT_BYTES_MAX = 1024 * 1024;
/** A turn that says more than this writes in between. */
const BATCH_BYTES = 64 * 1024;
/** What a pipe takes whole or not at all (pipe(7)), so that lines of several processes don't mix. */
const PIPE_BUF = 4096;
/** A reader at work empties a pipe in no time; one that has stopped is asked ever less often. */
const RETRY_MS = 2;
const RETRY_MS_MAX = 128;
const FLUSH_WAIT_MS = 250;
const FLUSH_STEP_MS = 10;
const LF = 0x0a;
const CR = 0x0d;

/**
 * The destination for this process's standard error.
 *
 * @param among `others`: other processes write to the same place, so that each write is small enough to be taken whole
 */
export function openStandardError(among: 'alone' | 'others' = 'alone'): LogDestination {
  const writeBytesMax = among === 'others' ? PIPE_BUF : undefined;
  return createDestination(standardErrorWrite(), { writeBytesMax });
}

interface Bounds {
  readonly keptBytesMax?: number | undefined;
  /** One write is of whole lines and no longer than this, unless a single line is. */
  readonly writeBytesMax?: number | undefined;
}

/** A bounded destination over a write that does not wait. */
export function createDestination(write: WriteBytes, bounds: Bounds = {}): LogDestination {
  return new Destination(write, bounds);
}

class Destination implements LogDestination {
  private readonly writeBytes: WriteBytes;
  private readonly keptBytesMax: number;
  private readonly writeBytesMax: number;
  /** Lines not yet given to the system. */
  private pending = '';
  private pendingBytes = 0;
  /** The batch that is being written: what is left of it. */
  private rest: Uint8Array = new Uint8Array(0);
  /** What was written last ended inside a line. */
  private midLine = false;
  private failing = false;
  /** The last write took nothing for now; it is tried again in a while, not with each line. */
  private stalled = false;
  private retryMs = RETRY_MS;
  private scheduled = false;
  private lost = 0;

  constructor(writeBytes: WriteBytes, { keptBytesMax, writeBytesMax }: Bounds) {
    this.writeBytes = writeBytes;
    this.keptBytesMax = keptBytesMax ?? KEPT_BYTES_MAX;
    this.writeBytesMax = writeBytesMax ?? Number.POSITIVE_INFINITY;
  }

  write(lines: string): void {
    const kept = this.pendingBytes + this.rest.length;
    const bytes = Buffer.byteLength(lines);
    if (kept > 0 && kept + bytes > this.keptBytesMax) {
      this.lost += lineCount(Buffer.from(lines));
      return;
    }
    this.pending += lines;
    this.pendingBytes += bytes;
    if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(() => this.turn());
    }
    if (this.pendingBytes >= BATCH_BYTES && !this.stalled) this.push();
  }

  flush(): void {
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    for (let waitedMs = 0; !this.push() && waitedMs < FLUSH_WAIT_MS; waitedMs += FLUSH_STEP_MS) {
      Atomics.wait(sleeper, 0, 0, FLUSH_STEP_MS);
    }
  }

  dropped(): number {
    return this.lost;
  }

  clear(): boolean {
    return !this.failing && this.pendingBytes + this.rest.length < this.keptBytesMax / 2;
  }

  private turn(): void {
    const before = this.rest.length;
    this.scheduled = !this.push();
    if (!this.scheduled) return;
    this.retryMs = this.rest.length === before ? Math.min(this.retryMs * 2, RETRY_MS_MAX) : RETRY_MS;
    // Unreferenced: a log that nobody reads must not keep the process alive.
    setTimeout(() => this.turn(), this.retryMs).unref();
  }

  /** Writes what there is; false when some of it has to wait. */
  private push(): boolean {
    while (this.rest.length > 0 || this.pending !== '') {
      if (this.rest.length === 0) this.takeBatch();
      try {
        const taken = this.writeBytes(this.nextWrite());
        // Lines that change leave the cursor at the beginning of one, too.
        if (taken > 0) this.midLine = this.rest[taken - 1] !== LF && this.rest[taken - 1] !== CR;
        this.rest = this.rest.subarray(taken);
        this.failing = false;
      } catch (error) {
        this.stalled = isAgain(error);
        if (this.stalled) return false;
        this.failing = true;
        this.lost += lineCount(this.rest);
        this.rest = new Uint8Array(0);
      }
    }
    this.stalled = false;
    return true;
  }

  private nextWrite(): Uint8Array {
    if (this.rest.length <= this.writeBytesMax) return this.rest;
    const whole = this.rest.lastIndexOf(LF, this.writeBytesMax - 1);
    const end = whole >= 0 ? whole : this.rest.indexOf(LF);
    return end >= 0 ? this.rest.subarray(0, end + 1) : this.rest;
  }

  private takeBatch(): void {
    // After a line that was cut off by a failure, the next one begins on a line of its own.
    this.rest = Buffer.from(this.midLine ? `\n${this.pending}` : this.pending);
    this.pending = '';
    this.pendingBytes = 0;
  }
}

/**
 * A write to standard error that does not wait. A pipe or terminal is opened once more for that: O_NONBLOCK set on the
 * descriptor we were given would also hold for the processes that share it. A file takes all at once anyway.
 */
function standardErrorWrite(): WriteBytes {
  const given = 2;
  try {
    if (fstatSync(given).isFile()) return (bytes) => writeSync(given, bytes);
    const own = openSync('/dev/fd/2', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return (bytes) => writeSync(own, bytes);
  } catch {
    return streamWrite(process.stderr);
  }
}

/** Where the descriptor can't be opened again (a socket, as under systemd): Node's stream, which does not wait on those. */
function streamWrite(stream: NodeJS.WriteStream): WriteBytes {
  let failure: Error | null = null;
  stream.on('error', (error) => {
    failure = error;
  });
  return (bytes) => {
    if (failure !== null) throw failure;
    if (stream.writableLength > 0) throw Object.assign(new Error('Standard error is busy'), { code: 'EAGAIN' });
    stream.write(bytes);
    return bytes.length;
  };
}

function isAgain(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'EAGAIN';
}

function lineCount(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) count += 1;
  return count;
}
