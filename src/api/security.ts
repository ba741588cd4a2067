/**
 * Who may talk to the config service. Whoever may PUT decides where all traffic goes, so a web page in somebody's
 * browser must not: its requests give themselves away by the `Host` they were sent to (a name that an attacker's
 * DNS points at us) or by a foreign `Origin`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiSecurity } from './contract.ts';

/** What a request says about where it comes from; header values as received. */
export interface Caller {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  /** The address at which its connection reached us. */
  readonly localAddress: string | undefined;
}

export interface Refusal {
  readonly status: 401 | 403;
  readonly reason: string;
}

/** Judges one request after the other; null lets it through. */
export function createGuard(security: ApiSecurity): (caller: Caller) => Refusal | null {
  const allowed = new Set(security.allowedHosts.map(bareHost));
  const expected = security.token === null ? null : digest(security.token);

  return (caller) => {
    // Only HTTP/1.0 can lack a Host here, and no browser speaks it.
    if (caller.host !== undefined) {
      const authority = parseAuthority(caller.host);
      if (authority === null || !isOurs(authority.hostname, caller.localAddress, allowed)) {
        const named = JSON.stringify(caller.host);
        return { status: 403, reason: `Host ${named} is not a name of this service, see configService.allowedHosts` };
      }
    }
    if (caller.origin !== undefined && !sameOrigin(caller.origin, caller.host)) {
      return { status: 403, reason: `Requests from the foreign origin ${JSON.stringify(caller.origin)} are refused` };
    }
    if (expected !== null && !timingSafeEqual(digest(bearerToken(caller.authorization)), expected)) {
      return { status: 401, reason: 'A valid bearer token is needed, see configService.token' };
    }
    return null;
  };
}

function isOurs(hostname: string, localAddress: string | undefined, allowed: ReadonlySet<string>): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname) ||
    hostname === '::1' ||
    (localAddress !== undefined && hostname === bareHost(localAddress.replace(/^::ffff:(?=\d+\.)/, ''))) ||
    allowed.has(hostname)
  );
}

/** True when the page comes from the very host and port that it asks. Scheme aside: TLS may end in front of us. */
function sameOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined || !/^https?:\/\/[^/]+$/.test(origin)) return false;
  const scheme = origin.slice(0, origin.indexOf(':'));
  const theirs = parseAuthority(origin.slice(scheme.length + '://'.length), scheme);
  const ours = parseAuthority(host, scheme);
  return theirs !== null && ours !== null && theirs.hostname === ours.hostname && theirs.port === ours.port;
}

/** `host[:port]` taken apart and normalised; null when it is not one (user info and paths are not). */
function parseAuthority(text: string, scheme = 'http'): { hostname: string; port: string } | null {
  if (!/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(:\d{1,5})?$/.test(text)) return null;
  const url = URL.parse(`${scheme}://${text}`);
  return url === null ? null : { hostname: bareHost(url.hostname), port: url.port };
}

/** A host name to compare by: lower case, without brackets and without the root's dot; addresses in canonical form. */
function bareHost(host: string): string {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const canonical = URL.parse(`http://${bracketed}`)?.hostname ?? host.toLowerCase();
  return canonical.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function bearerToken(authorization: string | undefined): string {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '';
}

/** Digests have one length, so that comparing them tells nothing, not even the token's length. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
