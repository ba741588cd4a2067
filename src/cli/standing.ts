/** What is said of a version that was put, beside its id. */
import type { Client } from '../client.ts';
import { Failure, type Terminal } from './terminal.ts';

/** A line on standard error where it does not serve yet; a failure where it never will. */
export async function tellStanding(client: Client, id: string, terminal: Terminal): Promise<void> {
  const status = await client.status(id).catch(() => null);
  if (status === null) return;
  const { phase, version, reason } = status;
  if (phase === 'failed') throw new Failure(`Version ${version} has failed: ${reason}`, 1);
  if (phase === 'starting') terminal.err(`Version ${version} is still starting: ${reason}. ${FOLLOW}\n`);
}

const FOLLOW = 'Older versions have the traffic; "cutover status ID" tells what becomes of it';
