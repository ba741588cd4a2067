/** Answers, and what each is read as or why it is refused. */
import type { PlayedResponse } from './replay.ts';

export const ok = (lines: string, body = '') => `HTTP/1.1 200 OK\r\n${lines}\r\n${body}`;
export const chunked = (body: string) => ok('Transfer-Encoding: chunked\r\n', body);

export type AnswerOptions = { methods?: string[]; end?: 'closes' | 'stays' };

const close = { end: 'closes' } as const;
const head = { methods: ['HEAD'] };

type ReadCase = [name: string, text: string, said: Partial<PlayedResponse>, options?: AnswerOptions];

export const readAnswers: readonly ReadCase[] = [
  ['a length', ok('Content-Length: 5\r\n', 'hello'), { framing: 'length', body: 'hello', keepAlive: true }],
  ['chunks', chunked('5\r\nhello\r\n0\r\n\r\n'), { framing: 'chunked', body: 'hello', keepAlive: true }],
  ['extensions', chunked('5;a=b\r\nhello\r\n0;x\r\n\r\n'), { body: 'hello' }],
  ['trailers', chunked('0\r\nX: 1\r\n\r\n'), { trailers: ['X: 1'] }],
  ['all until the close', ok('', 'hello'), { framing: 'until-close', body: 'hello', keepAlive: false }, close],
  ['a close', ok('Connection: close\r\nContent-Length: 0\r\n'), { framing: 'length', keepAlive: false }],
  ['no reason', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', { status: 200, reason: '' }],
  ['no reason and no space', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', { status: 200, reason: '' }],
  ['a reason', 'HTTP/1.1 404 N\xf6t  here \r\nContent-Length: 0\r\n\r\n', { reason: 'N\xf6t  here ' }],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', { minor: 0, body: 'x', keepAlive: false }],
  [
    'HTTP/1.0 that stays',
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
    { keepAlive: true },
  ],
  ['HTTP/1.2 as 1.1', 'HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n', { minor: 1, keepAlive: true }],
  ['the head of an answer to HEAD', ok('Content-Length: 5\r\n'), { framing: 'none', body: '' }, head],
  ['the same with chunked', ok('Transfer-Encoding: chunked\r\n'), { framing: 'none', body: '' }, head],
  ['the same without framing', ok(''), { framing: 'none', keepAlive: true }, head],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, framing: 'none', keepAlive: true }],
  ['304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', { framing: 'none', body: '' }],
  ['101', 'HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', { status: 101, framing: 'none' }],
];

type RefusedCase = [code: string, text: string, options?: AnswerOptions];

export const refusedAnswers: readonly RefusedCase[] = [
  ['bad-status-line', '<html>hello</html>'],
  ['bad-status-line', 'hTTP/1.1 200 OK\r\n'],
  ['bad-status-line', '\r\nHTTP/1.1 200 OK\r\n'],
  ['bad-status-line', 'HTTP/1.1  200 OK\r\n'],
  ['bad-status-line', 'HTTP/1.1 99 X\r\n'],
  ['bad-status-line', 'HTTP/1.1 099 X\r\n'],
  ['bad-status-line', 'HTTP/1.1 600 X\r\n'],
  ['bad-status-line', 'HTTP/1.1 2000 X\r\n'],
  ['bad-status-line', 'HTTP/1.1 +20 X\r\n'],
  ['bad-status-line', 'HTTP/1.1 200OK\r\n'],
  ['bad-status-line', 'HTTP/1.1 200 O\0K\r\n'],
  ['bad-status-line', 'HTTP/1.1.1 200 OK\r\n'],
  ['unsupported-version', 'HTTP/2.0 200 OK\r\n'],
  ['unsupported-version', 'HTTP/0.9 200 OK\r\n'],
  ['bare-lf', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['bare-cr', 'HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n'],
  ['bare-cr', ok('X: a\rb\r\n')],
  ['bare-lf', ok('X: a\nContent-Length: 0\r\n')],
  ['obs-fold', ok('X: a\r\n b\r\n')],
  ['no-colon', ok('garbage\r\n')],
  ['space-before-colon', ok('Content-Length : 5\r\n', 'hello')],
  ['control-in-value', ok('X: \0\r\n')],
  ['conflicting-framing', ok('Transfer-Encoding: chunked\r\nContent-Length: 30\r\n', '0\r\n\r\n')],
  ['conflicting-framing', ok('Transfer-Encoding: chunked\r\nContent-Length: 30\r\n'), { methods: ['HEAD'] }],
  ['repeated-length', ok('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello!')],
  ['repeated-length', ok('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')],
  ['bad-length', ok('Content-Length: 5, 5\r\n', 'hello')],
  ['bad-length', ok('Content-Length: -5\r\n', 'hello')],
  ['bad-length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: x\r\n\r\n'],
  ['bad-coding', ok('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n')],
  ['bad-coding', ok('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n')],
  ['unknown-coding', ok('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')],
  ['coding-in-http10', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['framing-lookalike', ok('Transfer_Encoding: chunked\r\n')],
  ['bad-chunk-size', chunked('5\r\nhello\r\nzz\r\n')],
  ['bad-chunk-size', chunked('0x5\r\nhello\r\n0\r\n\r\n')],
  ['bad-chunk-end', chunked('3\r\nhello\r\n0\r\n\r\n')],
];
