/** `workers: 0`: one process does everything, until a signal ends it. */
import { assemble } from './assemble.ts';
import { echoConfig } from './core/config/echo.ts';
import type { LoadedConfig } from './load-config.ts';
import { refuseHangup, untilEnded } from './signals.ts';
import { StateFault } from './store/fault.ts';
import type { ProcessLog } from './system/log.ts';

/** Resolves with the exit code; never rejects. */
export async function runAlone(loaded: LoadedConfig, log: ProcessLog): Promise<number> {
  const { config, text, warnings } = loaded;
  try {
    const cutover = await assemble(config, log);
    log.always(
      'NOTICE',
      'main',
      echoConfig(config, text, { proxy: cutover.proxyPort, configService: cutover.configPort }),
    );
    for (const warning of warnings) log.write('WARNING', 'config', warning);
    return await untilEnded(cutover, log, refuseHangup(log));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof StateFault && error.kind === 'unusable' ? 2 : 1;
  }
}
