/** The application: TiddlyWiki, two published versions from npm, each server on a wiki of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { track } from './children.ts';

const execute = promisify(execFile);
const TOOLS = join(import.meta.dirname, '../.tools/demo');

/** Installs one version into `.tools/demo`; done already, it takes no time. Says whether npm was needed. */
export async function installWiki(version: string): Promise<'installed' | 'there'> {
  const folder = join(TOOLS, `tiddlywiki-${version}`);
  if (installedVersion(folder) === version) return 'there';
  mkdirSync(folder, { recursive: true });
  const options = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder];
  await execute('npm', ['install', ...options, `tiddlywiki@${version}`]);
  if (installedVersion(folder) !== version) throw new Error(`npm did not install tiddlywiki ${version}`);
  return 'installed';
}

export interface Wiki {
  readonly version: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

/** Starts one server on a wiki made for it inside `folder`; resolves when it listens. */
export async function startWiki(version: string, folder: string, port: number): Promise<Wiki> {
  const program = join(TOOLS, `tiddlywiki-${version}`, 'node_modules/tiddlywiki/tiddlywiki.js');
  const wiki = join(folder, `wiki-${version}`);
  await execute(process.execPath, [program, wiki, '--init', 'server']);
  const child = spawn(process.execPath, [program, wiki, '--listen', 'host=127.0.0.1', `port=${port}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = track(child);
  await listening(child, version);
  return {
    version,
    port,
    pid: child.pid as number,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function listening(child: ChildProcess, version: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('Serving on')) resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('close', (code) => reject(new Error(`TiddlyWiki ${version} ended with code ${code}:\n${output}`)));
  });
}

function installedVersion(folder: string): string | null {
  try {
    const text = readFileSync(join(folder, 'node_modules/tiddlywiki/package.json'), 'utf8');
    return (JSON.parse(text) as { readonly version: string }).version;
  } catch {
    return null;
  }
}
