/** What the parts of the test driver are made of: single checks, and runs of vitest. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Counts {
  passed: number;
  failed: number;
}

/** Runs checks side by side, each counting as one test, and prints how each went. */
export async function checks(list: Readonly<Record<string, () => Promise<unknown>>>): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0 };
  await Promise.all(
    Object.entries(list).map(async ([name, check]) => {
      try {
        await check();
        counts.passed += 1;
        console.log(` ✓ ${name}`);
      } catch (error) {
        counts.failed += 1;
        console.log(` × ${name}\n${error instanceof Error ? error.message : String(error)}`);
      }
    }),
  );
  return counts;
}

export interface VitestRun {
  readonly projects: readonly string[];
  /** The run is ended, and fails, after this time. */
  readonly limitS: number;
  readonly node?: string;
  readonly coverage?: 'on';
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/** Runs some projects of vitest.config.ts and counts their tests; a file that can't be loaded counts as failed. */
export async function vitest({ projects, limitS, node = process.execPath, coverage }: VitestRun): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-test-'));
  const report = join(folder, 'report.json');
  try {
    const args = ['node_modules/vitest/vitest.mjs', 'run', ...projects.flatMap((name) => ['--project', name])];
    args.push('--reporter=default', '--reporter=json', `--outputFile.json=${report}`);
    if (coverage === 'on') args.push('--coverage');
    const exitCode = await runToEnd(node, args, limitS);
    const result = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
    const empty = result.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
    const counts = { passed: result.numPassedTests, failed: result.numFailedTests + empty.length };
    if (result.numPendingTests > 0) console.log(`${result.numPendingTests} skipped`);
    // An error outside any test, or a run that was ended.
    if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
    return counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a program to its end; rejects with what it printed when it fails. Resolves with its standard output. */
export function run(program: string, args: readonly string[], errors: 'loud' | 'quiet' = 'loud'): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', errors === 'loud' ? 'pipe' : 'ignore'] });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  child.on('error', reject);
  child.on('close', (code) => (code === 0 ? resolve(printed) : reject(new Error(printed))));
  return promise;
}

/** Runs a program in a process group of its own, which is ended with it when it takes too long. */
function runToEnd(program: string, args: readonly string[], limitS: number): Promise<number> {
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const limit = setTimeout(() => {
    console.error(`Ended after ${limitS} s`);
    end();
  }, limitS * 1000);
  // Interrupted, we take the group with us: it is not the terminal's.
  const interrupted = () => {
    end();
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  child.on('error', reject);
  child.on('close', (code) => resolve(code ?? 1));
  return promise.finally(() => {
    clearTimeout(limit);
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
  });
}
