/** `workers: 0`: one process does everything, until a signal ends it. */
import type { ReloadResult } from './api/contract.ts';
import { assemble, type Cutover } from './assemble.ts';
import type { ShowLive } from './control/start-view.ts';
import { echoConfig } from './core/config/echo.ts';
import type { Config } from './core/config/model.ts';
import { allButCluster, type LoadedConfig, loadConfig } from './load-config.ts';
import type { RunOptions } from './main.ts';
import { untilEnded } from './signals.ts';
import { StateFault } from './store/fault.ts';
import { ownerOf } from './system/identity.ts';
import { socketOfDescriptor } from './system/listening-socket.ts';
import type { Log } from './system/log.ts';
import { type PassedSockets, passedSockets, serviceManager } from './system/service-manager.ts';

interface Around {
  readonly log: Log;
  readonly live: ShowLive | null;
}

/** Resolves with the exit code; never rejects. */
export async function runAlone(options: RunOptions, loaded: LoadedConfig, { log, live }: Around): Promise<number> {
  const { config, text, warnings } = loaded;
  const manager = serviceManager(process.env, log);
  const reload = async (): Promise<ReloadResult> => {
    manager.reloading();
    const result = cutover === null ? NOT_YET : await applied(cutover, options.configFile, config);
    manager.ready();
    if (result.ok) log.always('NOTICE', 'main', `Reloaded: ${result.text}`);
    else log.write('ERROR', 'main', `Reload failed, everything is as before: ${result.text}`);
    return result;
  };
  let cutover: Cutover | null = null;
  try {
    const passed = passedSockets(process.env, process.pid);
    const owner = config.state === null ? ownerOf(options.configFile, config.configService.port) : null;
    cutover = await assemble(config, log, { reload, live, owner, sockets: handlesOf(passed) });
    log.always(
      'NOTICE',
      'main',
      echoConfig(config, text, { proxy: cutover.proxyPort, configService: cutover.configPort }),
    );
    for (const warning of warnings) log.write('WARNING', 'config', warning);
    manager.ready();
    const running = cutover;
    const drain = (): Promise<void> => {
      manager.stopping();
      return running.drain();
    };
    return await untilEnded({ drain, close: () => running.close() }, log, () => void reload());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof StateFault && error.kind === 'unusable' ? 2 : 1;
  }
}

function handlesOf({ proxy, config }: PassedSockets): { readonly proxy?: object; readonly configService?: object } {
  return {
    ...(proxy !== null && { proxy: socketOfDescriptor(proxy).handle }),
    ...(config !== null && { configService: socketOfDescriptor(config).handle }),
  };
}

const NOT_YET: ReloadResult = { ok: false, text: 'Cutover is starting' };

/** There is no other process to take over: a version can be put, and that is all. */
async function applied(cutover: Cutover, file: string, before: Config): Promise<ReloadResult> {
  const loaded = loadConfig(file);
  if (!loaded.ok) return { ok: false, text: loaded.errors.join('; ') };
  if (allButCluster(loaded.config) === allButCluster(before)) return cutover.apply(loaded.config);
  return { ok: false, text: 'With "workers": 0 anything but "cluster" can be changed by a restart only' };
}
