/** Cutover as several processes: this one is main, which was started, holds the sockets and keeps its pid. */
import { dirname, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunOptions } from './main.ts';
import type { MainLog } from './main-log.ts';
import { MainSockets } from './main-sockets.ts';
import { installedCode } from './processes/code.ts';
import { ProcessFault } from './processes/control-process.ts';
import { Supervisor } from './processes/supervisor.ts';
import { untilEnded } from './signals.ts';
import { realClock } from './system/clock.ts';
import { passedSockets, serviceManager } from './system/service-manager.ts';

/**
 * Resolves with the exit code; never rejects.
 *
 * @param text of the configuration file
 */
export async function runProcesses(options: RunOptions, text: string, log: MainLog): Promise<number> {
  try {
    const folder = dirname(fileURLToPath(import.meta.url));
    const manager = serviceManager(process.env, log);
    const sockets = new MainSockets(passedSockets(process.env, process.pid));
    const supervisor = new Supervisor({
      clock: realClock,
      log,
      code: () => installedCode(folder, extname(import.meta.url), process.env.CUTOVER_PROGRAM),
      load: {
        kind: 'load',
        path: options.configFile,
        text,
        level: options.logLevel,
        format: options.logFormat,
      },
      open: ({ settings, state }) => sockets.open(settings, state),
      bind: (what, address) => sockets.bind(what, address),
      onReload: (stage) => (stage === 'begins' ? manager.reloading() : manager.ready()),
      onSettings: (settings) => log.use(settings.log),
    });
    await supervisor.start();
    manager.ready();
    const running = {
      drain: () => {
        manager.stopping();
        return supervisor.drain();
      },
      close: () => supervisor.cut(),
    };
    return await untilEnded(running, log, () => void supervisor.reload());
  } catch (error) {
    const lines =
      error instanceof ProcessFault ? error.lines : [error instanceof Error ? error.message : String(error)];
    log.flush();
    for (const line of lines) process.stderr.write(`${line}\n`);
    return error instanceof ProcessFault ? error.exitCode : 1;
  }
}
