/** A real image registry on a free port of loopback, with credentials where a test asks for them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, progress } from './engine.ts';

export const CREDENTIALS = { username: 'puller', password: 'let me pull' } as const;
/** The line of `CREDENTIALS` in a htpasswd file; the registry takes bcrypt only. */
const HTPASSWD = 'puller:$2b$05$abcdefghijklmnopqrstuuQ5uHXmQielkUEyjpRkKe/7BM2puKiKa\n';

export interface Registry {
  /** `127.0.0.1:port`: what images' names begin with. */
  readonly host: string;
  /** Gives a local image this name in the registry (`app:1`) and pushes it; resolves with its whole reference and its digest. */
  push(engine: Engine, image: string, name: string): Promise<{ readonly reference: string; readonly digest: string }>;
  /** Ends it; what was pushed stays for `start`. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** @param access `credentials`: pulls and pushes need `CREDENTIALS` */
export async function startRegistry(access: 'open' | 'credentials' = 'open'): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-registry-'));
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'htpasswd'), HTPASSWD);
  let program = await startProgram(folder, access, 0);
  const { port } = program;
  const host = `127.0.0.1:${port}`;
  const authorization = access === 'credentials' ? { ...CREDENTIALS, serveraddress: host } : {};
  return {
    host,
    push: async ({ docker }, image, name) => {
      const [repository, tag] = name.split(':') as [string, string];
      const reference = `${host}/${name}`;
      await docker.getImage(image).tag({ repo: `${host}/${repository}`, tag });
      const stream = await docker.getImage(reference).push({ authconfig: authorization });
      const said = await progress(stream);
      const digest = said.map((line) => (line.aux as { Digest?: string } | undefined)?.Digest).find((text) => text);
      if (digest === undefined) throw new Error(`Pushing ${reference} told no digest`);
      return { reference, digest };
    },
    stop: () => program.stop(),
    start: async () => {
      program = await startProgram(folder, access, port);
    },
    remove: async () => {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Program {
  readonly port: number;
  stop(): Promise<void>;
}

async function startProgram(folder: string, access: 'open' | 'credentials', port: number): Promise<Program> {
  const file = join(folder, 'config.json');
  const auth = { htpasswd: { realm: 'images', path: join(folder, 'htpasswd') } };
  // JSON is YAML too.
  const config = {
    version: '0.1',
    log: { level: 'info', formatter: 'json' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}` },
    ...(access === 'credentials' ? { auth } : {}),
  };
  writeFileSync(file, JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  return {
    port: await listeningPort(child),
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Reads the port from the registry's own log. */
function listeningPort(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4000);
    const found = /listening on [^"]*:(\d+)/.exec(log);
    if (found) resolve(Number(found[1]));
  });
  child.once('error', reject);
  child.once('exit', () => reject(new Error(`docker-registry did not start: ${log}`)));
  return promise;
}
