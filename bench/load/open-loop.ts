/** Load at a fixed rate, by a process of its own. */
import { join } from 'node:path';
import { runProgram } from '../process.ts';
import type { Load } from './wrk.ts';

const CLIENT = join(import.meta.dirname, 'open-loop-client.ts');

interface FixedRate {
  readonly perSecond: number;
  readonly connections: number;
}

export function openLoopCommand({ perSecond, connections }: FixedRate, seconds: number): string {
  return `node bench/load/open-loop-client.ts PORT ${perSecond} ${seconds} ${connections}`;
}

/** Rejects when any request failed. */
export async function openLoop(port: number, { perSecond, connections }: FixedRate, seconds: number): Promise<Load> {
  const args = [CLIENT, port, perSecond, seconds, connections].map(String);
  return JSON.parse(await runProgram(process.execPath, args)) as Load;
}
