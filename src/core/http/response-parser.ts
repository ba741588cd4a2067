/** Responses of one server connection, from bytes to callbacks. */
import type { MessageLimits, ResponseSink } from './message.ts';
import type { ResponseMessageParser } from './parsers.ts';

export class ResponseParser implements ResponseMessageParser {
  readonly inMessage: boolean = false;
  constructor(_sink: ResponseSink, _limits: MessageLimits) {}
  push(_bytes: Buffer, from: number, _to: number): number {
    return from;
  }
  expect(_method: string): void {}
  finish(): void {}
  stop(): void {}
}
