/** Traefik with one processor; measured where a binary is on the PATH. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, startServer } from '../process.ts';
import type { Peer } from './peer.ts';

export const traefik: Peer = {
  name: 'traefik',
  packages: {},
  version: () => `Traefik ${/Version:\s+(\S+)/.exec(outputOf('traefik', ['version']))?.[1] ?? ''}`,
  start({ folder, port, upstreamPort }) {
    const routes = join(folder, 'routes.yaml');
    writeFileSync(routes, routesTo(upstreamPort));
    const args = [
      `--entrypoints.web.address=127.0.0.1:${port}`,
      `--providers.file.filename=${routes}`,
      '--serversTransport.maxIdleConnsPerHost=1024',
      '--global.checkNewVersion=false',
      '--global.sendAnonymousUsage=false',
    ];
    return startServer('traefik', args, port, { GOMAXPROCS: '1' });
  },
};

function routesTo(upstreamPort: number): string {
  return `http:
  routers:
    all: { rule: "PathPrefix(\`/\`)", service: application }
  services:
    application:
      loadBalancer:
        servers: [{ url: "http://127.0.0.1:${upstreamPort}" }]
`;
}
