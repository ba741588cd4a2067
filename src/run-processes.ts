/** Cutover as several processes: this one is main, which was started, holds the sockets and keeps its pid. */
import { dirname, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from './core/config/model.ts';
import { portFaultText } from './core/port-fault.ts';
import type { LoadedConfig } from './load-config.ts';
import type { RunOptions } from './main.ts';
import type { MainLog } from './main-log.ts';
import { installedCode } from './processes/code.ts';
import { ProcessFault } from './processes/control-process.ts';
import { type Sockets, Supervisor } from './processes/supervisor.ts';
import { untilEnded } from './signals.ts';
import { takeLock } from './store/lock.ts';
import { realClock } from './system/clock.ts';
import { realFiles } from './system/files.ts';
import { bindSocket } from './system/listening-socket.ts';

/** Resolves with the exit code; never rejects. */
export async function runProcesses(options: RunOptions, loaded: LoadedConfig, log: MainLog): Promise<number> {
  try {
    const folder = dirname(fileURLToPath(import.meta.url));
    const supervisor = new Supervisor({
      clock: realClock,
      log,
      code: () => installedCode(folder, extname(import.meta.url), process.env.CUTOVER_PROGRAM),
      load: {
        kind: 'load',
        path: options.configFile,
        text: loaded.text,
        level: options.logLevel,
        format: options.logFormat,
      },
      sockets: await bindSockets(loaded.config),
      bind: (what, { hostname: host, port }) => bindOrTell(what, { host, port }),
      onSettings: (settings) => log.use(settings.log),
    });
    await supervisor.start();
    const running = { drain: () => supervisor.drain(), close: () => supervisor.cut() };
    return await untilEnded(running, log, () => void supervisor.reload());
  } catch (error) {
    const lines =
      error instanceof ProcessFault ? error.lines : [error instanceof Error ? error.message : String(error)];
    log.flush();
    for (const line of lines) process.stderr.write(`${line}\n`);
    return error instanceof ProcessFault ? error.exitCode : 1;
  }
}

async function bindSockets(config: Config): Promise<Sockets> {
  const configService = await bind('config service', config.configService, config);
  try {
    return { configService, proxy: await bind('proxy', config.proxy, config) };
  } catch (error) {
    configService.close();
    throw error;
  }
}

interface Address {
  readonly hostname: string;
  readonly port: number;
}

async function bind(what: 'config service' | 'proxy', { hostname: host, port }: Address, config: Config) {
  return bindOrTell(what, { host, port }).catch(async (error: Error) => {
    await refuseSecond(config);
    throw error;
  });
}

async function bindOrTell(what: 'config service' | 'proxy', at: { readonly host: string; readonly port: number }) {
  return bindSocket(at.host, at.port).catch((error: NodeJS.ErrnoException) => {
    throw new Error(portFaultText(what, at, error));
  });
}

/** A port that is taken may be taken by a Cutover on the very same state: that says more. */
async function refuseSecond({ state }: Config): Promise<void> {
  const path = state?.file ?? null;
  if (path === null) return;
  const realPath = await realFiles.realPath(path).catch(() => null);
  if (realPath === null) return;
  const lock = await takeLock(realPath);
  if (lock === null) throw new Error(`The state ${JSON.stringify(realPath)} is in use by another Cutover`);
  await lock.release();
}
