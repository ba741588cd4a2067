/** Who is measured. The first is the yardstick. */
import { hasCommand } from '../scripts/debian.ts';
import { caddy } from './peers/caddy.ts';
import { cutover } from './peers/cutover.ts';
import { fastProxy } from './peers/fast-proxy.ts';
import { haproxy } from './peers/haproxy.ts';
import { httpProxy } from './peers/http-proxy.ts';
import { httpProxy3 } from './peers/http-proxy-3.ts';
import { httpxy } from './peers/httpxy.ts';
import { kamalProxy } from './peers/kamal-proxy.ts';
import { nginx } from './peers/nginx.ts';
import type { Peer } from './peers/peer.ts';
import { traefik } from './peers/traefik.ts';
import { varnish } from './peers/varnish.ts';

/** So cheap that each round counts. */
export const NEAR: readonly Peer[] = [haproxy, cutover, nginx];

/** The last two only where somebody has installed them: Debian has no package. */
export const FAR: readonly Peer[] = [
  caddy,
  varnish,
  httpProxy,
  httpProxy3,
  httpxy,
  fastProxy,
  ...[kamalProxy, traefik].filter((peer) => hasCommand(peer.name)),
];
