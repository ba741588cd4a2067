/** A disk that a test can fill. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './cutover.ts';

export interface TinyDisk {
  readonly folder: string;
  /** Takes all room that is left. */
  fill(): void;
  /** Gives it back. */
  makeRoom(): void;
}

/** A file system of its own of 64 KiB for this test, or null when it can't be had. */
export function tinyDisk(): TinyDisk | null {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  const ballast = join(folder, 'ballast');
  return { folder, fill: () => fill(ballast), makeRoom: () => rmSync(ballast) };
}

function fill(path: string): void {
  for (let kiB = 1; ; kiB += 1) {
    try {
      writeFileSync(path, Buffer.alloc(1024), { flag: 'a' });
    } catch {
      return;
    }
    if (kiB > 1024) throw new Error('The disk does not fill');
  }
}
