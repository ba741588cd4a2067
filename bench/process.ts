/** Processes that the bench starts: on free ports, in a folder of their own, with their time and memory read from /proc. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { accepts } from '../test/kit/ports.ts';

/** Server programs are not on every user's PATH. */
export const ENV = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };

const started = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

export interface Running {
  readonly pid: number;
  /** Processor time of the process, its living descendants and its waited-for ones, microseconds. */
  cpuUs(): number;
  /** Memory of the process and its living descendants, bytes; what several share counts once (the sum of their PSS). */
  memoryBytes(): number;
  stop(): Promise<void>;
}

/** Starts a server program and waits until its port accepts a connection. */
export async function startServer(
  program: string,
  args: readonly string[],
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const child = spawn(program, args, { env: { ...ENV, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  started.add(child);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  }).finally(() => started.delete(child));
  const isReady = await Promise.race([acceptsSoon(port), ended.then(() => false)]);
  const { pid } = child;
  if (!isReady || pid === undefined) {
    child.kill();
    throw new Error(`${program} ${args.join(' ')} did not start: ${errors}`);
  }
  return {
    pid,
    cpuUs: () => treeCpuUs(pid),
    memoryBytes: () => treeOf(pid).reduce((sum, stat) => sum + pssBytes(stat.pid), 0),
    stop: async () => {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(force);
    },
  };
}

/** True as soon as something listens there; false after 10 s. */
async function acceptsSoon(port: number): Promise<boolean> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; ) {
    if (await accepts(port)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

/** Runs a program to its end; resolves with what it printed, and rejects when it failed. */
export async function runProgram(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { env: ENV, stdio: ['ignore', 'pipe', 'pipe'] });
  started.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('close', resolve).once('error', reject);
  const code = await promise.finally(() => started.delete(child));
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${output}`);
  return output;
}

/** What a command prints on either stream, in one text; '' when it is not there. */
export function outputOf(program: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { env: ENV, encoding: 'utf8' });
  return `${stdout ?? ''}${stderr ?? ''}`.trim();
}

const ticksPerSecond = Number(outputOf('getconf', ['CLK_TCK'])) || 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

function treeCpuUs(root: number): number {
  const ticks = treeOf(root).reduce((sum, stat) => sum + stat.ticks, 0);
  return (ticks * 1_000_000) / ticksPerSecond;
}

/** A process and its living descendants. */
function treeOf(root: number): readonly Stat[] {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== null);
  const tree = new Set([root]);
  for (let size = 0; size !== tree.size; ) {
    size = tree.size;
    for (const { pid, parent } of stats) if (tree.has(parent)) tree.add(pid);
  }
  return stats.filter(({ pid }) => tree.has(pid));
}

function pssBytes(pid: number): number {
  try {
    const kibibytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** See proc(5); null when the process is gone. The name in parentheses may hold spaces. */
function readStat(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15);
    return { pid, parent: fields[1] ?? 0, ticks: utime + stime + cutime + cstime };
  } catch {
    return null;
  }
}
