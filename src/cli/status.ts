/** `cutover status [ID]`: where a version stands, or what all workers have counted; as JSON. */
import type { Command } from 'commander';
import { clientFor, type TargetFlags, withTarget } from './target.ts';
import type { Terminal } from './terminal.ts';
import { nonEmpty } from './values.ts';

export function statusCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('status')
    .description('show where a version stands; without an id, what the proxy has counted')
    .argument('[id]', 'id of the version', nonEmpty);
  withTarget(command).action(async (id: string | undefined, flags: TargetFlags) => {
    const client = await clientFor(flags, terminal);
    const status = id === undefined ? await client.counters() : await client.status(id);
    terminal.out(`${JSON.stringify(status, null, 2)}\n`);
  });
}
