/**
 * The log: what the parts of Cutover say to people and to machines.
 *
 * One line an event, on standard error, as text in the thesis's form or as JSON. Writing is bounded and never waits:
 * what the destination does not take is counted and dropped (`log-destination.ts`).
 */
import type { LogFormat, LogLevel } from '../core/config/model.ts';
import type { LogDestination } from './log-destination.ts';
import { jsonLines, type LogEvent } from './log-json.ts';
import { textLines } from './log-text.ts';
import type { Wall } from './log-time.ts';

/** Facts that a JSON log line carries beside its text; the text form leaves them out. */
export type LogFacts = Readonly<Record<string, string | number | boolean | null>>;

/** Where log lines go. Never throws and never blocks traffic: a line that can't be written is counted and dropped. */
export interface Log {
  /** True when lines of this level are written; ask before building a costly text. */
  enabled(level: LogLevel): boolean;
  /** Writes one line; `component` says which part speaks (`exchange`, `controller`, …). */
  write(level: LogLevel, component: string, text: string, facts?: LogFacts): void;
  /** Writes one line whatever the level is, CRITICAL excepted: the echo of the configuration at start. */
  always(level: LogLevel, component: string, text: string): void;
}

/** The log of the whole process, with what only its owner needs. */
export interface ProcessLog extends Log {
  /** Writes what is kept, for the end of the process (see `LogDestination`). */
  flush(): void;
  /** Lines lost so far. */
  dropped(): number;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly destination: LogDestination;
  /** For tests; the machine's wall clock otherwise. */
  readonly wall?: Wall;
}

const RANK: Readonly<Record<LogLevel, number>> = { CRITICAL: 0, ERROR: 1, WARNING: 2, NOTICE: 3, INFO: 4, DEBUG: 5 };

export function createLog(options: LogOptions): ProcessLog {
  const { level, format, destination } = options;
  const toLine = format === 'json' ? jsonLines(options.wall) : textLines(options.wall);
  const enabled = (asked: LogLevel): boolean => RANK[asked] <= RANK[level];
  let told = 0;

  function emit(event: LogEvent): void {
    if (destination.dropped() > told && destination.clear()) {
      const text = `${destination.dropped() - told} log lines were lost: standard error did not take them`;
      told = destination.dropped();
      destination.write(toLine({ level: 'WARNING', component: 'log', text, facts: undefined }));
    }
    destination.write(toLine(event));
  }

  return {
    enabled,
    write(asked, component, text, facts) {
      if (enabled(asked)) emit({ level: asked, component, text, facts });
    },
    always(asked, component, text) {
      if (level !== 'CRITICAL') emit({ level: asked, component, text, facts: undefined });
    },
    flush: () => destination.flush(),
    dropped: () => destination.dropped(),
  };
}

/** An error that nobody caught ends the process, and is told. */
export function endOnUncaught(log: ProcessLog, component: string): void {
  process.on('uncaughtException', (error) => {
    log.write('CRITICAL', component, `An unexpected error ends the process: ${error.stack ?? error.message}`);
    log.flush();
    process.exit(1);
  });
}
