/**
 * Cutover as a program: starts everything that the configuration asks for, and lives until a signal ends it.
 * Exit codes: 0 after a drain, 1 when something failed (a port or the state is in use, say), 2 when the configuration is wrong or
 * can't be read, or the state can't be read or written.
 */
import type { LogFormat, LogLevel } from './core/config/model.ts';
import type { LoadedConfig } from './load-config.ts';
import { MainLog } from './main-log.ts';
import { keepHangups } from './signals.ts';
import { readTextFile } from './system/files.ts';
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
  keepHangups();
  const file = readTextFile(options.configFile);
  if (!file.ok) return refuse([file.reason]);
  if (!mayBeAlone(file.text)) return runProcesses(options, file.text);
  const { loadConfig } = await import('./load-config.ts');
  const loaded = loadConfig(options.configFile, file.text);
  if (!loaded.ok) return refuse(loaded.errors);
  return loaded.config.workers === 0 ? runAlone(options, loaded) : runProcesses(options, file.text);
}

/**
 * False where the text can't say `"workers": 0`. Main has no use for a configuration otherwise, control reads it, and what reads it is
 * more than half of all that main would have to load.
 */
function mayBeAlone(text: string): boolean {
  return /workers|\\u/.test(text.replace(/"workers"\s*:\s*(?:[1-9]|"auto")/g, ''));
}

async function runAlone(options: RunOptions, loaded: LoadedConfig): Promise<number> {
  const level = options.logLevel ?? loaded.config.log.level ?? 'WARNING';
  const format = options.logFormat ?? loaded.config.log.format ?? 'text';
  const destination = openStandardError('alone');
  const { openLogTerminal } = await import('./system/log-terminal.ts');
  const terminal = openLogTerminal(destination, { level, format });
  const log = new MainLog({ level, format }, terminal ?? destination);
  const live = terminal?.show.bind(terminal) ?? null;
  return withLog(log, async () => (await import('./run-alone.ts')).runAlone(options, loaded, { log, live }));
}

async function runProcesses(options: RunOptions, text: string): Promise<number> {
  const { logLevel, logFormat } = options;
  // Control tells what the configuration says of it.
  const log = new MainLog({ level: logLevel ?? 'WARNING', format: logFormat ?? 'text' }, openStandardError('others'));
  return withLog(log, async () => (await import('./run-processes.ts')).runProcesses(options, text, log));
}

async function withLog(log: MainLog, run: () => Promise<number>): Promise<number> {
  endOnUncaught(log, 'main');
  try {
    return await run();
  } finally {
    log.flush();
  }
}

function refuse(errors: readonly string[]): number {
  for (const error of errors) process.stderr.write(`${error}\n`);
  return 2;
}
