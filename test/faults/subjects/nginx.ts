/**
 * nginx with the new version as its servers and the older one as backup, tuned by its documentation (ngx_http_upstream_module,
 * ngx_http_proxy_module): every failure that it can pass on is passed on, a POST that was sent is not.
 */
import { join } from 'node:path';
import { outputOf } from '../../../bench/process.ts';
import { type Peer, startPeer } from './peer.ts';
import { type Setting, type Subject, TIMEOUTS_S } from './subject.ts';

export const nginx: Subject = {
  name: 'nginx',
  packages: { nginx: 'nginx-light' },
  version: () => outputOf('nginx', ['-v']),
  start: (setting) => startPeer(PEER, setting),
};

const PEER: Peer = {
  program: 'nginx',
  file: 'nginx.conf',
  arguments: (folder, file) => ['-p', folder, '-e', join(folder, 'error.log'), '-c', file],
  configuration,
};

function configuration({ folder, candidate, older }: Setting, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => {
    return `  ${name}_temp_path ${join(folder, 'temporary')};`;
  });
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user}
worker_processes 1;
daemon off;
pid ${join(folder, 'nginx.pid')};
events { worker_connections 4096; }
http {
  access_log off;
${temporary.join('\n')}
  upstream application {
${candidate.map((upstream) => `    server 127.0.0.1:${upstream} max_fails=1 fail_timeout=10s;`).join('\n')}
${older.map((upstream) => `    server 127.0.0.1:${upstream} backup;`).join('\n')}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000;
    location / {
      proxy_pass http://application;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_connect_timeout ${TIMEOUTS_S.connect * 1000}ms;
      proxy_read_timeout ${TIMEOUTS_S.response}s;
      proxy_send_timeout ${TIMEOUTS_S.response}s;
      proxy_next_upstream error timeout invalid_header http_500 http_502 http_503 http_504;
      proxy_next_upstream_tries 4;
    }
  }
}
`;
}
