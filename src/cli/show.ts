import type { Command } from 'commander';
import { clientFor, type TargetFlags, withTarget } from './target.ts';
import type { Terminal } from './terminal.ts';
import { nonEmpty } from './values.ts';

/** `cutover show ID`: one version as JSON. */
export function showCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('show')
    .description('show one version')
    .argument('<id>', 'id of the version', nonEmpty);
  withTarget(command).action(async (id: string, flags: TargetFlags) => {
    const client = await clientFor(flags, terminal);
    const version = await client.show(id);
    terminal.out(`${JSON.stringify(version, null, 2)}\n`);
  });
}
