/** A version of the application as the harness sees it: a child process with ports, and what it applied. */
import { fork } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Orders } from './application.ts';

export interface RunningVersion {
  /** One per server. */
  readonly ports: readonly number[];
  /** How often each request was read whole. */
  applied(): ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

/** @param folder where the list of applied requests is kept */
export async function startVersion(folder: string, orders: Orders): Promise<RunningVersion> {
  const file = join(folder, `applied-${orders.version}`);
  const list = openSync(file, 'a');
  const child = fork(join(import.meta.dirname, 'application.ts'), [JSON.stringify(orders)], {
    stdio: ['ignore', 'inherit', 'inherit', list, 'ipc'],
    execArgv: [],
  });
  closeSync(list);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ports = await new Promise<readonly number[]>((resolve, reject) => {
    child.once('message', (message) => resolve(message as readonly number[]));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The application ended with ${code}`)));
  });
  return {
    ports,
    applied: () => countsOf(readFileSync(file, 'utf8')),
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function countsOf(list: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const id of list.split('\n')) {
    if (id !== '') counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}
