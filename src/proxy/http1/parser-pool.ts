/**
 * Parsers that are used again. One is lent to a connection while an answer is awaited on it, so that an idle connection has
 * none: of a thousand connections of which a few are busy, few are what the processor has to fetch.
 */
import type { MessageLimits } from '../../core/http/message.ts';
import { ResponseParser } from '../../core/http/response-parser.ts';

/** So many lie ready; what a burst needed beyond them is let go. */
const FREE_MAX = 256;

export class ParserPool {
  readonly #limits: MessageLimits;
  readonly #free: ResponseParser[] = [];

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  /** The one that was given back last is the likeliest to be in a cache. */
  take(): ResponseParser {
    return this.#free.pop() ?? new ResponseParser(this.#limits);
  }

  /** Takes one back whose message has ended, once it has nothing more to do with the bytes it was given. */
  give(parser: ResponseParser): void {
    if (this.#free.length < FREE_MAX) this.#free.push(parser);
  }
}
