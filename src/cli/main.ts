/** The program `cutover`: what `bin/cutover` starts. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { showsLiveLines } from '../system/live-lines.ts';
import { runCli } from './program.ts';

// A reader that left (`cutover list | head -1`) is no reason for a stack trace.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  columns: () => (showsLiveLines(process.stderr, process.env) ? process.stderr.columns : null),
  env: process.env,
  version: packageVersion(),
});

// Everything is done; a connection that somebody forgot must not keep the process.
setTimeout(() => process.exit(), 1000).unref();

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version);
}
