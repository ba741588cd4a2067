/**
 * Cutover as a process: reads the configuration, starts everything, and lives until a signal ends it.
 * Exit codes: 0 after a drain, 1 when something failed (a port or the state is in use, say), 2 when the configuration is wrong or
 * can't be read, or the state can't be read or written.
 */
import { assemble, type Cutover } from './assemble.ts';
import { echoConfig } from './core/config/echo.ts';
import type { LogFormat, LogLevel } from './core/config/model.ts';
import { loadConfig } from './load-config.ts';
import { StateFault } from './store/fault.ts';
import { createLog, type ProcessLog } from './system/log.ts';
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
  const { config, text, warnings } = loaded;
  const log = createLog({
    level: options.logLevel ?? config.log.level ?? 'WARNING',
    format: options.logFormat ?? config.log.format ?? 'text',
    destination: openStandardError(),
  });
  process.on('uncaughtException', (error) => {
    log.write('CRITICAL', 'main', `An unexpected error ends the process: ${error.stack ?? error.message}`);
    log.flush();
    process.exit(1);
  });
  try {
    const cutover = await assemble(config, log);
    log.always(
      'NOTICE',
      'main',
      echoConfig(config, text, { proxy: cutover.proxyPort, configService: cutover.configPort }),
    );
    for (const warning of warnings) log.write('WARNING', 'config', warning);
    return await untilEnded(cutover, log);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof StateFault && error.kind === 'unusable' ? 2 : 1;
  } finally {
    log.flush();
  }
}

/** Drains at the first SIGTERM or SIGINT; a second one ends what is left at once. */
function untilEnded(cutover: Cutover, log: ProcessLog): Promise<number> {
  return new Promise((resolve) => {
    let draining = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (draining) {
        log.write('WARNING', 'main', `${signal} again: what is in flight is cut`);
        void cutover.close().then(() => resolve(1));
        return;
      }
      draining = true;
      log.write('NOTICE', 'main', `${signal}: no new connections, what is in flight finishes`);
      void cutover.drain().then(() => resolve(0));
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    process.on('SIGHUP', () =>
      log.write('WARNING', 'main', 'SIGHUP: this version can not read its configuration anew'),
    );
  });
}
