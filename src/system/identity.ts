/**
 * Who this Cutover is where no state says so: the next process with the same configuration file, machine and port is the same one, and
 * there is never more than one of them at a time, since the port is bound by then.
 */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';

/** One line, for a label. @param port of the config service; with 0, any free one, nobody can be told from others: null */
export function ownerOf(configFile: string, port: number): string | null {
  return port === 0 ? null : `${hostname()}:${port} ${resolve(configFile)}`;
}

/** The same id for the same `cluster`, with the digits of a version-1 UUID. */
export function idFor(owner: string, cluster: unknown): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([owner, cluster]))
    .digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `1${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
