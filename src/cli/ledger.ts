/** `cutover ledger [ID]`: what became of releases, and why. */
import type { Command } from 'commander';
import type { LedgerView } from '../client.ts';
import { clientFor, type TargetFlags, withTarget } from './target.ts';
import type { Terminal } from './terminal.ts';
import { nonEmpty } from './values.ts';

interface LedgerFlags extends TargetFlags {
  readonly json?: true;
}

export function ledgerCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('ledger')
    .description('show what became of releases, the latest first')
    .argument('[id]', 'id of one version', nonEmpty)
    .option('--json', 'as the config service gives them');
  withTarget(command).action(async (id: string | undefined, flags: LedgerFlags) => {
    const client = await clientFor(flags, terminal);
    const releases = await client.ledger(id);
    terminal.out(flags.json === true ? `${JSON.stringify(releases, null, 2)}\n` : releases.map(paragraph).join('\n'));
  });
}

/** In the order in which the log tells them. */
const COUNTS: Readonly<Record<keyof LedgerView['counts'], string>> = {
  requests: 'requests',
  replays: 'replays',
  absorbed: 'absorbed',
  blamed: 'blamed',
  shared: 'shared',
  unpaired: 'unpaired',
  notReplayable: 'not replayable',
  budgetRefused: 'refused by the budget',
};

function paragraph(release: LedgerView): string {
  const { counts, decided, decision, rule, reason } = release;
  const end = decided === null ? 'goes on' : `${decision} at ${decided} by rule ${rule}: ${reason}`;
  const counted = Object.entries(COUNTS).map(([key, words]) => `${counts[key as keyof typeof counts]} ${words}`);
  return [
    `${release.version} ${release.mode} ${release.id}`,
    `  ${end}`,
    `  begun ${release.begun}, against ${release.against === null ? 'nothing' : `version ${release.against}`}`,
    `  ${counted.join(', ')}`,
    '',
  ].join('\n');
}
