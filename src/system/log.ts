import type { LogLevel } from '../core/config/model.ts';

/** Facts that a JSON log line carries beside its text; the text form leaves them out. */
export type LogFacts = Readonly<Record<string, string | number | boolean | null>>;

/** Where log lines go. Never throws and never blocks traffic: a line that can't be written is counted and dropped. */
export interface Log {
  /** True when lines of this level are written; ask before building a costly text. */
  enabled(level: LogLevel): boolean;
  /** Writes one line; `component` says which part speaks (`exchange`, `controller`, …). */
  write(level: LogLevel, component: string, text: string, facts?: LogFacts): void;
  /** Writes one line whatever the level is: the echo of the configuration at start. */
  always(level: LogLevel, component: string, text: string): void;
}
