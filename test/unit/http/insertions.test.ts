/** One NUL, CR or LF more, anywhere in a message, is never read as a second message. */
import { describe, expect, it } from 'vitest';
import { requests, responses } from './corpus.ts';
import { requestsAgree, responseAgrees } from './node-agrees.ts';
import { playRequests, playResponses } from './replay.ts';

/** `text` with `octet` put in at each place. */
function insertions(text: string): string[] {
  return ['\0', '\r', '\n'].flatMap((octet) =>
    Array.from({ length: text.length + 1 }, (_, at) => text.slice(0, at) + octet + text.slice(at)),
  );
}

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
});

describe('in a response', () => {
  it.each(responses)('%j', async (response) => {
    for (const text of insertions(response)) {
      const { messages } = playResponses(text);
      expect(messages.filter(({ status, whole }) => whole && status >= 200).length).toBeLessThanOrEqual(1);
      await responseAgrees(text, 'GET', 'bytes');
    }
  });
});
