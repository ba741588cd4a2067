/**
 * Plays bytes through a parser, cut in any way, and writes down what it says: the common ground of the
 * codec's tests. What is written down is plain data, so that two plays can be compared whole.
 */
import type { FieldLines } from '../../../src/core/http/fields.ts';
import type {
  MessageLimits,
  ProtocolError,
  RequestHead,
  ResponseHead,
  ResponseSink,
} from '../../../src/core/http/message.ts';
import type { MessageParser } from '../../../src/core/http/parsers.ts';
import { RequestParser } from '../../../src/core/http/request-parser.ts';
import { ResponseParser } from '../../../src/core/http/response-parser.ts';

export const limits: MessageLimits = { requestLineBytes: 8192, headerBytes: 32768, fieldCount: 100 };

export interface PlayedRequest {
  method: string;
  target: string;
  forwardTarget: string;
  host: string;
  minor: 0 | 1;
  framing: string;
  keepAlive: boolean;
  expectsContinue: boolean;
  upgrade: string;
  fields: string[];
  body: string;
  trailers: string[];
  whole: boolean;
}

export interface PlayedResponse {
  status: number;
  reason: string;
  minor: 0 | 1;
  framing: string;
  keepAlive: boolean;
  fields: string[];
  body: string;
  trailers: string[];
  whole: boolean;
}

export interface Played<T> {
  messages: T[];
  /** The code of what was refused, '' for nothing. */
  error: string;
  status: number;
  /** How many bytes were not taken. */
  left: number;
}

/** Where to cut: every byte alone, or after the bytes with these offsets. */
export type Cuts = 'whole' | 'bytes' | readonly number[];

/** All requests of a connection, to its end, to the first refused one, or to one that allows no other. */
export function playRequests(text: string, cuts: Cuts = 'whole', bounds = limits): Played<PlayedRequest> {
  const played: Played<PlayedRequest> = { messages: [], error: '', status: 0, left: 0 };
  const last = () => played.messages.at(-1) as PlayedRequest;
  const parser = new RequestParser(
    {
      requestHead: (head) => played.messages.push(recordRequest(head)),
      requestBody: (bytes, from, to) => {
        last().body += bytes.toString('latin1', from, to);
      },
      requestEnd: (trailers) => {
        last().trailers = trailers === null ? [] : lines(trailers);
        last().whole = true;
      },
      requestError: (error) => refuse(played, error),
    },
    bounds,
  );
  played.left = feed(text, cuts, parser, () => {
    if (played.error !== '' || !last().keepAlive) return false;
    parser.next();
    return true;
  });
  return played;
}

/** The answers to requests with these methods; `closes` when the server closes after its last byte. */
export function playResponses(
  text: string,
  options: { methods?: readonly string[]; cuts?: Cuts; bounds?: MessageLimits; end?: 'closes' | 'stays' } = {},
): Played<PlayedResponse> {
  const played: Played<PlayedResponse> = { messages: [], error: '', status: 0, left: 0 };
  const methods = [...(options.methods ?? ['GET'])];
  const last = () => played.messages.at(-1) as PlayedResponse;
  let ended = false;
  const open = (head: ResponseHead) => played.messages.push(recordResponse(head));
  const sink: ResponseSink = {
    responseInterim: (head) => {
      open(head);
      last().whole = true;
    },
    responseHead: (head) => {
      open(head);
      if (head.status === 101) last().whole = true;
    },
    responseBody: (bytes, from, to) => {
      last().body += bytes.toString('latin1', from, to);
    },
    responseEnd: (trailers) => {
      last().trailers = trailers === null ? [] : lines(trailers);
      last().whole = true;
      ended = true;
    },
    responseError: (error) => refuse(played, error),
  };
  const parser = new ResponseParser(options.bounds ?? limits);
  parser.expect(methods.shift() as string, sink);
  played.left = feed(text, options.cuts ?? 'whole', parser, () => {
    const method = methods.shift();
    if (!ended || method === undefined) return false;
    ended = false;
    parser.expect(method, sink);
    return true;
  });
  if (options.end === 'closes') parser.finish();
  return played;
}

/** Pushes the pieces; where the parser takes no more, `goOn` readies it for the next message or says no. */
function feed(text: string, cuts: Cuts, parser: MessageParser, goOn: () => boolean): number {
  // The bytes lie in a larger buffer, as they do on a connection: nothing outside of them may be looked at.
  const margin = 3;
  const whole = Buffer.from(`\r\n\r${text}\n\r\n`, 'latin1');
  let from = margin;
  for (const to of ends(text.length, cuts)) {
    let at = from;
    while (at < margin + to) {
      at = parser.push(whole, at, margin + to);
      if (at < margin + to && !goOn()) return margin + text.length - at;
    }
    from = margin + to;
  }
  return 0;
}

function ends(length: number, cuts: Cuts): number[] {
  if (cuts === 'whole') return [length];
  if (cuts === 'bytes') return Array.from({ length }, (_, index) => index + 1);
  return [...cuts.filter((cut) => cut < length), length];
}

function recordRequest(head: RequestHead): PlayedRequest {
  const { method, target, forwardTarget, host, minor, framing, keepAlive, expectsContinue, upgrade } = head;
  const said = { method, target, forwardTarget, host, minor, framing, keepAlive, expectsContinue, upgrade };
  return { ...said, fields: lines(head.fields), body: '', trailers: [], whole: false };
}

function recordResponse(head: ResponseHead): PlayedResponse {
  const { status, reason, minor, framing, keepAlive } = head;
  return {
    status,
    reason,
    minor,
    framing,
    keepAlive,
    fields: lines(head.fields),
    body: '',
    trailers: [],
    whole: false,
  };
}

function lines(fields: FieldLines): string[] {
  return Array.from({ length: fields.count }, (_, index) => `${fields.name(index)}: ${fields.value(index)}`);
}

function refuse(played: Played<unknown>, error: ProtocolError): void {
  played.error = error.code;
  played.status = error.status;
}
