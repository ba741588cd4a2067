/**
 * Requests that end at the proxy, which answers them itself and asks no server (RFC 9110 sections 7.6.2, 7.6.3 and 9.3.7).
 */
import { kind } from './field-kinds.ts';
import { passesBy } from './header-values.ts';
import type { RequestHead } from './message.ts';

/**
 * How often a request may already have passed a proxy of this name. Proxies in a row may share the default name, so one
 * or two prove nothing; a request that goes round in a circle is stopped after this many rounds.
 */
const passesMax = 4;

/**
 * The status of the proxy's own answer, or null for a request that is to be sent on.
 *
 * @param via the proxy's name in Via; null for none, and then a circle goes unnoticed
 */
export function endsHere(head: RequestHead, via: string | null): 200 | 501 | 508 | null {
  if (via !== null && head.fields.has(kind.via) && passesBy(head.fields, via) >= passesMax) return 508;
  // TRACE is not answered with what was sent (section 9.3.8 only recommends it): nothing here echoes a request.
  if (head.maxForwards === 0) return head.method === 'OPTIONS' ? 200 : 501;
  // OPTIONS for a server as a whole, named in absolute form, asks about this one: it is who was named.
  return head.forwardTarget === '*' && head.target !== '*' ? 200 : null;
}
