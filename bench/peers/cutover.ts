/** Cutover as it is built, with its defaults, but as much patience with a crowded server as the others have. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, type ClusterInput, createClient } from '../../src/client.ts';
import { freePort } from '../../test/kit/ports.ts';
import { outputOf, type Running, startServer } from '../process.ts';
import type { Peer, Setting } from './peer.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAM = join(ROOT, 'bin/cutover');

export const cutover: Peer = {
  name: 'Cutover',
  packages: {},
  version: () => {
    const commit = outputOf('git', ['-C', ROOT, 'describe', '--always', '--dirty']);
    return `Cutover ${commit} on Node ${process.version}`;
  },
  start: (setting) => startCutover(setting),
};

/** One process for everything, the smallest footprint. */
export const cutoverOneProcess: Peer = {
  ...cutover,
  name: 'Cutover, workers: 0',
  start: (setting) => startCutover(setting, { workers: 0 }),
};

export interface RunningCutover extends Running {
  readonly client: Client;
}

/** `configuration` adds to the configuration file. */
export async function startCutover(
  { folder, port, upstreamPort }: Setting,
  configuration: Readonly<Record<string, unknown>> = {},
): Promise<RunningCutover> {
  const configPort = await freePort();
  const file = join(folder, 'config.json');
  const cluster: ClusterInput = { servers: [{ hostname: '127.0.0.1', port: upstreamPort }], version: '1' };
  writeFileSync(
    file,
    JSON.stringify({
      proxy: { hostname: '127.0.0.1', port },
      configService: { hostname: '127.0.0.1', port: configPort },
      timeouts: { connect: 5 },
      cluster,
      ...configuration,
    }),
  );
  const running = await startServer(PROGRAM, ['run', '--config', file], port);
  return { ...running, client: createClient({ url: `http://127.0.0.1:${configPort}` }) };
}
