/** Text of a message, through parser and forwarding rules, to the text that is sent on. */

import type { FieldLines } from '../../../src/core/http/fields.ts';
import {
  forwardRequestHead,
  forwardResponseHead,
  forwardTrailers,
  type RequestForwarding,
  type ResponseForwarding,
} from '../../../src/core/http/forward.ts';
import type { RequestHead } from '../../../src/core/http/message.ts';
import { RequestParser } from '../../../src/core/http/request-parser.ts';
import { ResponseParser } from '../../../src/core/http/response-parser.ts';
import { limits } from './replay.ts';

/** The head and the trailer lines that are sent to a server for the request in `text`. */
export function forwardAsked(text: string, options: Partial<RequestForwarding> = {}) {
  const forwarding = { clientIp: '192.0.2.1', proto: 'http', via: 'cutover', expect: 'drop', upgrade: '' } as const;
  const sent = { head: '', body: '', trailers: '' };
  let fields: FieldLines;
  const parser = new RequestParser(
    {
      requestHead: (head) => {
        fields = head.fields;
        sent.head = forwardRequestHead(head, { ...forwarding, ...options });
      },
      requestBody: (bytes, from, to) => {
        sent.body += bytes.toString('latin1', from, to);
      },
      requestEnd: (trailers) => {
        sent.trailers = trailers === null ? '' : forwardTrailers(trailers, fields);
      },
      requestError: ({ code }) => {
        throw new Error(`Failed to read the request: ${code}`);
      },
    },
    limits,
  );
  parser.push(Buffer.from(text, 'latin1'), 0, text.length);
  return sent;
}

/** The work on a request from its bytes to those that are sent on; a refused one is worked on as far as it goes. */
export function readAndForward(text: string, look: (head: RequestHead) => void): void {
  const bytes = Buffer.from(text, 'latin1');
  let head: RequestHead | null = null;
  const parser = new RequestParser(
    {
      requestHead: (read) => {
        head = read;
        look(read);
        forwardRequestHead(read, {
          clientIp: '192.0.2.1',
          proto: 'http',
          via: 'cutover',
          expect: 'keep',
          upgrade: read.upgrade,
        });
      },
      requestBody: () => {},
      requestEnd: (trailers) => {
        if (trailers !== null && head !== null) forwardTrailers(trailers, head.fields);
      },
      requestError: () => {},
    },
    limits,
  );
  parser.push(bytes, 0, bytes.length);
}

/** The head that is sent to a client for the answer in `text`. */
export function forwardAnswer(text: string, options: Partial<ResponseForwarding> = {}): string {
  const forwarding = { method: 'GET', connection: 'keep-alive', framing: 'length', via: null } as const;
  let sent = '';
  const parser = new ResponseParser(limits);
  parser.expect(options.method ?? 'GET', {
    responseInterim: () => {},
    responseHead: (head) => {
      sent = forwardResponseHead(head, { ...forwarding, extraLines: '', date: null, ...options });
    },
    responseBody: () => {},
    responseEnd: () => {},
    responseError: ({ code }) => {
      throw new Error(`Failed to read the response: ${code}`);
    },
  });
  parser.push(Buffer.from(text, 'latin1'), 0, text.length);
  return sent;
}
