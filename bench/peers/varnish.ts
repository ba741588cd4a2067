/** Varnish with its cache passed by. It has a thread per connection; there is no setting for one thread only. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, startServer } from '../process.ts';
import type { Peer } from './peer.ts';

export const varnish: Peer = {
  name: 'Varnish',
  packages: { varnishd: 'varnish' },
  version: () => outputOf('varnishd', ['-V']).split('\n')[0] ?? '',
  start({ folder, port, upstreamPort }) {
    const file = join(folder, 'pass.vcl');
    writeFileSync(file, configuration(upstreamPort));
    const parameters = ['thread_pools=1', 'thread_pool_min=100', 'thread_pool_max=2000'];
    const args = [
      '-j',
      'none',
      '-F',
      '-n',
      join(folder, 'work'),
      '-a',
      `127.0.0.1:${port}`,
      '-f',
      file,
      '-s',
      'malloc,64m',
    ];
    return startServer('varnishd', [...args, ...parameters.flatMap((parameter) => ['-p', parameter])], port);
  },
};

function configuration(upstreamPort: number): string {
  return `vcl 4.1;
backend application { .host = "127.0.0.1"; .port = "${upstreamPort}"; }
sub vcl_recv { return (pass); }
`;
}
