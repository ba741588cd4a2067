/** Debian packages that tests and benches need; nothing is done where their commands are there already. */
import { spawnSync } from 'node:child_process';

/** By command, the package that has it, or several with blanks between. Throws with one line that says what is missing when it can't be had. */
export function ensureCommands(packages: Readonly<Record<string, string>>): void {
  const missing = Object.keys(packages).filter((command) => !hasCommand(command));
  if (missing.length === 0) return;
  const names = [...new Set(missing.flatMap((command) => (packages[command] as string).split(' ')))];
  const wanted = names.join(' ');
  if (process.getuid?.() !== 0) throw new Error(`Missing: apt-get install ${wanted} (as root)`);
  // RUNLEVEL=1 keeps the packages' services from starting: only the commands are wanted.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'inherit' });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env, stdio: 'inherit' });
  const still = missing.filter((command) => !hasCommand(command));
  if (still.length > 0) throw new Error(`Installing ${wanted} failed, ${still.join(', ')} cannot be found`);
}

export function hasCommand(command: string): boolean {
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
  return spawnSync('sh', ['-c', `command -v ${command}`], { env }).status === 0;
}
