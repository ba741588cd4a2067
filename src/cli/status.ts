/** `cutover status ID`: where a version stands, as JSON. */
import type { Command } from 'commander';
import { clientFor, type TargetFlags, withTarget } from './target.ts';
import type { Terminal } from './terminal.ts';
import { nonEmpty } from './values.ts';

export function statusCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('status')
    .description('show where a version stands')
    .argument('<id>', 'id of the version', nonEmpty);
  withTarget(command).action(async (id: string, flags: TargetFlags) => {
    const status = await clientFor(flags, terminal).status(id);
    terminal.out(`${JSON.stringify(status, null, 2)}\n`);
  });
}
