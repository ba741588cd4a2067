/** `cutover run`, which is also what `cutover` does by itself: the proxy, until it is told to end. */
import type { Command } from 'commander';
import type { LogFormat, LogLevel } from '../core/config/model.ts';
import { USAGE } from './usage.ts';
import { logFormat, logLevel, nonEmpty } from './values.ts';

interface RunFlags {
  readonly config: string;
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
}

export function runCommand(program: Command, end: (exitCode: number) => void): void {
  const command = program.command('run', { isDefault: true });
  // What is wrong with `cutover -x` is answered with the usage of `cutover`.
  command.helpInformation = () => USAGE;
  command
    .description('start the proxy')
    .option('--config <file>', 'configuration file', nonEmpty, './config.json')
    .option('--log-level <level>', 'CRITICAL, ERROR, WARNING (or WARN), NOTICE, INFO or DEBUG', logLevel)
    .option('--log-format <format>', 'text or json', logFormat)
    .action(async (flags: RunFlags) => {
      // Loaded here alone, so that the other commands start without the whole proxy.
      const { runCutover } = await import('../main.ts');
      end(
        await runCutover({
          configFile: flags.config,
          logLevel: flags.logLevel ?? null,
          logFormat: flags.logFormat ?? null,
        }),
      );
    });
}
