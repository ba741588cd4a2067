/** The names of log levels, as people write them. */
import type { LogLevel } from './model.ts';

const LEVELS: readonly LogLevel[] = ['CRITICAL', 'ERROR', 'WARNING', 'NOTICE', 'INFO', 'DEBUG'];

/** What a person may write for a level, for error lines. */
export const LOG_LEVELS_ALLOWED = '"CRITICAL", "ERROR", "WARNING" (or "WARN"), "NOTICE", "INFO" or "DEBUG"';

/** The level that `text` names, in any case, `WARN` being `WARNING` (thesis section 5.5); null for none. */
export function parseLogLevel(text: string): LogLevel | null {
  const name = text.toUpperCase();
  if (name === 'WARN') return 'WARNING';
  return LEVELS.find((level) => level === name) ?? null;
}
