/** Cutover as several processes: this one is main, which was started, holds the sockets and keeps its pid. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from './core/config/model.ts';
import { portFaultText } from './core/port-fault.ts';
import type { LoadedConfig } from './load-config.ts';
import type { RunOptions } from './main.ts';
import { ProcessFault } from './processes/control-process.ts';
import { Supervisor } from './processes/supervisor.ts';
import { refuseHangup, untilEnded } from './signals.ts';
import { takeLock } from './store/lock.ts';
import { realClock } from './system/clock.ts';
import { realFiles } from './system/files.ts';
import { bindSocket, type ListeningSocket } from './system/listening-socket.ts';
import type { ProcessLog } from './system/log.ts';

/** Resolves with the exit code; never rejects. */
export async function runProcesses(options: RunOptions, loaded: LoadedConfig, log: ProcessLog): Promise<number> {
  try {
    const supervisor = new Supervisor({
      clock: realClock,
      log,
      programOf: (name) => fileURLToPath(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url)),
      load: {
        kind: 'load',
        path: options.configFile,
        text: loaded.text,
        level: options.logLevel,
        format: options.logFormat,
      },
      sockets: await bindSockets(loaded.config),
    });
    await supervisor.start();
    const running = { drain: () => supervisor.drain(), close: () => supervisor.cut() };
    return await untilEnded(running, log, refuseHangup(log));
  } catch (error) {
    const lines =
      error instanceof ProcessFault ? error.lines : [error instanceof Error ? error.message : String(error)];
    log.flush();
    for (const line of lines) process.stderr.write(`${line}\n`);
    return error instanceof ProcessFault ? error.exitCode : 1;
  }
}

interface Sockets {
  readonly configService: ListeningSocket;
  readonly proxy: ListeningSocket;
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
  return bindSocket(host, port).catch(async (error: NodeJS.ErrnoException) => {
    await refuseSecond(config);
    throw new Error(portFaultText(what, { host, port }, error));
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
