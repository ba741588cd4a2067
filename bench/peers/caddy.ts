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
    const options = ['transport http {', '  keepalive_idle_conns_per_host 1024', '}'];
    writeFileSync(file, caddyfile({ folder, port, upstreamPorts: [upstreamPort] }, options));
    const args = ['run', '--adapter', 'caddyfile', '--config', file];
    return startServer('caddy', args, port, { GOMAXPROCS: '1', HOME: folder });
  },
};

interface Site {
  readonly folder: string;
  readonly port: number;
  /** In order. */
  readonly upstreamPorts: readonly number[];
}

/** A Caddyfile of one site. @param options of its `reverse_proxy` */
export function caddyfile({ folder, port, upstreamPorts }: Site, options: readonly string[]): string {
  const upstreams = upstreamPorts.map((upstream) => `127.0.0.1:${upstream}`);
  return `{
  admin off
  auto_https off
  storage file_system ${folder}
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${upstreams.join(' ')} {
${options.map((option) => `    ${option}`).join('\n')}
  }
}
`;
}
