import type { Command } from 'commander';
import { Failure, type Terminal } from './terminal.ts';

/** `cutover check FILE`: is this a configuration that the proxy would start with? */
export function checkCommand(program: Command, terminal: Terminal): void {
  program
    .command('check')
    .description('check a configuration file')
    .argument('<file>', 'configuration file')
    .action(async (file: string) => {
      const { loadConfig } = await import('../load-config.ts');
      const loaded = loadConfig(file);
      if (!loaded.ok) throw new Failure(loaded.errors.join('\n'), 2);
      for (const warning of loaded.warnings) terminal.err(`${file}: Warning: ${warning}\n`);
      terminal.out(`${file}: OK\n`);
    });
}
