/** The programs of the child processes, as they are installed: a newer Cutover may have taken their place. */
import { realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Code {
  readonly control: string;
  readonly worker: string;
  /** Another text for other code. */
  readonly identity: string;
}

/**
 * Looks at what is installed now.
 *
 * @param folder of the running program's code
 * @param extension of its files: `.js`, or `.ts` where the sources run as they are
 * @param launcher how `bin/cutover` was called, before links are followed: they may point at another folder by now
 */
export function installedCode(folder: string, extension: string, launcher: string | undefined): Code {
  const installed = launcher === undefined ? folder : (folderOf(launcher) ?? folder);
  const [control, worker] = [join(installed, `control${extension}`), join(installed, `worker${extension}`)];
  return { control, worker, identity: [control, worker].map(stampOf).join(' ') };
}

/** Null when there is no Cutover with code there. */
function folderOf(launcher: string): string | null {
  try {
    const folder = join(dirname(realpathSync(launcher)), '../dist');
    statSync(join(folder, 'control.js'));
    return folder;
  } catch {
    return null;
  }
}

function stampOf(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path);
    return `${path}:${ino}:${mtimeMs}:${size}`;
  } catch {
    return `${path}:missing`;
  }
}
