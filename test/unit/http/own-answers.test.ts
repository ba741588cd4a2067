/** The proxy's own answers, their Date, and what it writes around chunks. */
import { describe, expect, it } from 'vitest';
import { chunkHead, lastChunk } from '../../../src/core/http/chunked-encoding.ts';
import { DateLine } from '../../../src/core/http/http-date.ts';
import { type OwnAnswer, ownAnswer } from '../../../src/core/http/own-answers.ts';
import { playResponses } from './replay.ts';

const options: OwnAnswer = { dateLine: 'Date: now\r\n', connection: 'close', method: 'GET' };

describe('an own answer', () => {
  it.each([200, 400, 408, 413, 414, 417, 431, 500, 501, 502, 503, 504, 505, 508] as const)('%i is whole', (status) => {
    const text = ownAnswer(status, options);
    const { messages, left } = playResponses(text);
    expect(left).toBe(0);
    expect(messages[0]).toMatchObject({ status, framing: 'length', keepAlive: false, whole: true });
    expect(messages[0]?.body).toMatch(/^[A-Z][^\n]+[^.]\n$/);
  });

  it('is text, dated, and tells when to come back', () => {
    expect(ownAnswer(503, { ...options, reason: 'No', retryAfter: 7 })).toBe(
      'HTTP/1.1 503 Service Unavailable\r\nDate: now\r\nContent-Type: text/plain; charset=utf-8\r\n' +
        'Content-Length: 3\r\nRetry-After: 7\r\nConnection: close\r\n\r\nNo\n',
    );
    expect(ownAnswer(503, options)).toContain('\r\nRetry-After: 1\r\n');
    expect(ownAnswer(502, options)).not.toContain('Retry-After');
  });

  it('has no body for HEAD, and lets a connection be', () => {
    const text = ownAnswer(502, { ...options, method: 'HEAD', connection: 'keep-alive' });
    expect(text).toMatch(/\r\nContent-Length: \d+\r\n\r\n$/);
    expect(text).not.toContain('Connection');
  });
});

it('dates by the second', () => {
  const date = new DateLine();
  expect(date.at(784111777999)).toBe('Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n');
  expect(date.at(784111778000)).toBe('Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n');
  expect(date.at(0)).toBe('Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n');
});

it('writes chunks', () => {
  expect(chunkHead(26)).toBe('1a\r\n');
  expect(lastChunk('')).toBe('0\r\n\r\n');
  expect(lastChunk('X: 1\r\n')).toBe('0\r\nX: 1\r\n\r\n');
});
