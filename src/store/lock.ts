/**
 * One Cutover per state. The lock is an abstract unix socket (unix(7)) that is named after the state's real path: it stands
 * in no folder, two processes can't have it at once, and the kernel takes it back when its process ends, however it ends.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';

export interface Lock {
  release(): Promise<void>;
}

/** Takes the lock of the state at `realPath`. Null when another process has it, or this one already. */
export function takeLock(realPath: string): Promise<Lock | null> {
  // Elsewhere there are no abstract sockets, and a lock file would outlive a killed process.
  if (process.platform !== 'linux') return Promise.resolve({ release: () => Promise.resolve() });
  const name = createHash('sha256').update(realPath).digest('hex');
  const holder = createServer((socket) => socket.destroy());
  holder.unref();
  return new Promise((resolve, reject) => {
    holder.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    holder.listen({ path: `\0cutover:${name}`, exclusive: true }, () => {
      resolve({ release: () => new Promise((released) => holder.close(() => released())) });
    });
  });
}
