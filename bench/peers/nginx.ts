/** nginx with one worker: as a proxy, plain and with `mirror`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, type Running, startServer } from '../process.ts';
import type { Peer } from './peer.ts';

export const nginx: Peer = {
  name: 'nginx',
  packages: { nginx: 'nginx-light' },
  version: () => outputOf('nginx', ['-v']),
  start: ({ folder, port, upstreamPort }) => startNginx(folder, port, server(port, [upstreamPort], '')),
};

/** Each request goes to a second server too, whose answer is dropped. */
export function nginxMirror(secondPort: number): Peer {
  const mirror = `
    location = /mirrored { internal; proxy_pass http://servers1$request_uri; ${KEEP_ALIVE} }`;
  return {
    ...nginx,
    name: 'nginx with mirror',
    start: ({ folder, port, upstreamPort }) =>
      startNginx(folder, port, server(port, [upstreamPort, secondPort], 'mirror /mirrored;', mirror)),
  };
}

const KEEP_ALIVE = 'proxy_http_version 1.1; proxy_set_header Connection "";';

/** Bodies go through memory alone, in buffers large enough for long ones to be worth their system calls. */
function server(port: number, upstreamPorts: readonly number[], extra: string, locations = ''): string {
  const upstreams = upstreamPorts.map(
    (upstream, index) =>
      `  upstream servers${index} { server 127.0.0.1:${upstream}; keepalive 1024; keepalive_requests 1000000000; }`,
  );
  return `
${upstreams.join('\n')}
  proxy_max_temp_file_size 0;
  proxy_buffers 16 16k;
  client_body_buffer_size 64k;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { ${extra} proxy_pass http://servers0; ${KEEP_ALIVE} }${locations}
  }`;
}

/** `http` is the inner part of the http block. */
export function startNginx(folder: string, port: number, http: string): Promise<Running> {
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
events { worker_connections 30000; multi_accept on; }
http {
  access_log off;
  default_type text/plain;
  keepalive_requests 1000000000;
  client_max_body_size 16m;
${temporary.join('\n')}
${http}
}
`,
  );
  return startServer('nginx', ['-p', folder, '-e', join(folder, 'error.log'), '-c', file], port);
}
