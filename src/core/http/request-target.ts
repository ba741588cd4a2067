/**
 * What a request target asks for (RFC 9112 section 3.2): origin-form as it is, absolute-form split into
 * authority and the rest, `*` for OPTIONS alone. CONNECT, and so authority-form, is not served.
 */
import { isHost } from './host.ts';
import type { ProtocolError } from './message.ts';
import { refusals } from './refusals.ts';

export interface Target {
  readonly method: string;
  readonly target: string;
  /** What is sent to a server. */
  forwardTarget: string;
  /** The authority of an absolute-form target, else ''. */
  host: string;
}

/** Sets `forwardTarget` and `host`. Returns what is wrong with the target, or null. */
export function readTarget(head: Target): ProtocolError | null {
  head.host = '';
  head.forwardTarget = head.target;
  if (head.method === 'CONNECT') return refusals.connect;
  if (head.target.charCodeAt(0) === 0x2f) return null;
  if (head.target === '*') return head.method === 'OPTIONS' ? null : refusals.badTargetForm;
  return readAbsolute(head);
}

function readAbsolute(head: Target): ProtocolError | null {
  const { target } = head;
  const start = schemeBytes(target);
  if (start === 0) return refusals.badTargetForm;
  let end = start;
  while (end < target.length && target[end] !== '/' && target[end] !== '?') end += 1;
  head.host = target.slice(start, end);
  if (head.host === '' || !isHost(head.host)) return refusals.badTargetForm;
  const rest = target.slice(end);
  if (rest === '') head.forwardTarget = head.method === 'OPTIONS' ? '*' : '/';
  else head.forwardTarget = rest.startsWith('/') ? rest : `/${rest}`;
  return null;
}

/** The length of `http://` or `https://` at the start, 0 for any other scheme. */
function schemeBytes(target: string): number {
  const lower = target.slice(0, 8).toLowerCase();
  if (lower.startsWith('http://')) return 7;
  return lower === 'https://' ? 8 : 0;
}
