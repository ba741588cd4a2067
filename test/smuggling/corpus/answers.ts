/** Answers of servers that want to be understood in two ways, or break off: what a client may be given of each. */

export interface AnswerCase {
  readonly name: string;
  /** What the server sends, latin1. */
  readonly bytes: string;
  /** What the server does then. */
  readonly afterwards: 'stays' | 'closes' | 'resets';
  readonly method: 'GET' | 'HEAD';
  /** What the client gets: this whole answer; or one that it can see is not whole. */
  readonly gives: { readonly status: number; readonly text: string } | 'cut';
}

const OK = 'HTTP/1.1 200 OK\r\n';
const STRAY = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nSTRAY';

const ok = (lines: string, rest = ''): string => `${OK}${lines}\r\n${rest}`;
const chunked = (rest: string): string => ok('Transfer-Encoding: chunked\r\n', rest);
const end = '0\r\n\r\n';

const malformed = (name: string, bytes: string): AnswerCase => ({
  name,
  bytes,
  afterwards: 'stays',
  method: 'GET',
  gives: { status: 502, text: 'The server gave no valid answer\n' },
});

const whole = (name: string, bytes: string, text: string, more: Partial<AnswerCase> = {}): AnswerCase => ({
  name,
  bytes,
  afterwards: 'stays',
  method: 'GET',
  gives: { status: 200, text },
  ...more,
});

const brokenOff = (name: string, bytes: string, afterwards: AnswerCase['afterwards']): AnswerCase => ({
  name,
  bytes,
  afterwards,
  method: 'GET',
  gives: 'cut',
});

const badStatusLines = [
  'HTTP/1.1',
  'HTTP/1.1 ',
  'HTTP/1.1 20 OK',
  'HTTP/1.1 2000 OK',
  'HTTP/1.1 2OO OK',
  'HTTP/1.1 +20 OK',
  'HTTP/1.1 000 OK',
  'HTTP/1.1 099 OK',
  'HTTP/1.1 600 OK',
  'HTTP/1.1 999 OK',
  'HTTP/1.1  200 OK',
  'HTTP/1.1\t200 OK',
  'HTTP/1.1 200\tOK',
  'HTTP/1.1 200OK',
  ' HTTP/1.1 200 OK',
  '\r\nHTTP/1.1 200 OK',
  'http/1.1 200 OK',
  'HTTP/11.1 200 OK',
  'HTTP/1.1.1 200 OK',
  'HTTP/2.0 200 OK',
  'HTTP/2 200',
  'HTTP/0.9 200 OK',
  'ICY 200 OK',
  'RTSP/1.0 200 OK',
  'HTTP/1.1 200 O\0K',
  'HTTP/1.1 200 O\rK',
  'HTTP/1.1 200 \x1b',
  '<html>',
  'GET / HTTP/1.1',
  '200 OK',
];

const badLines = [
  'X : y',
  'X\t: y',
  ' X: y',
  'X: y\r\n z',
  'X',
  ': y',
  'X\0: y',
  'X: \0',
  'X: a\rb',
  'X: a\nContent-Length: 0',
  'X: a\r\r',
  'X: \x7f',
  'Content-Length : 5',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 5\r\nContent-Length: 5',
  'Content-Length: 5, 5',
  'Content-Length: +5',
  'Content-Length: -5',
  'Content-Length: 5x',
  'Content-Length: 0x5',
  'Content-Length:',
  'Content-Length: 18446744073709551621',
  'Content_Length: 5',
  'Content-Length:\r\n 5',
  'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: identity\r\nContent-Length: 5',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding\v: chunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding:',
  'Transfer_Encoding: chunked',
];

/** Behind a good chunk, in place of what should follow. */
const badChunks = [
  'x\r\n',
  '\r\n',
  '-1\r\n',
  '0x5\r\nhello\r\n',
  '5 \r\nhello\r\n',
  '5\nhello\r\n',
  '5\r\nhello\n',
  '5\r\nhelloX',
  '5\r\nhell\r\n',
  '5;\r\nhello\r\n',
  '5;a="\n"\r\nhello\r\n',
  '5;a=\0\r\nhello\r\n',
  'fffffffffffffffff\r\nhello\r\n',
  '0\n\r\n',
  '0\r\n\n',
  '0\r\n\r\r\n',
  '0\r\nX : y\r\n\r\n',
  '0\r\n X: y\r\n\r\n',
  '0\r\nX: \0\r\n\r\n',
  STRAY,
];

const EVIL_TRAILERS =
  'Content-Length: 1\r\nSet-Cookie: dynsoftup=x\r\nLocation: http://evil/\r\nTransfer-Encoding: x\r\n';

export const answerCases: readonly AnswerCase[] = [
  ...badStatusLines.map((line) =>
    malformed(`the line ${JSON.stringify(line)}`, `${line}\r\nContent-Length: 5\r\n\r\nhello`),
  ),
  ...badLines.map((lines) => malformed(`the lines ${JSON.stringify(lines)}`, ok(`${lines}\r\n`, 'hello'))),
  malformed('lines that end in LF', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'),
  malformed('a coding in HTTP/1.0', `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n${end}`),
  malformed('a head of 40 kB', ok(`X: ${'y'.repeat(40_000)}\r\nContent-Length: 5\r\n`, 'hello')),
  malformed('200 fields', ok(`${'X: y\r\n'.repeat(200)}Content-Length: 5\r\n`, 'hello')),
  malformed(
    'a switch that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
  ),
  malformed('an interim answer, then junk', 'HTTP/1.1 103 Early Hints\r\n\r\njunk\r\n\r\n'),
  ...badChunks.map((chunk) =>
    brokenOff(`the chunk ${JSON.stringify(chunk)}`, chunked(`5\r\nhello\r\n${chunk}${end}`), 'stays'),
  ),
  brokenOff('a length that is not reached', ok('Content-Length: 6\r\n', 'hello'), 'closes'),
  brokenOff('a length that is not reached, and a reset', ok('Content-Length: 6\r\n', 'hello'), 'resets'),
  brokenOff('chunks without an end', chunked('5\r\nhello\r\n'), 'closes'),
  brokenOff('chunks without an end, and a reset', chunked('5\r\nhello\r\n'), 'resets'),
  brokenOff('half a chunk', chunked('5\r\nhe'), 'closes'),
  brokenOff('half a chunk line', chunked('5\r\nhello\r\n5'), 'closes'),
  brokenOff('a last chunk without its empty line', chunked('5\r\nhello\r\n0\r\n'), 'closes'),
  brokenOff('half a trailer', chunked('5\r\nhello\r\n0\r\nX: y\r\n'), 'closes'),
  brokenOff('a body to the end of the connection, and a reset', ok('', 'hello'), 'resets'),
  whole('a body to the end of the connection', ok('', 'hello'), 'hello', { afterwards: 'closes' }),
  whole('a body to the end of an HTTP/1.0 connection', 'HTTP/1.0 200 OK\r\n\r\nhello', 'hello', {
    afterwards: 'closes',
  }),
  whole('a body to the end that looks like an answer', ok('', STRAY), STRAY, { afterwards: 'closes' }),
  whole('a second answer behind the first', ok('Content-Length: 5\r\n', `hello${STRAY}`), 'hello'),
  whole('a second answer behind a chunked one', chunked(`5\r\nhello\r\n${end}${STRAY}`), 'hello'),
  whole('a second answer behind an empty one', ok('Content-Length: 0\r\n', STRAY), ''),
  whole('junk behind an answer', ok('Content-Length: 5\r\n', 'hello\r\n\r\n\0'), 'hello'),
  whole('a body longer than its length', ok('Content-Length: 3\r\n', 'hello'), 'hel'),
  whole('an answer in a body', ok(`Content-Length: ${STRAY.length}\r\n`, STRAY), STRAY),
  whole('a body for HEAD', ok('Content-Length: 5\r\n', 'hello'), '', { method: 'HEAD' }),
  whole('an answer as the body for HEAD', ok(`Content-Length: ${STRAY.length}\r\n`, STRAY), '', { method: 'HEAD' }),
  whole('a chunked body for HEAD', chunked(`5\r\nhello\r\n${end}`), '', { method: 'HEAD' }),
  ...[204, 304].flatMap((status) => [
    whole(`a body behind ${status}`, `HTTP/1.1 ${status} X\r\nContent-Length: 5\r\n\r\nhello`, '', {
      gives: { status, text: '' },
    }),
    whole(
      `chunks behind ${status}`,
      `HTTP/1.1 ${status} X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n${end}`,
      '',
      {
        gives: { status, text: '' },
      },
    ),
  ]),
  whole(
    'lengths in interim answers',
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 500\r\n\r\n${ok('Content-Length: 5\r\n', 'hello')}`,
    'hello',
  ),
  whole('100 that was not asked for', `HTTP/1.1 100 Continue\r\n\r\n${ok('Content-Length: 5\r\n', 'hello')}`, 'hello'),
  whole('extensions of chunks', chunked(`5;a="b;c"\r\nhello\r\n${end}`), 'hello'),
  whole('trailers that would steer', chunked(`5\r\nhello\r\n0\r\n${EVIL_TRAILERS}\r\n`), 'hello'),
  whole(
    'a coding that Connection names',
    ok('Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n', `5\r\nhello\r\n${end}`),
    'hello',
  ),
  whole('a length that Connection names', ok('Connection: Content-Length\r\nContent-Length: 5\r\n', 'hello'), 'hello'),
  whole('a status without a reason', 'HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello', 'hello'),
  whole('an encoded CR LF in a value', ok('Location: /%0d%0aX:y\r\nContent-Length: 5\r\n', 'hello'), 'hello'),
];
