/** `workers: 0`: one process does everything, until a signal ends it. */
import type { ReloadResult } from './api/contract.ts';
import { assemble, type Cutover } from './assemble.ts';
import { echoConfig } from './core/config/echo.ts';
import type { Config } from './core/config/model.ts';
import { allButCluster, type LoadedConfig, loadConfig } from './load-config.ts';
import type { RunOptions } from './main.ts';
import { untilEnded } from './signals.ts';
import { StateFault } from './store/fault.ts';
import type { Log } from './system/log.ts';

/** Resolves with the exit code; never rejects. */
export async function runAlone(options: RunOptions, loaded: LoadedConfig, log: Log): Promise<number> {
  const { config, text, warnings } = loaded;
  const reload = async (): Promise<ReloadResult> => {
    const result = cutover === null ? NOT_YET : await applied(cutover, options.configFile, config);
    if (result.ok) log.write('NOTICE', 'main', `Reloaded: ${result.text}`);
    else log.write('ERROR', 'main', `Reload failed, everything is as before: ${result.text}`);
    return result;
  };
  let cutover: Cutover | null = null;
  try {
    cutover = await assemble(config, log, reload);
    log.always(
      'NOTICE',
      'main',
      echoConfig(config, text, { proxy: cutover.proxyPort, configService: cutover.configPort }),
    );
    for (const warning of warnings) log.write('WARNING', 'config', warning);
    return await untilEnded(cutover, log, () => void reload());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof StateFault && error.kind === 'unusable' ? 2 : 1;
  }
}

const NOT_YET: ReloadResult = { ok: false, text: 'Cutover is starting' };

/** There is no other process to take over: a version can be put, and that is all. */
async function applied(cutover: Cutover, file: string, before: Config): Promise<ReloadResult> {
  const loaded = loadConfig(file);
  if (!loaded.ok) return { ok: false, text: loaded.errors.join('; ') };
  if (allButCluster(loaded.config) === allButCluster(before)) return cutover.apply(loaded.config);
  return { ok: false, text: 'With "workers": 0 anything but "cluster" can be changed by a restart only' };
}
