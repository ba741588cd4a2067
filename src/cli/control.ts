/** `cutover promote|pause|resume|rollback ID`: decides about a release; says nothing when that went well. */
import type { Command } from 'commander';
import type { Control } from '../client.ts';
import { clientFor, type TargetFlags, withTarget } from './target.ts';
import type { Terminal } from './terminal.ts';
import { nonEmpty } from './values.ts';

interface ControlFlags extends TargetFlags {
  readonly reason?: string;
}

const DESCRIPTIONS: Readonly<Record<Control, string>> = {
  promote: 'release a version now; once it is released, trust it now',
  pause: 'stop a release where it stands',
  resume: 'let a paused release go on',
  rollback: 'take a version on trial back, or go back from the stable one to the version before it',
};

export function controlCommands(program: Command, terminal: Terminal): void {
  for (const [name, description] of Object.entries(DESCRIPTIONS) as [Control, string][]) {
    const command = program
      .command(name)
      .description(description)
      .argument('<id>', 'id of the version', nonEmpty)
      .option('--reason <text>', 'why, for the log and the ledger', nonEmpty);
    withTarget(command).action(async (id: string, flags: ControlFlags) => {
      const client = await clientFor(flags, terminal);
      await client.control(id, name, flags.reason);
    });
  }
}
