/** One NUL, CR or LF more, anywhere in a message, is never read as a second message, nor as one more field. */
import { describe, expect, it } from 'vitest';
import { requests, responses } from './corpus.ts';
import { requestsAgree, responseAgrees } from './node-agrees.ts';
import { playRequests, playResponses } from './replay.ts';
import { readRequests, refusedRequests } from './request-cases.ts';
import { readAnswers, refusedAnswers } from './response-cases.ts';

/** `text` with each octet put in at each place. */
function* insertions(text: string): Generator<string> {
  for (const octet of ['\0', '\r', '\n']) {
    for (let at = 0; at <= text.length; at += 1) yield text.slice(0, at) + octet + text.slice(at);
  }
}

/** Lines of head and trailers, of what is whole. */
const linesIn = (
  messages: readonly { readonly fields: string[]; readonly trailers: string[]; readonly whole: boolean }[],
) => messages.filter(({ whole }) => whole).map(({ fields, trailers }) => [fields.length, trailers.length]);

describe('in a request', () => {
  it.each(requests)('%j', async (request) => {
    const plain = playRequests(request);
    for (const text of insertions(request)) {
      const { messages } = playRequests(text);
      const whole = messages.filter((message) => message.whole);
      expect(whole.length, JSON.stringify(text)).toBeLessThanOrEqual(1);
      // What is still accepted has not lost a field, nor gained one.
      if (whole[0] !== undefined) expect(whole[0].fields.length).toBe(plain.messages[0]?.fields.length);
      await requestsAgree(text, 'bytes');
    }
  });

  it.each(readRequests)('that is read: %s', (_name, request) => {
    const plain = linesIn(playRequests(request).messages);
    for (const text of insertions(request)) {
      const { messages, error } = playRequests(text);
      const lines = linesIn(messages);
      expect(lines.length, JSON.stringify(text)).toBeLessThanOrEqual(1);
      if (lines.length === 1) expect(lines, JSON.stringify(text)).toEqual(plain);
      // It is refused, or still whole, or there is more to come: it is never taken for another.
      else expect([error !== '', messages.length], JSON.stringify(text)).not.toEqual([false, 2]);
    }
  });

  it.each(refusedRequests)('that is refused, %s %i: %j', (_code, _status, request) => {
    for (const text of insertions(request)) {
      const { messages } = playRequests(text);
      expect(messages.filter(({ whole }) => whole).length, JSON.stringify(text)).toBeLessThanOrEqual(1);
      expect(messages.length, JSON.stringify(text)).toBeLessThanOrEqual(2);
    }
  });
});

describe('in a response', () => {
  it.each(responses)('%j', async (response) => {
    for (const text of insertions(response)) {
      const { messages } = playResponses(text);
      expect(messages.filter(({ status, whole }) => whole && status >= 200).length).toBeLessThanOrEqual(1);
      await responseAgrees(text, 'GET', 'bytes');
    }
  });

  it.each(readAnswers)('that is read: %s', (_name, response, _said, options) => {
    const plain = linesIn(playResponses(response, options).messages);
    for (const text of insertions(response)) {
      const { messages } = playResponses(text, options);
      const lines = linesIn(messages);
      expect(lines.length, JSON.stringify(text)).toBeLessThanOrEqual(1);
      if (lines.length === 1) expect(lines, JSON.stringify(text)).toEqual(plain);
    }
  });

  it.each(refusedAnswers)('that is refused, %s: %j', (_code, response, options) => {
    for (const text of insertions(response)) {
      const { messages } = playResponses(text, options);
      expect(
        messages.filter(({ status, whole }) => whole && status >= 200).length,
        JSON.stringify(text),
      ).toBeLessThanOrEqual(1);
    }
  });
});
