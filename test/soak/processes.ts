/** What a process and all its descendants hold, read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { family } from '../kit/processes.ts';

export interface Holdings {
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly processes: number;
}

export function holdingsOf(root: number): Holdings {
  const held = family(root).map((pid) => ({ rssBytes: rssOf(pid), descriptors: descriptorsOf(pid) }));
  return {
    rssBytes: held.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
    descriptors: held.reduce((sum, { descriptors }) => sum + descriptors, 0),
    processes: held.length,
  };
}

function rssOf(pid: number): number {
  const [, kibibytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(contentsOf(`/proc/${pid}/status`)) ?? [];
  return Number(kibibytes) * 1024;
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

function contentsOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
