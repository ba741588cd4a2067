/** Cutover in each mode, in this process or as it is built. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, startServer } from '../../../bench/process.ts';
import type { Mode } from '../../../src/core/config/model.ts';
import { startCutover } from '../../../src/index.ts';
import { cluster, listVersions, putVersion } from '../../kit/config-service.ts';
import { freePort } from '../../kit/ports.ts';
import { type RunningSubject, type Setting, type Subject, TIMEOUTS_S } from './subject.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** With mode options that make a release last a few hundred requests. */
const OPTIONS: Readonly<Record<Mode, Readonly<Record<string, unknown>>>> = {
  INSTANT: {},
  SESSION: { sessionTimeout: 60 },
  GRADUAL: { percentageTransitionPerRequest: 1 },
  CONCURRENT: {},
};

/** In the calling process: quick to start, and what the tests run. */
export function cutoverInProcess(mode: Mode): Subject {
  return cutover(mode, async (config) => {
    const running = await startCutover({ config });
    return { port: running.proxyPort, configPort: running.configPort, stop: () => running.close() };
  });
}

/** `bin/cutover` as a child: what the measurements run. */
export function cutoverProcess(mode: Mode): Subject {
  return cutover(mode, async (config, folder) => {
    const [port, configPort] = [await freePort(), await freePort()];
    const file = join(folder, 'config.json');
    writeFileSync(
      file,
      JSON.stringify({ ...config, proxy: { hostname: '127.0.0.1', port }, configService: { port: configPort } }),
    );
    const child = await startServer(
      join(ROOT, 'bin/cutover'),
      ['run', '--config', file, '--log-level', 'CRITICAL'],
      port,
    );
    return { port, configPort, stop: () => child.stop() };
  });
}

interface Started {
  readonly port: number;
  readonly configPort: number;
  stop(): Promise<void>;
}

type Config = Readonly<Record<string, unknown>>;

function cutover(mode: Mode, launch: (config: Config, folder: string) => Promise<Started>): Subject {
  return {
    name: mode,
    packages: {},
    version: () => {
      const commit = outputOf('git', ['-C', ROOT, 'describe', '--always', '--dirty']);
      return `Cutover ${commit} on Node ${process.version}`;
    },
    async start(setting: Setting): Promise<RunningSubject> {
      const started = await launch(configuration(setting), setting.folder);
      const servers = setting.candidate.map((port) => ({ port }));
      const options = { mode, readyTimeout: 1, ...OPTIONS[mode] };
      let id = '';
      return {
        port: started.port,
        async upgrade() {
          id = await putVersion(started.configPort, cluster('2', servers, options));
        },
        async candidateServes() {
          return (await listVersions(started.configPort)).some(({ uuid }) => uuid === id);
        },
        stop: started.stop,
      };
    },
  };
}

function configuration({ older }: Setting): Config {
  return {
    proxy: { hostname: '127.0.0.1', port: 0 },
    configService: { port: 0 },
    state: null,
    putWait: 0.3,
    timeouts: { ...TIMEOUTS_S, drain: 1 },
    cluster: cluster(
      '1',
      older.map((port) => ({ port })),
    ),
  };
}
