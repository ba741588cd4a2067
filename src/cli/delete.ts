import type { Command } from 'commander';
import { clientFor, type TargetFlags, withTarget } from './target.ts';
import type { Terminal } from './terminal.ts';
import { nonEmpty } from './values.ts';

/** `cutover delete ID`: deletes one version; says nothing when that went well. */
export function deleteCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('delete')
    .description('delete one version')
    .argument('<id>', 'id of the version', nonEmpty);
  withTarget(command).action(async (id: string, flags: TargetFlags) => {
    const client = await clientFor(flags, terminal);
    await client.delete(id);
  });
}
