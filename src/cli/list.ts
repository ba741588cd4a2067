/** `cutover list`: the versions, newest first. */
import type { Command } from 'commander';
import { type Client, ClientError, type VersionView } from '../client.ts';
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
    const client = await clientFor(flags, terminal);
    const versions = await client.list();
    if (flags.json === true) terminal.out(`${JSON.stringify(versions, null, 2)}\n`);
    else terminal.out(table(versions, await Promise.all(versions.map(({ cluster }) => phaseOf(client, cluster.uuid)))));
  });
}

/** A version may go, and be forgotten, between two calls. */
async function phaseOf(client: Client, id: string): Promise<string> {
  try {
    return (await client.status(id)).phase;
  } catch (error) {
    if (error instanceof ClientError && error.status === 404) return 'gone';
    throw error;
  }
}

function table(versions: readonly VersionView[], phases: readonly string[]): string {
  const rows = versions.map(({ cluster }, index) => [
    cluster.version,
    phases[index] ?? '',
    String(cluster.upgradeTransition.mode),
    cluster.servers.map((server) => hostPort(server.hostname, server.port)).join(','),
    cluster.uuid,
  ]);
  const lines = [['VERSION', 'PHASE', 'MODE', 'SERVERS', 'ID'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) => `${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`).join('');
}
