/**
 * `HTTP/1.1` as it stands in request and status lines (RFC 9112 section 2.3): case-sensitive, one digit each.
 */
import type { ProtocolError } from './message.ts';
import { refusals } from './refusals.ts';
import { isDigit } from './tokens.ts';

/** How many octets a version has. */
export const versionBytes = 8;

const pattern = 'HTTP/0.0';
const ONE = 0x31;
const ZERO = 0x30;

/** True when `octet` may be octet `index` of a version. */
export function isVersionOctet(index: number, octet: number | undefined): boolean {
  return index === 5 || index === 7 ? isDigit(octet) : octet === pattern.charCodeAt(index);
}

/** Null when the version at `start` is one that is spoken here: any 1.x. */
export function versionRefusal(bytes: Buffer, start: number): ProtocolError | null {
  return bytes[start + 5] === ONE ? null : refusals.unsupportedVersion;
}

/** 0 for HTTP/1.0; 1 for HTTP/1.1 and for a later minor version, which is read as 1.1 (RFC 9110 section 2.5). */
export function minorVersion(bytes: Buffer, start: number): 0 | 1 {
  return bytes[start + 7] === ZERO ? 0 : 1;
}
