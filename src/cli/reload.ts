/** `cutover reload`: has the running proxy read its configuration again; says what came of it, and of the version that it put. */
import type { Command } from 'commander';
import { tellingProgress } from './put-progress.ts';
import { tellStanding } from './standing.ts';
import { clientFor, type TargetFlags, withTarget } from './target.ts';
import type { Terminal } from './terminal.ts';

/** New processes are started and have to prove themselves. */
const TIMEOUT_MS = 120_000;

export function reloadCommand(program: Command, terminal: Terminal): void {
  const command = program.command('reload').description('read the configuration again, and start newly installed code');
  withTarget(command).action(async (flags: TargetFlags) => {
    const client = await clientFor(flags, terminal, TIMEOUT_MS);
    const { text, put } = await client.reload();
    terminal.out(`${text}\n`);
    if (put === null) return;
    const { containers } = (await client.show(put).catch(() => null))?.cluster ?? {};
    // As with `put`: what has servers is waited for a while, what has containers until it serves.
    if (containers !== undefined) await tellingProgress(terminal, (told) => client.follow(put, told));
    await tellStanding(client, put, terminal);
  });
}
