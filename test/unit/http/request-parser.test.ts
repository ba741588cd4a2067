/** What a client's bytes are read as, whole and in pieces. */
import { describe, expect, it } from 'vitest';
import { type Played, type PlayedRequest, playRequests } from './replay.ts';
import { chunked, get, post, readRequests, refusedRequests } from './request-cases.ts';

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
  it.each(readRequests)('%s', (_name, text, said) => {
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
  it.each(refusedRequests)('%s, %i: %j', (code, status, text) => {
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
