/** Requests of one client connection, from bytes to callbacks. */
import type { MessageLimits, RequestSink } from './message.ts';
import type { RequestMessageParser } from './parsers.ts';

export class RequestParser implements RequestMessageParser {
  readonly inMessage: boolean = false;
  constructor(_sink: RequestSink, _limits: MessageLimits) {}
  push(_bytes: Buffer, from: number, _to: number): number {
    return from;
  }
  next(): void {}
  stop(): void {}
}
