import { createRequire } from 'node:module';
import type * as Pino from 'pino';
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

const LEVELS = { critical: 60, error: 50, warning: 40, notice: 35, info: 30, debug: 20 } as const;

/**
 * Lines as JSON objects, by pino: `level` (in lower case), `time` (ISO 8601, UTC), `component`, `facts` where there are some, `msg`.
 * Facts stand in an object of their own so that none of them can pass for one of the line's own keys.
 */
export function jsonLines(wall: Wall = realWall()): FormatLine {
  // Loaded where it is wanted: each of the processes has a log, and most have it as text.
  const { pino } = createRequire(import.meta.url)('pino') as typeof Pino;
  let line = '';
  const logger = pino<keyof typeof LEVELS>(
    {
      customLevels: LEVELS,
      useOnlyCustomLevels: true,
      level: 'debug',
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
    line = '';
    logger[level.toLowerCase() as keyof typeof LEVELS](
      facts === undefined ? { component } : { component, facts },
      text,
    );
    return line;
  };
}
