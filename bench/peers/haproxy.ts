/** HAProxy with one thread: the yardstick. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, startServer } from '../process.ts';
import { CLIENT_CONNECTIONS, type Peer } from './peer.ts';

export const haproxy: Peer = {
  name: 'HAProxy',
  packages: { haproxy: 'haproxy' },
  version: () => outputOf('haproxy', ['-v']).split('\n')[0] ?? '',
  start({ folder, port, upstreamPort }) {
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, configuration(port, [`server one 127.0.0.1:${upstreamPort}`]));
    return startServer('haproxy', ['-db', '-f', file], port);
  },
};

/** With many servers, `address:port`, over which it takes turns. */
export function haproxyWithServers(addresses: readonly string[]): Peer {
  return {
    ...haproxy,
    name: `HAProxy, servers: ${addresses.length}`,
    start({ folder, port }) {
      const file = join(folder, 'haproxy.cfg');
      writeFileSync(
        file,
        configuration(
          port,
          addresses.map((address, index) => `server s${index} ${address}`),
        ),
      );
      return startServer('haproxy', ['-db', '-f', file], port);
    },
  };
}

/** Two versions, and a cookie that keeps each client with one of them: what comes nearest to mode SESSION. */
export function haproxyWithCookie(secondPort: number): Peer {
  return {
    ...haproxy,
    name: 'HAProxy with cookie',
    start({ folder, port, upstreamPort }) {
      const file = join(folder, 'haproxy.cfg');
      const servers = [
        'cookie dynsoftup insert indirect nocache',
        `server old 127.0.0.1:${upstreamPort} cookie old`,
        `server new 127.0.0.1:${secondPort} cookie new`,
      ];
      writeFileSync(file, configuration(port, servers));
      return startServer('haproxy', ['-db', '-f', file], port);
    },
  };
}

function configuration(port: number, servers: readonly string[]): string {
  return `global
  nbthread 1
  no strict-limits
  maxconn ${CLIENT_CONNECTIONS + 100}
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 75s
  timeout server 30s
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  default_backend servers
backend servers
  ${servers.join('\n  ')}
`;
}
