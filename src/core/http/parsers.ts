/**
 * The two parsers as the data plane sees them; `request-parser.ts` and `response-parser.ts` implement them.
 */

import type { ResponseSink } from './message.ts';

export interface MessageParser {
  /**
   * Takes bytes `from` to `to` and calls the sink. Returns the offset of the first byte not taken:
   * `to`, or less when the message ended (or failed, or switched protocols) before it. After the end
   * of a message the parser takes nothing until `next` is called. A sink callback may call `stop`,
   * after which no further callback comes from this call.
   */
  push(bytes: Buffer, from: number, to: number): number;
  /** Ends the work on the current message for good: the connection is being given up. */
  stop(): void;
  /** True from the first byte of a message to its end. */
  readonly inMessage: boolean;
}

export interface RequestMessageParser extends MessageParser {
  /** Ready for the next request of the connection; only after `requestEnd`. */
  next(): void;
}

export interface ResponseMessageParser extends MessageParser {
  /** Ready for the answer to a request with this method, which `sink` is told; only when no answer is under way. */
  expect(method: string, sink: ResponseSink): void;
  /**
   * The server closed its side. Ends an `until-close` body (`responseEnd`); in any other place of a
   * message it is a `responseError` with code `premature-close`; between messages, and before the first
   * byte of an answer, it does nothing.
   */
  finish(): void;
}
