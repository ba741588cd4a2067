/**
 * What each octet may be (RFC 9110 section 5.6.2, RFC 9112, RFC 3986), one table per place: 1 for allowed.
 */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;

/** Octets of a token: methods, field names, list elements. */
export const tokenOctets = octets(alphanumerics(), "!#$%&'*+-.^_`|~");

/** Octets of a field value and of a reason phrase: visible ones, space, tab, and those over 0x7f. */
export const valueOctets = octets('\t', range(0x20, 0x7e), range(0x80, 0xff));

/**
 * Octets of a request target up to its query: what RFC 3986 has in paths and authorities, and `|`, which
 * browsers leave as it is there (URL standard, path percent-encode set).
 */
export const pathOctets = octets(alphanumerics(), "-._~!$&'()*+,;=:@/%[]", '|');

/** Octets of a query: those of a path, `?`, and what browsers leave as it is in a query. */
export const queryOctets = octets(alphanumerics(), "-._~!$&'()*+,;=:@/%[]?", '|\\^`{}');

/** Octets of a registered name or an IPv4 address in an authority, but for `%`. */
export const nameOctets = octets(alphanumerics(), "-._~!$&'()*+,;=");

/** Octets of what stands between the brackets of an IPv6 address. */
export const ipv6Octets = octets(range(0x30, 0x39), 'abcdefABCDEF:.');

/** True for `0` to `9`. */
export function isDigit(octet: number | undefined): boolean {
  return octet !== undefined && octet >= 0x30 && octet <= 0x39;
}

/** True when all of `text` is one token. */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (tokenOctets[text.charCodeAt(at)] !== 1) return false;
  }
  return text !== '';
}

/** The value of a hexadecimal digit, or -1. */
export function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function octets(...allowed: string[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const char of allowed.join('')) table[char.charCodeAt(0)] = 1;
  return table;
}

function alphanumerics(): string {
  return range(0x30, 0x39) + range(0x41, 0x5a) + range(0x61, 0x7a);
}

function range(first: number, last: number): string {
  let chars = '';
  for (let code = first; code <= last; code += 1) chars += String.fromCharCode(code);
  return chars;
}
