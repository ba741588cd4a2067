/** HAProxy with one thread: the yardstick. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, startServer } from '../process.ts';
import type { Peer } from './peer.ts';

export const haproxy: Peer = {
  name: 'HAProxy',
  packages: { haproxy: 'haproxy' },
  version: () => outputOf('haproxy', ['-v']).split('\n')[0] ?? '',
  start({ folder, port, upstreamPort }) {
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, configuration(port, upstreamPort));
    return startServer('haproxy', ['-db', '-f', file], port);
  },
};

function configuration(port: number, upstreamPort: number): string {
  return `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 1s
  timeout client 75s
  timeout server 30s
frontend clients
  bind 127.0.0.1:${port}
  default_backend servers
backend servers
  server one 127.0.0.1:${upstreamPort}
`;
}
