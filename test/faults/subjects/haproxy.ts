/**
 * HAProxy with the new version as its servers and the older one as backup, tuned by its configuration manual: every retry
 * that it has, but none of a POST that was sent. A backup is used only while all other servers are down, so that the first
 * error marks a server down (`observe layer7`), and the retry finds the backup; checks bring the server back.
 */
import { outputOf } from '../../../bench/process.ts';
import { type Peer, startPeer } from './peer.ts';
import { type Setting, type Subject, TIMEOUTS_S } from './subject.ts';

export const haproxy: Subject = {
  name: 'HAProxy',
  packages: { haproxy: 'haproxy' },
  version: () => outputOf('haproxy', ['-v']).split('\n')[0] ?? '',
  start: (setting) => startPeer(PEER, setting),
};

const PEER: Peer = {
  program: 'haproxy',
  file: 'haproxy.cfg',
  arguments: (_folder, file) => ['-db', '-f', file],
  configuration,
};

function configuration({ candidate, older }: Setting, port: number): string {
  return `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-keep-alive
  timeout connect ${TIMEOUTS_S.connect * 1000}ms
  timeout client 75s
  timeout server ${TIMEOUTS_S.response * 1000}ms
  timeout check ${TIMEOUTS_S.connect * 1000}ms
frontend clients
  bind 127.0.0.1:${port}
  default_backend application
backend application
  retries 3
  option redispatch 1
  retry-on all-retryable-errors
  http-request disable-l7-retry if METH_POST
  default-server check inter 1s rise 2 fall 1 observe layer7 error-limit 1 on-error mark-down
${candidate.map((upstream, index) => `  server new${index} 127.0.0.1:${upstream}`).join('\n')}
${older.map((upstream, index) => `  server old${index} 127.0.0.1:${upstream} backup`).join('\n')}
`;
}
