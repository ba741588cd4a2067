/** What a client's bytes are read as, whole and in pieces. */
import { describe, expect, it } from 'vitest';
import { type Played, type PlayedRequest, playRequests } from './replay.ts';

/** A request for which only `Host: a` and what the case is about is said. */
const get = (lines: string, body = '') => `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`;
const post = (lines: string, body = '') => `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`;
const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body);

/** Nothing in a target is decoded, resolved or mended. */
const oddTarget = '//a/../%2e%0d%zz|?x=[|^{}`\\]?/';

/** Played whole, cut once at every place, and byte by byte: it is always the same. */
function playAll(text: string): Played<PlayedRequest> {
  const whole = playRequests(text);
  expect(playRequests(text, 'bytes'), 'byte by byte').toEqual(whole);
  for (let cut = 1; cut < text.length; cut += 1) {
    expect(playRequests(text, [cut]), `cut after ${cut} bytes`).toEqual(whole);
  }
  return whole;
}

describe('a request is read', () => {
  const cases: [name: string, text: string, said: Partial<PlayedRequest>][] = [
    ['origin-form', get(''), { method: 'GET', target: '/', forwardTarget: '/', host: 'a', framing: 'none' }],
    ['fields', get('X-A:  b c \t\r\nx-a:\r\n'), { fields: ['Host: a', 'X-A: b c', 'x-a: '] }],
    ['obs-text in a value', get('X: D\xc3\xbcsseldorf\r\n'), { fields: ['Host: a', 'X: D\xc3\xbcsseldorf'] }],
    ['every token octet in a name', get("!#$%&'*+-.^_`|~09azAZ: 1\r\n"), { whole: true }],
    ['a length', post('Content-Length: 5\r\n', 'hello'), { framing: 'length', body: 'hello' }],
    ['a length with leading zeros', post('Content-Length: 005\r\n', 'hello'), { framing: 'length', body: 'hello' }],
    ['a length of 0', post('Content-Length: 0\r\n'), { framing: 'length', body: '', whole: true }],
    ['a body with CRLFs', post('Content-Length: 8\r\n', '\r\n\r\n\r\n\r\n'), { body: '\r\n\r\n\r\n\r\n' }],
    ['a body of a GET', get('Content-Length: 2\r\n', 'hi'), { method: 'GET', body: 'hi' }],
    ['chunks', chunked('5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'), { framing: 'chunked', body: 'hello world' }],
    ['CHUNKED', post('transfer-ENCODING: CHUNKED\r\n', '1\r\nx\r\n0\r\n\r\n'), { body: 'x' }],
    ['sizes in either case, with zeros', chunked(`0A\r\n0123456789\r\n00\r\n\r\n`), { body: '0123456789' }],
    ['extensions', chunked('1;a\r\nx\r\n1 ; a = b;c="d;\\""\r\nx\r\n0\r\n\r\n'), { body: 'xx' }],
    ['an extension on the last chunk', chunked('0;last\r\n\r\n'), { body: '', whole: true }],
    ['trailers', chunked('0\r\nX-Sum: 1\r\nX-More:2\r\n\r\n'), { trailers: ['X-Sum: 1', 'X-More: 2'] }],
    ['one empty line before', `\r\n${get('')}`, { whole: true }],
    ['two empty lines before', `\r\n\r\n${get('')}`, { whole: true }],
    ['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n', { minor: 0, host: '', keepAlive: false }],
    ['HTTP/1.0 that asks to stay', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', { keepAlive: false }],
    ['HTTP/1.2 as 1.1', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', { minor: 1, keepAlive: true }],
    ['close', get('Connection: close\r\n'), { keepAlive: false }],
    ['close in a list', get('Connection: x, CLOSE ,\r\n'), { keepAlive: false }],
    ['close in a second line', get('Connection: x\r\nconnection: close\r\n'), { keepAlive: false }],
    ['no close in an odd element', get('Connection: close;x\r\n'), { keepAlive: true }],
    ['an unknown method', 'QUERY / HTTP/1.1\r\nHost: a\r\n\r\n', { method: 'QUERY' }],
    ['a method by its case', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', { method: 'get' }],
    ['a target byte for byte', `GET ${oddTarget} HTTP/1.1\r\nHost: a\r\n\r\n`, { forwardTarget: oddTarget }],
    ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', { host: '' }],
    ['a Host with a port', 'GET / HTTP/1.1\r\nHost: a-b.c_d:98777\r\n\r\n', { host: 'a-b.c_d:98777' }],
    ['a Host that is an IPv6 address', 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', { host: '[::1]:80' }],
    ['a percent-encoded Host', 'GET / HTTP/1.1\r\nHost: a%C3%BC=b\r\n\r\n', { host: 'a%C3%BC=b' }],
  ];
  it.each(cases)('%s', (_name, text, said) => {
    const { messages, error, left } = playAll(text);
    expect(error).toBe('');
    expect(left).toBe(0);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ whole: true, ...said });
  });
});

describe('a target in another form', () => {
  const cases: [request: string, forwardTarget: string, host: string][] = [
    ['GET http://b/x?y', '/x?y', 'b'],
    ['GET HTTPS://b:8443/', '/', 'b:8443'],
    ['GET http://b', '/', 'b'],
    ['GET http://b?x', '/?x', 'b'],
    ['OPTIONS http://b', '*', 'b'],
    ['OPTIONS http://b/', '/', 'b'],
    ['OPTIONS *', '*', 'a'],
    ['GET http://[::1]:80/', '/', '[::1]:80'],
  ];
  it.each(cases)('%s is sent on as %s for %s', (request, forwardTarget, host) => {
    const { messages } = playAll(`${request} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(messages[0]).toMatchObject({ forwardTarget, host });
  });
});

describe('a request is refused', () => {
  const line = (text: string) => `${text}\r\nHost: a\r\n\r\n`;
  const cases: [code: string, status: number, text: string][] = [
    // The request line
    ['bad-request-line', 400, line('GET /')],
    ['bad-request-line', 400, line('GET')],
    ['bad-request-line', 400, line('GET  / HTTP/1.1')],
    ['bad-request-line', 400, ' GET / HTTP/1.1\r\n'],
    ['bad-version', 400, line('GET /  HTTP/1.1')],
    ['bad-version', 400, line('GET / HTTP/1.1 ')],
    ['bad-version', 400, line('GET / a HTTP/1.1')],
    ['bad-version', 400, line('GET / http/1.1')],
    ['bad-version', 400, line('GET / HTTP/1')],
    ['bad-version', 400, line('GET / HTTP/1.10')],
    ['bad-version', 400, line('GET / HTTP/11.1')],
    ['bad-version', 400, line('GET / HTTP/1,1')],
    ['bad-version', 400, line('GET / HTTPS/1.1')],
    ['unsupported-version', 505, line('GET / HTTP/0.9')],
    ['unsupported-version', 505, line('GET / HTTP/2.0')],
    ['unsupported-version', 505, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['bad-method', 400, line('G@T / HTTP/1.1')],
    ['bad-method', 400, line('GET\t/ HTTP/1.1')],
    ['bad-method', 400, '\x16\x03\x01\x02\x00\x01'],
    ['bad-target', 400, line('GET /\t HTTP/1.1')],
    ['bad-target', 400, line('GET /\0 HTTP/1.1')],
    ['bad-target', 400, line('GET /\x7f HTTP/1.1')],
    ['bad-target', 400, line('GET /\xc3\xbc HTTP/1.1')],
    ['bad-target', 400, line('GET /#a HTTP/1.1')],
    ['bad-target', 400, line('GET /?a#a HTTP/1.1')],
    ['bad-target', 400, line('GET /"a" HTTP/1.1')],
    ['bad-target', 400, line('GET /<a> HTTP/1.1')],
    ['bad-target', 400, line('GET /a\\b HTTP/1.1')],
    ['bad-target-form', 400, line('GET a HTTP/1.1')],
    ['bad-target-form', 400, line('GET * HTTP/1.1')],
    ['bad-target-form', 400, line('OPTIONS *a HTTP/1.1')],
    ['bad-target-form', 400, line('GET a:80 HTTP/1.1')],
    ['bad-target-form', 400, line('GET ?a HTTP/1.1')],
    ['bad-target-form', 400, line('GET ftp://a/ HTTP/1.1')],
    ['bad-target-form', 400, line('GET http:///a HTTP/1.1')],
    ['bad-target-form', 400, line('GET http:/a HTTP/1.1')],
    ['bad-target-form', 400, line('GET http://u@a/ HTTP/1.1')],
    ['bad-target-form', 400, line('GET http://a:b/ HTTP/1.1')],
    ['bad-target-form', 400, line('GET http://[::1/ HTTP/1.1')],
    ['connect', 501, line('CONNECT a:443 HTTP/1.1')],
    ['connect', 501, line('CONNECT / HTTP/1.1')],
    ['empty-lines', 400, `\r\n\r\n\r\n${get('')}`],
    ['bare-lf', 400, `\n${get('')}`],
    ['bare-cr', 400, `\r${get('')}`],
    ['bare-lf', 400, 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
    ['bare-cr', 400, 'GET / HTTP/1.1\rHost: a\r\n\r\n'],
    // Field lines
    ['obs-fold', 400, 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'],
    ['obs-fold', 400, get('X: a\r\n b\r\n')],
    ['obs-fold', 400, get('X: a\r\n\tb\r\n')],
    ['obs-fold', 400, get(' \r\n')],
    ['space-before-colon', 400, get('X : a\r\n')],
    ['space-before-colon', 400, get('X\t: a\r\n')],
    ['space-before-colon', 400, get('X Y: a\r\n')],
    ['bad-field-name', 400, get(': a\r\n')],
    ['bad-field-name', 400, get('X(: a\r\n')],
    ['bad-field-name', 400, get('X\0: a\r\n')],
    ['bad-field-name', 400, get('X\xe9: a\r\n')],
    ['no-colon', 400, get('X\r\n')],
    ['bare-lf', 400, get('X\n')],
    ['bare-lf', 400, get('X: a\nY: b\r\n')],
    ['bare-lf', 400, 'GET / HTTP/1.1\r\nHost: a\r\n\n'],
    ['bare-cr', 400, get('X: a\rb\r\n')],
    ['bare-cr', 400, 'GET / HTTP/1.1\r\nHost: a\r\n\r\r\n'],
    ['control-in-value', 400, get('X: a\0b\r\n')],
    ['control-in-value', 400, get('X: \x1b\r\n')],
    ['control-in-value', 400, get('X: a\x7f\r\n')],
    ['control-in-value', 400, get('X: a\vb\r\n')],
    // Host
    ['missing-host', 400, 'GET / HTTP/1.1\r\n\r\n'],
    ['missing-host', 400, 'GET http://a/ HTTP/1.1\r\n\r\n'],
    ['repeated-host', 400, get('Host: a\r\n')],
    ['repeated-host', 400, 'GET / HTTP/1.0\r\nHost: a\r\nHOST: b\r\n\r\n'],
    ['bad-host', 400, 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
    ['bad-host', 400, 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['bad-host', 400, 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n'],
    ['bad-host', 400, 'GET / HTTP/1.1\r\nHost: a:1.2\r\n\r\n'],
    ['bad-host', 400, 'GET / HTTP/1.1\r\nHost: a%\r\n\r\n'],
    ['bad-host', 400, 'GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['bad-host', 400, 'GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n'],
    ['bad-host', 400, 'GET / HTTP/1.1\r\nHost: [g::]\r\n\r\n'],
    ['bad-host', 400, 'GET / HTTP/1.1\r\nHost: [1.2.3.4]\r\n\r\n'],
    // Framing
    ['conflicting-framing', 400, post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
    ['conflicting-framing', 400, post('Transfer-Encoding: x\r\nContent-Length: x\r\n')],
    ['repeated-length', 400, post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')],
    ['repeated-length', 400, post('Content-Length: 5\r\ncontent-length: 6\r\n', 'hello')],
    ['bad-length', 400, post('Content-Length: 5, 5\r\n', 'hello')],
    ['bad-length', 400, post('Content-Length:\r\n')],
    ['bad-length', 400, post('Content-Length: +5\r\n', 'hello')],
    ['bad-length', 400, post('Content-Length: -5\r\n', 'hello')],
    ['bad-length', 400, post('Content-Length: 0x5\r\n', 'hello')],
    ['bad-length', 400, post('Content-Length: 5.0\r\n', 'hello')],
    ['bad-length', 400, post('Content-Length: 5 5\r\n', 'hello')],
    ['bad-length', 400, post('Content-Length: 9007199254740992\r\n')],
    ['bad-length', 400, post('Content-Length: 18446744073709551621\r\n', 'hello')],
    ['bad-coding', 400, post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n')],
    ['bad-coding', 400, post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n')],
    ['bad-coding', 400, post('Transfer-Encoding: gzip\r\n', '0\r\n\r\n')],
    ['bad-coding', 400, post('Transfer-Encoding: identity\r\n', '0\r\n\r\n')],
    ['bad-coding', 400, post('Transfer-Encoding:\r\n', '0\r\n\r\n')],
    ['bad-coding', 400, post('Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n')],
    ['bad-coding', 400, post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n')],
    ['bad-coding', 400, post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n')],
    ['bad-coding', 400, post('Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
    ['bad-coding', 400, post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n', '0\r\n\r\n')],
    ['bad-coding', 400, post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
    ['unknown-coding', 501, post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')],
    ['coding-in-http10', 400, 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['framing-lookalike', 400, post('Transfer_Encoding: chunked\r\n', '0\r\n\r\n')],
    ['framing-lookalike', 400, post('content_LENGTH: 5\r\n', 'hello')],
    ['unknown-expectation', 417, post('Expect: x 100-continue\r\nContent-Length: 5\r\n', 'hello')],
    ['unknown-expectation', 417, post('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 1\r\n', 'h')],
    // Chunks: the head has been passed on by then
    ['bad-chunk-size', 400, chunked('x\r\n')],
    ['bad-chunk-size', 400, chunked('\r\n')],
    ['bad-chunk-size', 400, chunked(' 5\r\nhello\r\n')],
    ['bad-chunk-size', 400, chunked('0x5\r\nhello\r\n')],
    ['bad-chunk-size', 400, chunked('-5\r\nhello\r\n')],
    ['bad-chunk-size', 400, chunked('20000000000000\r\n')],
    ['bad-chunk-size', 400, chunked('fffffffffffffffff5\r\nhello\r\n')],
    ['bare-lf', 400, chunked('5\nhello\r\n')],
    ['bare-cr', 400, chunked('5\r\rhello\r\n')],
    ['bad-chunk-end', 400, chunked('5\r\nhello\n0\r\n\r\n')],
    ['bad-chunk-end', 400, chunked('5\r\nhello\r\r0\r\n\r\n')],
    ['bad-chunk-end', 400, chunked('5\r\nhello\n\n0\r\n\r\n')],
    ['bad-chunk-end', 400, chunked('5\r\nhello\r0\r\n\r\n')],
    ['bad-chunk-end', 400, chunked('5\r\nhello!\r\n0\r\n\r\n')],
    ['bad-chunk-extension', 400, chunked('5 \r\nhello\r\n')],
    ['bad-chunk-extension', 400, chunked('5;\r\nhello\r\n')],
    ['bad-chunk-extension', 400, chunked('5;a=\r\nhello\r\n')],
    ['bad-chunk-extension', 400, chunked('5;a \r\nhello\r\n')],
    ['bad-chunk-extension', 400, chunked('5;a b\r\nhello\r\n')],
    ['bad-chunk-extension', 400, chunked('5;a="b\r\nhello\r\n')],
    ['bad-chunk-extension', 400, chunked('5;a="b"c\r\nhello\r\n')],
    ['bad-chunk-extension', 400, chunked('5;a=\0\r\nhello\r\n')],
    ['bare-lf', 400, chunked('5;a\nhello\r\n')],
    ['bare-lf', 400, chunked('0\r\nX: a\n\r\n')],
    ['obs-fold', 400, chunked('0\r\n X: a\r\n\r\n')],
    ['space-before-colon', 400, chunked('0\r\nX : a\r\n\r\n')],
    ['bare-cr', 400, chunked('0\r\n\r\r\n')],
  ];
  it.each(cases)('%s, %i: %j', (code, status, text) => {
    const { messages, error, status: answered } = playAll(text);
    expect(error).toBe(code);
    expect(answered).toBe(status);
    expect(messages.filter(({ whole }) => whole)).toEqual([]);
  });
});

it.each([
  ['G@', 'bad-method'],
  ['GET /\0', 'bad-target'],
  ['GET / HTTP/1.1\n', 'bare-lf'],
  ['GET / HTTP/2.0\r', 'unsupported-version'],
  ['GET / HTTP/1.1\r\nX ', 'space-before-colon'],
  ['GET / HTTP/1.1\r\nX: \0', 'control-in-value'],
  ['GET / HTTP/1.1\r\nX: 1\r\n ', 'obs-fold'],
  [chunked('5;a="\0'), 'bad-chunk-extension'],
])('%j is refused without waiting for its line to end', (text, code) => {
  expect(playAll(text).error).toBe(code);
  expect(playRequests(text.slice(0, -1)).error).toBe('');
});

describe('one connection', () => {
  it('reads pipelined requests one after the other', () => {
    const withTrailer = chunked('1\r\nx\r\n0\r\nT: 1\r\n\r\n');
    const without = chunked('1\r\ny\r\n0\r\n\r\n');
    const each = [get(''), post('Content-Length: 2\r\n', 'hi'), withTrailer, without, get('')];
    const { messages, error, left } = playAll(each.join('\r\n'));
    expect(error).toBe('');
    expect(left).toBe(0);
    expect(messages.map(({ method, body, trailers }) => [method, body, trailers])).toEqual([
      ['GET', '', []],
      ['POST', 'hi', []],
      ['POST', 'x', ['T: 1']],
      ['POST', 'y', []],
      ['GET', '', []],
    ]);
  });

  it('gathers a long head from its pieces', () => {
    const lines = Array.from({ length: 90 }, (_, index) => `X-${index}: ${String(index).repeat(50)}`);
    const { messages } = playRequests(get(`${lines.join('\r\n')}\r\n`), 'bytes');
    expect(messages[0]?.fields).toEqual(['Host: a', ...lines]);
  });

  it('leaves what follows the last request', () => {
    const { messages, left } = playAll(`${get('Connection: close\r\n')}${get('')}`);
    expect(messages).toHaveLength(1);
    expect(left).toBe(get('').length);
  });

  it('takes nothing after a refusal', () => {
    const { messages, error, left } = playRequests(`${get('X : 1\r\n')}${get('')}`);
    expect(messages).toEqual([]);
    expect(error).toBe('space-before-colon');
    expect(left).toBeGreaterThan(get('').length);
  });

  it('waits for a message that is not whole', () => {
    const text = post('Content-Length: 5\r\n', 'hell');
    expect(playAll(text)).toMatchObject({ error: '', messages: [{ body: 'hell', whole: false }] });
    expect(playAll(chunked('5\r\nhello\r\n0\r\n\r'))).toMatchObject({ messages: [{ body: 'hello', whole: false }] });
  });
});

describe('what the client wants of its connection', () => {
  it('is an answer before the body', () => {
    const expecting = 'Expect: 100-Continue\r\n';
    expect(playAll(post(`${expecting}Content-Length: 2\r\n`, 'hi')).messages[0]?.expectsContinue).toBe(true);
    expect(playAll(post(`${expecting}Content-Length: 0\r\n`)).messages[0]?.expectsContinue).toBe(false);
    expect(playAll(get(expecting)).messages[0]?.expectsContinue).toBe(false);
    const old = `POST / HTTP/1.0\r\n${expecting}Content-Length: 2\r\n\r\nhi`;
    expect(playAll(old).messages[0]?.expectsContinue).toBe(false);
  });

  it('is another protocol, but for h2c', () => {
    const offer = (lines: string, version = '1.1') =>
      playAll(`GET / HTTP/${version}\r\nHost: a\r\n${lines}\r\n`).messages[0]?.upgrade;
    expect(offer('Connection: Upgrade\r\nUpgrade: websocket\r\n')).toBe('websocket');
    expect(offer('Connection: keep-alive, upgrade\r\nUpgrade: h2c, WebSocket/13\r\nUpgrade: x\r\n')).toBe(
      'WebSocket/13, x',
    );
    expect(offer('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n')).toBe('');
    expect(offer('Upgrade: websocket\r\n')).toBe('');
    expect(offer('Connection: upgrade\r\n')).toBe('');
    expect(offer('Connection: upgrade\r\nUpgrade: a b, "c"\r\n')).toBe('');
    expect(offer('Connection: Upgrade\r\nUpgrade: websocket\r\n', '1.0')).toBe('');
  });
});
