/** Cutover under test: in this process for the wire tests, as a child from `bin/cutover` for the system tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { LogLevel } from '../../src/core/config/model.ts';
import { type Cutover, startCutover } from '../../src/index.ts';
import type { Log, LogFacts } from '../../src/system/log.ts';
import { putVersion, type WireCluster } from './config-service.ts';
import { freePorts, untilAccepts } from './ports.ts';

export const BIN = join(import.meta.dirname, '../../bin/cutover');

/** A configuration file's object; what a test does not say is left to the defaults. */
export type WireConfig = Readonly<Record<string, unknown>>;

export interface LogLine {
  readonly level: LogLevel;
  readonly component: string;
  readonly text: string;
  readonly facts: LogFacts;
}

/** Keeps every line; `line` waits for one. */
export class CollectedLog implements Log {
  readonly lines: LogLine[] = [];
  #changed = Promise.withResolvers<void>();

  enabled(): boolean {
    return true;
  }

  write(level: LogLevel, component: string, text: string, facts: LogFacts = {}): void {
    this.lines.push({ level, component, text, facts });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  always(level: LogLevel, component: string, text: string): void {
    this.write(level, component, text);
  }

  of(level: LogLevel): readonly string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.text);
  }

  async line(level: LogLevel, pattern: RegExp): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find((line) => line.level === level && pattern.test(line.text));
      if (found) return found;
      await this.#changed.promise;
    }
  }
}

export interface RunningCutover {
  readonly port: number;
  readonly configPort: number;
  readonly log: CollectedLog;
  readonly counters: Cutover['counters'];
  /** PUTs a version and gives its id; fails the test when it is not accepted. */
  put(cluster: WireCluster): Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts Cutover in this process in front of `cluster`, on free ports of loopback, keeping no state.
 * `config` adds to the configuration.
 */
export async function startProxy(cluster: WireCluster, config: WireConfig = {}): Promise<RunningCutover> {
  const log = new CollectedLog();
  const cutover = await startCutover({
    config: {
      proxy: { hostname: '127.0.0.1', port: 0 },
      configService: { hostname: '127.0.0.1', port: 0 },
      state: null,
      ...config,
      cluster,
    },
    log,
  });
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= cutover.close();
    return closing;
  };
  onTestFinished(close);
  return {
    port: cutover.proxyPort,
    configPort: cutover.configPort,
    log,
    counters: cutover.counters,
    put: (added) => putVersion(cutover.configPort, added),
    close,
  };
}

/** `bin/cutover` as a child process. */
export class CutoverProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  stdout = '';
  stderr = '';
  #changed = Promise.withResolvers<void>();

  constructor(args: readonly string[], cwd: string, { shell = '', bin = BIN }: Pick<ChildOptions, 'shell' | 'bin'>) {
    const [file, all] = shell === '' ? [bin, args] : ['/bin/sh', ['-c', `${shell}; exec "$0" "$@"`, bin, ...args]];
    this.child = spawn(file, all, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#tell();
    });
    this.exited = new Promise((resolve) =>
      this.child.once('close', (code, signal) => {
        this.#tell();
        resolve({ code, signal });
      }),
    );
  }

  /** Resolves with the first match on standard error; rejects when the child ends without one. */
  async log(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.stderr);
      if (found) return found;
      if (this.child.exitCode !== null) throw new Error(`Cutover ended without ${pattern}:\n${this.stderr}`);
      await this.#changed.promise;
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Runs `bin/cutover` with these arguments in a folder of its own; it is killed when the test is over. */
export function spawnCutover(
  args: readonly string[],
  cwd: string = temporaryFolder(),
  options: Pick<ChildOptions, 'shell' | 'bin'> = {},
): CutoverProcess {
  const cutover = new CutoverProcess(args, cwd, options);
  onTestFinished(async () => {
    if (cutover.child.exitCode === null && cutover.child.signalCode === null) cutover.child.kill('SIGKILL');
    await cutover.exited;
  });
  return cutover;
}

export interface ServingCutover {
  readonly process: CutoverProcess;
  /** Where its `config.json` is. */
  readonly folder: string;
  readonly port: number;
  readonly configPort: number;
  readonly url: string;
  readonly configUrl: string;
}

export interface ChildOptions {
  readonly args?: readonly string[];
  readonly config?: WireConfig;
  /** Commands of `sh` that come first, `ulimit` say. */
  readonly shell?: string;
  /** The program; that of this folder by default. */
  readonly bin?: string;
  /** An earlier child: its folder and ports are used again. */
  readonly after?: ServingCutover;
}

/** Writes a configuration file, starts `bin/cutover` on it and waits until both ports accept. */
export async function startChild(cluster: WireCluster, options: ChildOptions = {}): Promise<ServingCutover> {
  const { after } = options;
  const folder = after?.folder ?? temporaryFolder();
  const [port, configPort] = after === undefined ? await freePorts(2) : [after.port, after.configPort];
  const config = { proxy: { port }, configService: { port: configPort }, state: null, ...options.config, cluster };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 2));
  const args = options.args ?? ['-configFile=./config.json', '-logLevel=INFO'];
  const cutover = spawnCutover(args, folder, options);
  const ended = cutover.exited.then(({ code }) => {
    throw new Error(`Cutover ended with ${code} before it listened:\n${cutover.stderr}`);
  });
  ended.catch(() => {});
  await Promise.race([Promise.all([untilAccepts(port as number), untilAccepts(configPort as number)]), ended]);
  return {
    process: cutover,
    folder,
    port: port as number,
    configPort: configPort as number,
    url: `http://127.0.0.1:${port}`,
    configUrl: `http://127.0.0.1:${configPort}/configuration/cluster`,
  };
}

/** A folder that is removed when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
