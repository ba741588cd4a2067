/** One round of wrk: as many requests as a proxy can take from so many connections. */
import { join } from 'node:path';
import { runProgram } from '../process.ts';

export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

export interface LoadShape {
  readonly connections: number;
  readonly path: string;
  /** Field lines of each request. */
  readonly fields?: readonly string[];
  /** The length of the body of each request, which is then a POST. */
  readonly postBytes?: number;
  /** A file of `Cookie` values, a line for each client; requests take them in turn. */
  readonly cookieFile?: string;
}

const SCRIPT = join(import.meta.dirname, 'wrk.lua');

/** The command, as a reader can repeat it. */
export function wrkCommand(shape: LoadShape, seconds: number): string {
  const parts = wrkArguments(shape, seconds, 'http://127.0.0.1:PORT');
  const shown = parts.map((part) => (part === SCRIPT ? 'bench/load/wrk.lua' : part.includes(' ') ? `'${part}'` : part));
  return ['wrk', ...shown].join(' ');
}

/** Rejects when any request failed: a number with failures in it says nothing. */
export async function wrk(port: number, shape: LoadShape, seconds: number): Promise<Load> {
  const output = await runProgram('wrk', wrkArguments(shape, seconds, `http://127.0.0.1:${port}`));
  const found = /^RESULT (.*)$/m.exec(output)?.[1];
  if (found === undefined) throw new Error(`wrk printed no result:\n${output}`);
  const result = JSON.parse(found) as Load & { readonly tookUs: number; readonly failed: number };
  if (result.failed > 0 || result.requests === 0) throw new Error(`Requests failed:\n${output}`);
  return { ...result, perSecond: (result.requests * 1_000_000) / result.tookUs };
}

function wrkArguments(shape: LoadShape, seconds: number, url: string): readonly string[] {
  const { connections, path, fields = [], postBytes, cookieFile } = shape;
  const extra = cookieFile === undefined ? [] : ['cookies', cookieFile];
  if (postBytes !== undefined) extra.push('post', String(postBytes));
  return [
    ...['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '-s', SCRIPT],
    ...fields.flatMap((field) => ['-H', field]),
    `${url}${path}`,
    ...(extra.length > 0 ? ['--', ...extra] : []),
  ];
}
