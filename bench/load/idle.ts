/** Connections on which nothing happens, held by a process of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const CLIENT = join(import.meta.dirname, 'idle-client.ts');

/** Resolves with what closes them, when all stand and have had one answer. */
export async function openIdle(port: number, count: number): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [CLIENT, String(port), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit');
  const isReady = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!isReady) throw new Error(`Opening ${count} connections to port ${port} failed`);
  return async () => {
    kill();
    await ended;
    process.off('exit', kill);
  };
}
