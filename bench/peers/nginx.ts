/** nginx with one worker: as a proxy, and as the upstream of all peers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, type Running, startServer } from '../process.ts';
import type { Peer } from './peer.ts';

export const nginx: Peer = {
  name: 'nginx',
  packages: { nginx: 'nginx-light' },
  version: () => outputOf('nginx', ['-v']),
  start({ folder, port, upstreamPort }) {
    const server = `
  upstream servers { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://servers; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }`;
    return startNginx(folder, port, server);
  },
};

/** The body of the small answer, 35 bytes. */
export const SMALL_BODY = 'Hello from the application, v 1.0.\n';

/** An application that answers `/` with a small body, keeps what is PUT to `/files/`, and tells what it was asked. */
export function startUpstream(folder: string, port: number): Promise<Running> {
  mkdirSync(join(folder, 'files'), { recursive: true });
  const server = `
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = / { return 200 '${SMALL_BODY.replace('\n', '\\n')}'; }
    location = /teapot { return 418 'short and stout'; }
    location = /asked { return 200 '$request_method $request_uri $http_x_probe'; }
    location /files/ { root ${folder}; dav_methods PUT; }
  }`;
  return startNginx(folder, port, server);
}

function startNginx(folder: string, port: number, server: string): Promise<Running> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => {
    return `  ${name}_temp_path ${join(folder, 'temporary')};`;
  });
  const file = join(folder, 'nginx.conf');
  // Started by root, workers would be another user, who can't write to the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    file,
    `${user}
worker_processes 1;
daemon off;
pid ${join(folder, 'nginx.pid')};
error_log ${join(folder, 'error.log')};
events { worker_connections 4096; }
http {
  access_log off;
  default_type text/plain;
  keepalive_requests 1000000000;
  client_max_body_size 16m;
${temporary.join('\n')}
${server}
}
`,
  );
  return startServer('nginx', ['-p', folder, '-e', join(folder, 'error.log'), '-c', file], port);
}
