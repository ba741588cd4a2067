/** Cutover installed in a folder of its own, as a newer one would be beside or over an older one. */
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/**
 * Copies the built Cutover to `install/name`, over what was there, and makes `install/current` point at it. Gives the program that is
 * called by that link.
 */
export function installAt(install: string, name: string): string {
  const folder = join(install, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  for (const part of ['node_modules', '.tools']) symlinkSync(join(ROOT, part), join(folder, part));
  symlinkSync(name, join(install, 'next'));
  renameSync(join(install, 'next'), join(install, 'current'));
  return join(install, 'current/bin/cutover');
}
