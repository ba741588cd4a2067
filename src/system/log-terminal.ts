/** A terminal as the place for log lines, with lines below them that change while they stand there. */
import type { LogFormat, LogLevel } from '../core/config/model.ts';
import { CLEAR, drawn, showsLiveLines } from './live-lines.ts';
import type { LogDestination } from './log-destination.ts';

interface Wanted {
  readonly format: LogFormat;
  readonly level: LogLevel;
}

/** Standard error, where it is a terminal that shows such lines and the log is for people; else null. */
export function openLogTerminal(destination: LogDestination, { format, level }: Wanted): LogTerminal | null {
  const isForPeople = format === 'text' && level !== 'CRITICAL';
  if (!isForPeople || !showsLiveLines(process.stderr, process.env)) return null;
  return new LogTerminal(destination, () => process.stderr.columns || COLUMNS);
}

/** Where a terminal does not tell its width. */
const COLUMNS = 80;
/** How often the lines change at most, milliseconds. */
const REDRAW_MS = 100;

export class LogTerminal implements LogDestination {
  readonly #destination: LogDestination;
  readonly #columns: () => number;
  #lines: readonly string[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** @param columns its width, as it is now */
  constructor(destination: LogDestination, columns: () => number) {
    this.#destination = destination;
    this.#columns = columns;
  }

  /** These take the place of those that stood there; none: they go. */
  show(lines: readonly string[]): void {
    if (lines.length === 0 && this.#lines.length === 0) return;
    this.#lines = lines;
    if (lines.length === 0) this.#draw();
    else this.#timer ??= setTimeout(() => this.#draw(), REDRAW_MS).unref();
  }

  write(lines: string): void {
    const live = this.#lines;
    this.#destination.write(live.length === 0 ? lines : `${CLEAR}${lines}${drawn(live, this.#columns())}`);
  }

  /** What changes has no end to stand at: it goes. */
  flush(): void {
    this.show([]);
    this.#destination.flush();
  }

  dropped(): number {
    return this.#destination.dropped();
  }

  clear(): boolean {
    return this.#destination.clear();
  }

  #draw(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#destination.write(drawn(this.#lines, this.#columns()));
  }
}
