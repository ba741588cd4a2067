/**
 * The syntax of Host and of an authority (RFC 3986 section 3.2, without userinfo): a name or an address,
 * then an optional port.
 */
import { hexDigit, ipv6Octets, isDigit, nameOctets } from './tokens.ts';

const leftBracket = 0x5b;
const colon = 0x3a;
const percent = 0x25;

/** True for `uri-host [ ":" port ]`; an empty host is one (RFC 9110 section 7.2). */
export function isHost(text: string): boolean {
  const end = text.charCodeAt(0) === leftBracket ? endOfLiteral(text) : endOfName(text);
  if (end < 0) return false;
  if (end === text.length) return true;
  if (text.charCodeAt(end) !== colon) return false;
  for (let at = end + 1; at < text.length; at += 1) {
    if (!isDigit(text.charCodeAt(at))) return false;
  }
  return true;
}

/** Where a registered name or IPv4 address that starts `text` ends, or -1 when its percent-encoding is broken. */
function endOfName(text: string): number {
  let at = 0;
  while (at < text.length) {
    const octet = text.charCodeAt(at);
    if (nameOctets[octet] === 1) at += 1;
    else if (octet !== percent) return at;
    else if (hexDigit(text.charCodeAt(at + 1)) < 0 || hexDigit(text.charCodeAt(at + 2)) < 0) return -1;
    else at += 3;
  }
  return at;
}

/** Where an IP literal in brackets that starts `text` ends, or -1 for a malformed one. */
function endOfLiteral(text: string): number {
  const close = text.indexOf(']');
  const future = text.charCodeAt(1) === 0x76 || text.charCodeAt(1) === 0x56;
  if (close < 3) return -1;
  return (future ? isFuture(text, close) : isIpv6(text, close)) ? close + 1 : -1;
}

function isIpv6(text: string, close: number): boolean {
  let colons = 0;
  for (let at = 1; at < close; at += 1) {
    if (ipv6Octets[text.charCodeAt(at)] !== 1) return false;
    if (text.charCodeAt(at) === colon) colons += 1;
  }
  return colons >= 2;
}

/** `"v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )` */
function isFuture(text: string, close: number): boolean {
  const dot = text.indexOf('.');
  if (dot < 3 || dot > close - 2) return false;
  for (let at = 2; at < dot; at += 1) {
    if (hexDigit(text.charCodeAt(at)) < 0) return false;
  }
  for (let at = dot + 1; at < close; at += 1) {
    const octet = text.charCodeAt(at);
    if (nameOctets[octet] !== 1 && octet !== colon) return false;
  }
  return true;
}
