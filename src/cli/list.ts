/** `cutover list`: the versions, newest first. */
import type { Command } from 'commander';
import type { VersionView } from '../client.ts';
import { hostPort } from '../core/config/address.ts';
import { clientFor, type TargetFlags, withTarget } from './target.ts';
import type { Terminal } from './terminal.ts';

interface ListFlags extends TargetFlags {
  readonly json?: true;
}

export function listCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('list')
    .description('list the versions, newest first')
    .option('--json', 'as the config service gives them');
  withTarget(command).action(async (flags: ListFlags) => {
    const versions = await clientFor(flags, terminal).list();
    terminal.out(flags.json === true ? `${JSON.stringify(versions, null, 2)}\n` : table(versions));
  });
}

function table(versions: readonly VersionView[]): string {
  const rows = versions.map(({ cluster }) => [
    cluster.version,
    String(cluster.upgradeTransition.mode),
    cluster.servers.map((server) => hostPort(server.hostname, server.port)).join(','),
    cluster.uuid,
  ]);
  const lines = [['VERSION', 'MODE', 'SERVERS', 'ID'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) => `${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`).join('');
}
