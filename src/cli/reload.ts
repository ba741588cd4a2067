/** `cutover reload`: has the running proxy read its configuration again; says what came of it. */
import type { Command } from 'commander';
import { clientFor, type TargetFlags, withTarget } from './target.ts';
import type { Terminal } from './terminal.ts';

/** New processes are started and have to prove themselves. */
const TIMEOUT_MS = 120_000;

export function reloadCommand(program: Command, terminal: Terminal): void {
  const command = program.command('reload').description('read the configuration again, and start newly installed code');
  withTarget(command).action(async (flags: TargetFlags) => {
    terminal.out(`${await clientFor(flags, terminal, TIMEOUT_MS).reload()}\n`);
  });
}
