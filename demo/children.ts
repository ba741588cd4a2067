/** The processes that the demo has started: all of them end with it, however it ends. */
import type { ChildProcess } from 'node:child_process';

const running = new Map<ChildProcess, Promise<void>>();

/** Remembers a child; resolves when it is gone. */
export function track(child: ChildProcess): Promise<void> {
  const exited = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  }).then(() => void running.delete(child));
  running.set(child, exited);
  return exited;
}

/** Ends one child: SIGTERM, and SIGKILL when it takes longer than `patienceMs`. */
export async function endChild(child: ChildProcess, patienceMs = 5000): Promise<void> {
  const exited = running.get(child);
  if (!exited) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await exited;
  clearTimeout(timer);
}

/** Ends whatever still runs. */
export async function endAll(): Promise<void> {
  await Promise.all([...running.keys()].map((child) => endChild(child, 2000)));
}
