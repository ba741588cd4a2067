/** One round of wrk, and its output read. */
import { spawn } from 'node:child_process';
import { ENV } from './process.ts';

export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface LoadShape {
  readonly connections: number;
  readonly path: string;
}

/** Rejects when any request failed: a number with failures in it says nothing. */
export async function wrk(port: number, { connections, path }: LoadShape, seconds: number): Promise<Load> {
  const url = `http://127.0.0.1:${port}${path}`;
  const child = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url], { env: ENV });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject));
  if (code !== 0 || /Socket errors|Non-2xx/.test(output)) throw new Error(`wrk failed:\n${output}`);
  return {
    requests: Number(find(output, /(\d+) requests in/)),
    perSecond: Number(find(output, /Requests\/sec:\s+([\d.]+)/)),
    p50Us: microseconds(find(output, /^\s+50%\s+(\S+)/m)),
    p99Us: microseconds(find(output, /^\s+99%\s+(\S+)/m)),
  };
}

function find(output: string, pattern: RegExp): string {
  const found = pattern.exec(output)?.[1];
  if (found === undefined) throw new Error(`wrk printed no ${pattern}:\n${output}`);
  return found;
}

const UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000 };

function microseconds(text: string): number {
  const [, value = '', unit = ''] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (factor === undefined) throw new Error(`wrk printed a time in ${text}`);
  return Number(value) * factor;
}
