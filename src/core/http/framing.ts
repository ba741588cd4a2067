/**
 * How a body is delimited (RFC 9112 section 6), in the strict reading: whatever two parties could read
 * in two ways is refused.
 */
import { kind } from './field-kinds.ts';
import type { FieldLines } from './fields.ts';
import type { Framing, ProtocolError } from './message.ts';
import { refusals } from './refusals.ts';
import { isDigit, isToken } from './tokens.ts';

/** The head that is being read: its fields are there, its framing is to be found. */
export interface FramedHead {
  readonly fields: FieldLines;
  readonly minor: 0 | 1;
  framing: Framing;
  length: number;
}

/** Sets the framing that the fields of `head` name, or `otherwise`. Returns what is wrong with them, or null. */
export function readFraming(head: FramedHead, otherwise: Framing): ProtocolError | null {
  const { fields } = head;
  head.framing = otherwise;
  head.length = 0;
  if (fields.has(kind.framingLookalike)) return refusals.framingLookalike;
  if (fields.has(kind.transferEncoding)) {
    if (fields.has(kind.contentLength)) return refusals.conflictingFraming;
    head.framing = 'chunked';
    return codingRefusal(fields, head.minor);
  }
  if (!fields.has(kind.contentLength)) return null;
  if (fields.repeats(kind.contentLength)) return refusals.repeatedLength;
  const length = parseLength(fields.value(fields.findKind(kind.contentLength)));
  if (length < 0) return refusals.badLength;
  head.framing = 'length';
  head.length = length;
  return null;
}

/** A number of octets in decimal digits and nothing else, or -1. Exact: over 2^53 - 1 is -1 too. */
function parseLength(text: string): number {
  if (text === '') return -1;
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const octet = text.charCodeAt(at);
    if (!isDigit(octet)) return -1;
    length = length * 10 + octet - 0x30;
    if (length > Number.MAX_SAFE_INTEGER) return -1;
  }
  return length;
}

function codingRefusal(fields: FieldLines, minor: 0 | 1): ProtocolError | null {
  if (minor === 0) return refusals.codingInHttp10;
  if (fields.repeats(kind.transferEncoding)) return refusals.badCoding;
  const codings = fields.value(fields.findKind(kind.transferEncoding)).toLowerCase();
  if (codings === 'chunked') return null;
  return wouldEndInChunked(codings) ? refusals.unknownCoding : refusals.badCoding;
}

/** True for a list of tokens that ends in `chunked` and names it once: well formed, but more than is taken. */
function wouldEndInChunked(codings: string): boolean {
  const list = codings.split(/[ \t]*,[ \t]*/);
  return list.every((coding) => isToken(coding)) && list.indexOf('chunked') === list.length - 1;
}
