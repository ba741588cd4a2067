/**
 * The lists that the proxy itself obeys: Connection, Upgrade, TE and Expect (RFC 9110 sections 5.6.1,
 * 7.6.1, 7.8, 10.1). An element that is malformed has no meaning and is passed over.
 */
import { kind } from './field-kinds.ts';
import type { FieldLines } from './fields.ts';
import { HTAB, isDigit, isToken, SP } from './tokens.ts';

/** What Connection says, as bits; `names` for an option that is, or may be, another field's name. */
export const option = { close: 1, keepAlive: 2, upgrade: 4, names: 8 } as const;

/** The `option` bits of all Connection lines. */
export function connectionOptions(fields: FieldLines): number {
  if (!fields.has(kind.connection)) return 0;
  if (!fields.repeats(kind.connection)) {
    // Nearly all there is in practice, read without a list.
    const value = fields.value(fields.findKind(kind.connection));
    if (value === 'keep-alive') return option.keepAlive;
    if (value === 'close') return option.close;
  }
  let options = 0;
  for (const element of elements(fields, kind.connection)) {
    const name = element.toLowerCase();
    if (name === 'close') options |= option.close;
    else if (name === 'keep-alive') options |= option.keepAlive;
    else if (name === 'upgrade') options |= option.upgrade;
    else options |= option.names;
  }
  return options;
}

/** The names, in lower case, of the fields that Connection keeps from being forwarded. */
export function nominatedNames(fields: FieldLines): Set<string> {
  return new Set(elements(fields, kind.connection).map((name) => name.toLowerCase()));
}

/** The protocols that Upgrade offers, but for HTTP/2, as one value; '' for none. */
export function offeredProtocols(fields: FieldLines): string {
  return elements(fields, kind.upgrade)
    .filter((protocol) => isProtocol(protocol) && !isHttp2(protocol))
    .join(', ');
}

/**
 * True when the Upgrade field of a 101 names protocols, and only such as were offered (RFC 9110 section
 * 7.8). `offered` is the value that was sent to the server.
 */
export function acceptsOffer(offered: string, fields: FieldLines): boolean {
  const offers = offered.toLowerCase().split(', ');
  const named = elements(fields, kind.upgrade);
  return named.length > 0 && named.every((protocol) => isProtocol(protocol) && offers.includes(protocol.toLowerCase()));
}

/** True for `TE: trailers`, with or without codings beside it. */
export function takesTrailers(fields: FieldLines): boolean {
  return fields.has(kind.te) && elements(fields, kind.te).some((element) => element.toLowerCase() === 'trailers');
}

/** What Expect asks for: nothing, `100-continue`, or something that is not known. */
export function expectation(fields: FieldLines): 'none' | 'continue' | 'unknown' {
  if (!fields.has(kind.expect)) return 'none';
  const value = fields.value(fields.findKind(kind.expect)).toLowerCase();
  return value === '100-continue' && !fields.repeats(kind.expect) ? 'continue' : 'unknown';
}

/** The largest Max-Forwards that is told apart from larger ones. */
const maxForwardsMax = 1_000_000_000;

/** Max-Forwards, or -1 where there is none, more than one, or no number. */
export function maxForwards(fields: FieldLines): number {
  if (!fields.has(kind.maxForwards) || fields.repeats(kind.maxForwards)) return -1;
  const value = fields.value(fields.findKind(kind.maxForwards));
  if (value === '') return -1;
  for (let at = 0; at < value.length; at += 1) {
    if (!isDigit(value.charCodeAt(at))) return -1;
  }
  return Math.min(Number(value), maxForwardsMax);
}

/** How often Via says that the message was received by a proxy of this name (RFC 9110 section 7.6.3). */
export function passesBy(fields: FieldLines, name: string): number {
  let passes = 0;
  for (const hop of elements(fields, kind.via)) {
    const [, receivedBy] = hop.split(/[ \t]+/, 2);
    if (receivedBy === name) passes += 1;
  }
  return passes;
}

/** The elements of all lines of one kind, empty ones left out. */
function elements(fields: FieldLines, fieldKind: number): string[] {
  const list: string[] = [];
  for (let index = fields.findKind(fieldKind); index >= 0; index = fields.findKind(fieldKind, index + 1)) {
    for (const piece of fields.value(index).split(',')) {
      const element = withoutBlanks(piece);
      if (element !== '') list.push(element);
    }
  }
  return list;
}

/** True for server-sent events, whose reader waits for each one (WHATWG HTML, section 9.2). */
export function isEventStream(fields: FieldLines): boolean {
  return (fields.get('content-type') ?? '').toLowerCase().startsWith('text/event-stream');
}

/** Without the spaces and tabs around it; `trim` would also take octets such as 0xa0 for white space. */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(octet: number): boolean {
  return octet === SP || octet === HTAB;
}

/** `token [ "/" token ]` */
function isProtocol(text: string): boolean {
  const slash = text.indexOf('/');
  return slash < 0 ? isToken(text) : isToken(text.slice(0, slash)) && isToken(text.slice(slash + 1));
}

/** HTTP/2 over an upgraded connection would carry requests past this proxy, unseen. */
function isHttp2(protocol: string): boolean {
  const lower = protocol.toLowerCase();
  return lower === 'h2c' || lower === 'h2' || lower.startsWith('h2c/') || lower.startsWith('http/');
}
