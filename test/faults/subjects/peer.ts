/** What the other proxies have in common: a configuration file with both versions in it, and a process. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../../../bench/process.ts';
import { freePort } from '../../kit/ports.ts';
import type { RunningSubject, Setting } from './subject.ts';

export interface Peer {
  readonly program: string;
  readonly file: string;
  /** The arguments that start it in the foreground. */
  arguments(folder: string, file: string): readonly string[];
  configuration(setting: Setting, port: number): string;
}

export async function startPeer(peer: Peer, setting: Setting): Promise<RunningSubject> {
  const port = await freePort();
  const file = join(setting.folder, peer.file);
  writeFileSync(file, peer.configuration(setting, port));
  const running = await startServer(peer.program, peer.arguments(setting.folder, file), port);
  return {
    port,
    // It was started with both versions: what is measured is the fault, not the reload.
    upgrade: () => Promise.resolve(),
    candidateServes: () => Promise.resolve(null),
    stop: () => running.stop(),
  };
}
