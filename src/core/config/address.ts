/**
 * Host names and addresses as they are written in a configuration: their syntax, and which of them are loopback. The main process
 * and each command load this, so it needs no library: what an address is, the platform's own URLs know.
 */

export const HOST_ALLOWED = 'a host name or an IP address';

const LABEL = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;

/** The host without the brackets of an IPv6 address, or null when it is none. */
export function parseHost(text: string): string | null {
  const bare = /^\[(.*)\]$/.exec(text)?.[1];
  if (bare !== undefined) return isIpv6(bare) ? bare : null;
  return isIp(text) || isHostName(text) ? text : null;
}

/** True for an IP address, without brackets. */
export function isIp(text: string): boolean {
  return isIpv6(text) || isIpv4(text);
}

/** `host:port` for people, with brackets where the host holds colons. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True when only this machine can reach a service bound to `host`. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || isIpv4Loopback(name.replace(/^::ffff:/, ''));
}

/** True when two services bound to these hosts can't have the same port. */
export function hostsCollide(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  if (a === b || a === '::' || b === '::') return true;
  if (a === '0.0.0.0' || b === '0.0.0.0') return !(a.includes(':') || b.includes(':'));
  // `localhost` is bound as 127.0.0.1 or ::1, whichever the resolver says.
  return (a === 'localhost' && isLoopback(b)) || (b === 'localhost' && isLoopback(a));
}

function isIpv4Loopback(text: string): boolean {
  return isIpv4(text) && text.startsWith('127.');
}

/** Four numbers as they are written in full: 127.1 and 010.0.0.1 mean something to some, and are no address here. */
function isIpv4(text: string): boolean {
  return /^(\d+\.){3}\d+$/.test(text) && URL.parse(`http://${text}`)?.hostname === text;
}

function isIpv6(text: string): boolean {
  // A zone (RFC 4007) may follow a link-local address.
  const bare = text.replace(/%[A-Za-z0-9._~-]+$/, '');
  return /^[\da-f:.]+$/i.test(bare) && URL.canParse(`http://[${bare}]`);
}

/** RFC 1123 labels, underscores tolerated; an all-digit last label would be read as a (wrong) IPv4 address. */
function isHostName(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name.length === 0 || name.length > 253) return false;
  const labels = name.split('.');
  return labels.every((label) => LABEL.test(label)) && !/^(\d+|0[xX][0-9A-Fa-f]*)$/.test(labels.at(-1) ?? '');
}
