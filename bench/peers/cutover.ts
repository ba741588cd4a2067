/** Cutover as it is built, with its defaults. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, outputOf, startServer } from '../process.ts';
import type { Peer } from './peer.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAM = join(ROOT, 'bin/cutover');

export const cutover: Peer = {
  name: 'Cutover',
  packages: {},
  version: () => {
    const commit = outputOf('git', ['-C', ROOT, 'describe', '--always', '--dirty']);
    return `Cutover ${commit} on Node ${process.version}`;
  },
  async start({ folder, port, upstreamPort }) {
    const file = join(folder, 'config.json');
    const configuration = {
      proxy: { hostname: '127.0.0.1', port },
      configService: { hostname: '127.0.0.1', port: await freePort() },
      state: null,
      cluster: { servers: [{ hostname: '127.0.0.1', port: upstreamPort }], version: '1.0' },
    };
    writeFileSync(file, JSON.stringify(configuration));
    return startServer(PROGRAM, ['run', '--config', file], port);
  },
};
