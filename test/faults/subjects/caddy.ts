/**
 * Caddy with the new version first and the older one after it, tuned by its documentation (reverse_proxy): the first healthy
 * upstream is taken, one failure or 5xx makes an upstream unhealthy for ten seconds, and what is idempotent is tried again.
 */
import { caddy as benched, caddyfile } from '../../../bench/peers/caddy.ts';
import { type Peer, startPeer } from './peer.ts';
import { type Setting, type Subject, TIMEOUTS_S } from './subject.ts';

export const caddy: Subject = {
  ...benched,
  start: (setting) => startPeer(PEER, setting),
};

const PEER: Peer = {
  program: 'caddy',
  file: 'Caddyfile',
  arguments: (_folder, file) => ['run', '--adapter', 'caddyfile', '--config', file],
  configuration,
};

function configuration({ folder, candidate, older }: Setting, port: number): string {
  return caddyfile({ folder, port, upstreamPorts: [...candidate, ...older] }, [
    'lb_policy first',
    'lb_try_duration 3s',
    'lb_try_interval 50ms',
    'lb_retry_match {',
    '  method GET PUT',
    '}',
    'fail_duration 10s',
    'max_fails 1',
    'unhealthy_status 5xx',
    'transport http {',
    `  dial_timeout ${TIMEOUTS_S.connect * 1000}ms`,
    `  response_header_timeout ${TIMEOUTS_S.response}s`,
    `  read_timeout ${TIMEOUTS_S.idleBody}s`,
    '}',
  ]);
}
