import { pino } from 'pino';
import type { LogLevel } from '../core/config/model.ts';
import type { LogFacts } from './log.ts';
import { realWall, type Wall } from './log-time.ts';

/** One thing to say. */
export interface LogEvent {
  readonly level: LogLevel;
  readonly component: string;
  readonly text: string;
  readonly facts: LogFacts | undefined;
}

/** Makes the line, its line end included. */
export type FormatLine = (event: LogEvent) => string;

const LEVELS = { CRITICAL: 60, ERROR: 50, WARNING: 40, NOTICE: 35, INFO: 30, DEBUG: 20 } as const;

/**
 * Lines as JSON objects, by pino: `level`, `time` (ISO 8601, UTC), `component`, `facts` where there are some, `msg`.
 * Facts stand in an object of their own so that none of them can pass for one of the line's own keys.
 */
export function jsonLines(wall: Wall = realWall()): FormatLine {
  let line = '';
  const logger = pino<keyof typeof LEVELS>(
    {
      customLevels: LEVELS,
      useOnlyCustomLevels: true,
      level: 'DEBUG',
      base: null,
      timestamp: () => `,"time":"${new Date(wall() / 1000).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write(text: string) {
        line = text;
      },
    },
  );
  return ({ level, component, text, facts }) => {
    logger[level](facts === undefined ? { component } : { component, facts }, text);
    return line;
  };
}
