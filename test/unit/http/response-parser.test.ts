/** What a server's bytes are read as, whole and in pieces. */
import { describe, expect, it } from 'vitest';
import type { ResponseHead } from '../../../src/core/http/message.ts';
import { ResponseParser } from '../../../src/core/http/response-parser.ts';
import { limits, type Played, type PlayedResponse, playResponses } from './replay.ts';
import { type AnswerOptions, chunked, ok, readAnswers, refusedAnswers } from './response-cases.ts';

/** Played whole, cut once at every place, and byte by byte: it is always the same. */
function playAll(text: string, options: AnswerOptions = {}): Played<PlayedResponse> {
  const whole = playResponses(text, options);
  expect(playResponses(text, { ...options, cuts: 'bytes' }), 'byte by byte').toEqual(whole);
  for (let cut = 1; cut < text.length; cut += 1) {
    expect(playResponses(text, { ...options, cuts: [cut] }), `cut after ${cut} bytes`).toEqual(whole);
  }
  return whole;
}

describe('an answer is read', () => {
  it.each(readAnswers)('%s', (_name, text, said, options) => {
    const { messages, error, left } = playAll(text, options);
    expect(error).toBe('');
    expect(left).toBe(0);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ whole: true, ...said });
  });

  it('after interim ones', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\nContent-Length: 5\r\n\r\n';
    const { messages } = playAll(interim + ok('Content-Length: 2\r\n', 'hi'));
    expect(messages.map(({ status, body }) => [status, body])).toEqual([
      [100, ''],
      [103, ''],
      [200, 'hi'],
    ]);
  });

  it('to one request after the other', () => {
    const { messages, left } = playAll(`${ok('Content-Length: 9\r\n')}${chunked('1\r\nx\r\n0\r\n\r\n')}`, {
      methods: ['HEAD', 'GET'],
    });
    expect(messages.map(({ body, whole }) => [body, whole])).toEqual([
      ['', true],
      ['x', true],
    ]);
    expect(left).toBe(0);
  });
});

describe('bytes that nobody asked for', () => {
  it.each([
    ['a second answer', ok('Content-Length: 2\r\n', 'ok'), ok('Content-Length: 6\r\n', 'poison')],
    ['a body of a 204', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', 'hello'],
    ['what a tunnel carries', 'HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n', '\x00\x01'],
  ])('are left: %s', (_name, answer, more) => {
    const { messages, error, left } = playAll(answer + more);
    expect(error).toBe('');
    expect(messages).toHaveLength(1);
    expect(left).toBe(more.length);
  });

  it('are left before a request too', () => {
    const parser = new ResponseParser(limits);
    expect(parser.push(Buffer.from('HTTP/1.1 408 Late\r\n\r\n'), 0, 21)).toBe(0);
    expect(parser.inMessage).toBe(false);
  });
});

describe('an answer is refused', () => {
  it.each(refusedAnswers)('%s: %j', (code, text, options) => {
    const { messages, error } = playAll(text, options);
    expect(error).toBe(code);
    expect(messages.filter(({ whole }) => whole)).toEqual([]);
  });
});

describe('when the server closes', () => {
  it.each([
    ['in the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['in a body of known length', ok('Content-Length: 5\r\n', 'hell')],
    ['in a chunk', chunked('5\r\nhell')],
    ['before the last chunk', chunked('5\r\nhello\r\n')],
    ['in the last chunk', chunked('5\r\nhello\r\n0\r\n')],
    ['after an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('%s, the message is cut', (_name, text) => {
    const { messages, error } = playAll(text, { end: 'closes' });
    expect(error).toBe('premature-close');
    expect(messages.filter(({ status, whole }) => whole && status >= 200)).toEqual([]);
  });

  it('between messages, nothing is said', () => {
    expect(playAll(ok('Content-Length: 0\r\n'), { end: 'closes' })).toMatchObject({ error: '' });
    const parser = new ResponseParser(limits);
    parser.finish();
    parser.expect('GET', silent());
    parser.finish();
    expect(parser.inMessage).toBe(false);
  });
});

it('is done for good once it has switched protocols', () => {
  const said: string[] = [];
  const parser = new ResponseParser(limits);
  const sink = {
    ...silent(),
    responseHead: ({ status }: ResponseHead) => said.push(`head ${status}`),
    responseEnd: () => said.push('end'),
  };
  const text = 'HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n';
  parser.expect('GET', sink);
  const taken = parser.push(Buffer.from(text), 0, text.length);
  parser.expect('GET', sink);
  expect(parser.push(Buffer.from(text), taken, text.length)).toBe(taken);
  parser.finish();
  expect(said).toEqual(['head 101']);
});

it('tells each answer to whoever expects it', () => {
  const parser = new ResponseParser(limits);
  const said: string[] = [];
  for (const name of ['one', 'two']) {
    parser.expect('GET', {
      ...silent(),
      responseHead: ({ status }) => said.push(`${name}: ${status}`),
      responseEnd: () => said.push(`${name}: end`),
    });
    const text = ok('Content-Length: 0\r\n');
    parser.push(Buffer.from(text), 0, text.length);
  }
  expect(said).toEqual(['one: 200', 'one: end', 'two: 200', 'two: end']);
});

it('says when it is inside a message', () => {
  const parser = new ResponseParser(limits);
  const push = (text: string) => parser.push(Buffer.from(text), 0, text.length);
  parser.expect('GET', { ...silent(), responseError: () => {} });
  expect(parser.inMessage).toBe(false);
  push('HTTP/1.1 100 Continue\r\n\r\n');
  expect(parser.inMessage).toBe(true);
  push('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1');
  expect(parser.inMessage).toBe(true);
  push('2');
  expect(parser.inMessage).toBe(false);
});

it('says nothing more once it is stopped', () => {
  const said: string[] = [];
  const parser = new ResponseParser(limits);
  parser.expect('GET', {
    ...silent(),
    responseHead: () => said.push('head'),
    responseBody: () => {
      said.push('body');
      parser.stop();
    },
    responseEnd: () => said.push('end'),
  });
  const text = chunked('1\r\nx\r\n1\r\ny\r\n0\r\n\r\n');
  parser.push(Buffer.from(text), 0, text.length);
  parser.finish();
  expect(said).toEqual(['head', 'body']);
});

/** A sink for what must not be said. */
function silent() {
  return {
    responseInterim: () => {},
    responseHead: () => {},
    responseBody: () => {},
    responseEnd: () => {},
    responseError: () => {
      throw new Error('A refusal was said');
    },
  };
}
