/** File descriptors, of which each connection takes one. */
import { readFileSync } from 'node:fs';

/** How many this process may have open at a time; Infinity where the system does not say. */
export function openFilesMax(): number {
  try {
    // Node has raised the soft limit to the hard one when it started.
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return found === null ? Number.POSITIVE_INFINITY : Number(found[1]);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
