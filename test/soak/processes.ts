/** What a process and all its descendants hold, read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Holdings {
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly processes: number;
}

export function holdingsOf(root: number): Holdings {
  const held = treeOf(root).map((pid) => ({ rssBytes: rssOf(pid), descriptors: descriptorsOf(pid) }));
  return {
    rssBytes: held.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
    descriptors: held.reduce((sum, { descriptors }) => sum + descriptors, 0),
    processes: held.length,
  };
}

/** The process and its descendants that are alive, parents first. */
function treeOf(root: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) parents.set(Number(name), parentOf(Number(name)));
  const tree = [root];
  for (const known of tree) for (const [pid, parent] of parents) if (parent === known) tree.push(pid);
  return tree;
}

/** 0 when it is gone. The name in parentheses may hold spaces. */
function parentOf(pid: number): number {
  const stat = contentsOf(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
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
