/** Caddy with one processor, as the other proxies have. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, startServer } from '../process.ts';
import type { Peer } from './peer.ts';

export const caddy: Peer = {
  name: 'Caddy',
  packages: { caddy: 'caddy' },
  version: () => `Caddy ${outputOf('caddy', ['version'])}`,
  start({ folder, port, upstreamPort }) {
    const file = join(folder, 'Caddyfile');
    writeFileSync(file, configuration(folder, port, upstreamPort));
    const args = ['run', '--adapter', 'caddyfile', '--config', file];
    return startServer('caddy', args, port, { GOMAXPROCS: '1', HOME: folder });
  },
};

function configuration(folder: string, port: number, upstreamPort: number): string {
  return `{
  admin off
  auto_https off
  storage file_system ${folder}
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${upstreamPort} {
    transport http {
      keepalive_idle_conns_per_host 1024
    }
  }
}
`;
}
