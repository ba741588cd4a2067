/**
 * Comma lists and the few values that the proxy itself obeys: Connection, Upgrade, TE, Expect.
 */
import type { FieldLines } from './fields.ts';

/** True when the Upgrade field of a 101 names protocols, and only such as were offered (RFC 9110 section 7.8). */
export function acceptsOffer(_offered: string, _fields: FieldLines): boolean {
  return false;
}
