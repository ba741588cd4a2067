/** What /proc tells of processes: a program together with everything it has started. */
import { readdirSync, readFileSync } from 'node:fs';

/** The process and its living descendants. */
export function family(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(family)];
}

/** How many files and sockets they have open together. */
export function openFiles(pid: number): number {
  return family(pid).reduce((sum, member) => sum + readdirSync(`/proc/${member}/fd`).length, 0);
}

/** Resolves as soon as they have at most so many open; another process has no event to offer. */
export async function untilOpenFiles(pid: number, most: number): Promise<void> {
  while (openFiles(pid) > most) await new Promise((resolve) => setTimeout(resolve, 20));
}

export interface Children {
  readonly control: readonly number[];
  readonly workers: readonly number[];
}

/** The living children of a main process; on Linux. */
export function childrenOf(main: number): Children {
  const pids = readFileSync(`/proc/${main}/task/${main}/children`, 'utf8')
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map(Number);
  const running = (program: string) => pids.filter((pid) => commandOf(pid).includes(program));
  return { control: running('control.js'), workers: running('worker.js') };
}

/** '' when the process is gone. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
