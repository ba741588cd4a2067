/** The application behind all proxies: nginx with one worker, on several ports, so that it can be several versions. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNginx } from './peers/nginx.ts';
import type { Running } from './process.ts';

/** The body of the small answer, 35 bytes. */
export const SMALL_BODY = 'Hello from the application, v 1.0.\n';

export const PATHS = {
  small: '/',
  /** Tells how many requests were received. */
  status: '/status',
  /** Answers the port that was reached. */
  port: '/port',
  /** Reads a body to its end, then answers with the small body. */
  post: '/post',
  /** A file of 10 kB. */
  medium: '/files/medium',
  /** A file of 1 MiB. */
  large: '/files/large',
} as const;

export const MEDIUM_BYTES = 10_000;
const LARGE_BYTES = 1_048_576;

/** Every address of 127.0.0.0/8 is this machine: with these, the application is a thousand servers. */
export const HOSTS: readonly string[] = Array.from({ length: 1000 }, (_, n) => `127.0.${1 + (n >> 8)}.${n & 255}`);

/** Listens on all ports of 127.0.0.1, and on the first port of `HOSTS`. */
export function startUpstream(folder: string, ports: readonly number[]): Promise<Running> {
  mkdirSync(join(folder, 'files'), { recursive: true });
  writeFileSync(join(folder, 'files/medium'), 'm'.repeat(MEDIUM_BYTES));
  writeFileSync(join(folder, 'files/large'), 'l'.repeat(LARGE_BYTES));
  const listens = [
    ...ports.map((port) => `127.0.0.1:${port} backlog=4096`),
    ...HOSTS.map((host) => `${host}:${ports[0]}`),
  ];
  const small = `return 200 '${SMALL_BODY.replace('\n', '\\n')}';`;
  const socket = `unix:${join(folder, 'accepted.sock')}`;
  // nginx answers a POST with `return` before it has read the body; what it passes on it reads whole first.
  const http = `
  sendfile on;
  tcp_nopush on;
  client_body_buffer_size 64k;
  upstream accepted { server ${socket}; keepalive 64; keepalive_requests 1000000000; }
  server { listen ${socket}; location / { ${small} } }
  server {
${listens.map((listen) => `    listen ${listen};`).join('\n')}
    location = / { ${small} }
    location = /status { stub_status; }
    location = /port { return 200 '$server_port'; }
    location = /post { proxy_pass http://accepted; proxy_http_version 1.1; proxy_set_header Connection ""; }
    location = /teapot { return 418 'short and stout'; }
    location = /asked { return 200 '$request_method $request_uri $http_x_probe'; }
    location /files/ { root ${folder}; dav_methods PUT; }
  }`;
  return startNginx(folder, ports[0] ?? 0, http);
}
