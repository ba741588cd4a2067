/**
 * Cutover as a program: reads the configuration, starts everything, and lives until a signal ends it.
 * Exit codes: 0 after a drain, 1 when something failed (a port or the state is in use, say), 2 when the configuration is wrong or
 * can't be read, or the state can't be read or written.
 */
import type { LogFormat, LogLevel } from './core/config/model.ts';
import { loadConfig } from './load-config.ts';
import { MainLog } from './main-log.ts';
import { endOnUncaught } from './system/log.ts';
import { openStandardError } from './system/log-destination.ts';

export interface RunOptions {
  readonly configFile: string;
  /** null: as the configuration file says, else WARNING. */
  readonly logLevel: LogLevel | null;
  /** null: as the configuration file says, else text. */
  readonly logFormat: LogFormat | null;
}

/** Runs the proxy. Resolves with the exit code once it has ended; never rejects. */
export async function runCutover(options: RunOptions): Promise<number> {
  const loaded = loadConfig(options.configFile);
  if (!loaded.ok) {
    for (const error of loaded.errors) process.stderr.write(`${error}\n`);
    return 2;
  }
  const { config } = loaded;
  const alone = config.workers === 0;
  const level = options.logLevel ?? config.log.level ?? 'WARNING';
  const format = options.logFormat ?? config.log.format ?? 'text';
  const log = new MainLog({ level, format }, openStandardError(alone ? 'alone' : 'others'));
  endOnUncaught(log, 'main');
  try {
    // Main carries neither plane, unless it is alone.
    if (alone) return await (await import('./run-alone.ts')).runAlone(options, loaded, log);
    return await (await import('./run-processes.ts')).runProcesses(options, loaded, log);
  } finally {
    log.flush();
  }
}
