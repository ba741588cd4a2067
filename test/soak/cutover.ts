/** The Cutover that is soaked: `bin/cutover` of an installation of its own, with a configuration file of its own. */
import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cluster } from '../kit/config-service.ts';
import { installAt } from '../kit/install.ts';
import { accepts, freePort } from '../kit/ports.ts';
import { childrenOf } from '../kit/processes.ts';

/** What differs when it is reloaded; either way other processes take over. */
export type Change = 'configuration' | 'code';

export interface SoakedCutover {
  readonly pid: number;
  readonly port: number;
  readonly configPort: number;
  /** By `cutover reload`; resolves when the processes of before have ended. */
  reload(change: Change): Promise<void>;
  /** What the log says at CRITICAL. */
  complaints(): readonly string[];
  /** How it stands and what it wrote last, for people, when something went wrong. */
  lastWords(): string;
  stop(): Promise<void>;
}

const execute = promisify(execFile);

/** What is told of the log when something went wrong. */
const LAST_LINES = 40;
/** Those that drain may take so long to finish what is in flight. */
const OLD_ONES_END_MS = 30_000;

/** @param serverPort of version 1, which serves at first */
export async function startCutover(folder: string, serverPort: number): Promise<SoakedCutover> {
  const [port, configPort] = [await freePort(), await freePort()];
  const [file, log, install] = [join(folder, 'config.json'), join(folder, 'log'), join(folder, 'installed')];
  const changes = { configuration: 0, code: 0 };
  const configure = (): void => {
    // Some value of which nothing depends here, another one each time.
    const timeouts = { connect: 1 + (changes.configuration % 2) };
    const config = { proxy: { hostname: '127.0.0.1', port }, configService: { port: configPort }, timeouts };
    writeFileSync(file, JSON.stringify({ ...config, cluster: cluster('1', [{ port: serverPort }]) }));
  };
  configure();
  mkdirSync(install);
  const program = installAt(install, 'first');
  const errors = openSync(log, 'a');
  const child = spawn(program, ['run', '--config', file, '--log-level', 'WARNING'], {
    stdio: ['ignore', 'ignore', errors],
  });
  closeSync(errors);
  const kill = (): unknown => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  while (!(await accepts(port)) || !(await accepts(configPort))) {
    if (child.exitCode !== null) throw new Error(`Cutover ended with ${child.exitCode}: ${readFileSync(log, 'utf8')}`);
    await passed(20);
  }
  const { pid } = child;
  if (pid === undefined) throw new Error('Cutover was not started');
  return {
    pid,
    port,
    configPort,
    async reload(change) {
      changes[change] += 1;
      if (change === 'configuration') configure();
      // Main goes on with the first one, and the children with the last: neither of them is written over.
      else installAt(install, changes.code % 2 === 0 ? 'even' : 'odd');
      const before = pidsOf(pid);
      await execute(program, ['reload', '--url', `http://127.0.0.1:${configPort}`]);
      const endMs = performance.now() + OLD_ONES_END_MS;
      while (pidsOf(pid).some((one) => before.includes(one))) {
        if (performance.now() > endMs) throw new Error(`After a reload (${change}) the processes of before go on`);
        await passed(50);
      }
    },
    complaints: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line.includes(' CRITICAL ')),
    lastWords() {
      const { exitCode, signalCode } = child;
      const isOver = exitCode !== null || signalCode !== null;
      const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
      return [
        `Its main process ${isOver ? `ended with ${signalCode ?? exitCode}` : 'goes on'}`,
        ...lines.slice(-LAST_LINES),
      ].join('\n');
    },
    async stop() {
      process.off('exit', kill);
      kill();
      await ended;
    },
  };
}

function pidsOf(main: number): readonly number[] {
  const { control, workers } = childrenOf(main);
  return [...control, ...workers];
}
