/** What becomes of a head on its way to a server, and of an answer on its way to a client. */
import { describe, expect, it } from 'vitest';
import type { RequestForwarding, ResponseForwarding } from '../../../src/core/http/forward.ts';
import { forwardAnswer, forwardAsked } from './forwarded.ts';

/** The lines that are sent on of a request with these lines, the request line left out. */
function forwarded(lines: string, options: Partial<RequestForwarding> = {}, start = 'GET / HTTP/1.1'): string[] {
  return forwardAsked(`${start}\r\n${lines}\r\n`, options).head.split('\r\n').slice(1, -2);
}

const client = ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: http', 'X-Forwarded-Host: a'];

describe('a request is sent on', () => {
  it('whole, with what names the client and this hop', () => {
    expect(forwardAsked('GET /x?y HTTP/1.1\r\nHost: a\r\nAccept:  */*\r\n\r\n').head).toBe(
      'GET /x?y HTTP/1.1\r\nHost: a\r\nAccept:  */*\r\n' +
        'X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\nVia: 1.1 cutover\r\n\r\n',
    );
  });

  it('without Via when that is off, over https when it came so', () => {
    expect(forwarded('Host: a\r\n', { via: null, proto: 'https', clientIp: '2001:db8::1' })).toEqual([
      'Host: a',
      'X-Forwarded-For: 2001:db8::1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: a',
    ]);
  });

  it('with Host first, byte for byte', () => {
    expect(forwarded('Accept: x\r\nhoSt:\tA.b:80 \r\nX: y\r\n', { via: null }).slice(0, 3)).toEqual([
      'Host: A.b:80',
      'Accept: x',
      'X: y',
    ]);
  });

  it('for the authority of an absolute target, whatever Host says', () => {
    const { head } = forwardAsked('GET http://b:81/x HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n', { via: null });
    expect(head).toBe(
      'GET /x HTTP/1.1\r\nHost: b:81\r\nX: y\r\n' +
        'X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: b:81\r\n\r\n',
    );
  });

  it('as HTTP/1.1 with an empty Host when it was HTTP/1.0 without one', () => {
    const { head } = forwardAsked('GET / HTTP/1.0\r\n\r\n');
    expect(head).toBe(
      'GET / HTTP/1.1\r\nHost: \r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nVia: 1.0 cutover\r\n\r\n',
    );
  });

  it('with repeated fields as they are and in order, after what other proxies said of theirs', () => {
    const lines = ['Host: a', 'X: 1', 'Cookie: c=1', 'x: 2', 'Via: 1.0 other', 'Cookie: d=2', 'X:'];
    expect(forwarded(`${lines.join('\r\n')}\r\n`)).toEqual([...lines, ...client, 'Via: 1.1 cutover']);
  });

  it('without what a client says of itself', () => {
    const said =
      'X-Forwarded-For: 1.2.3.4\r\nx-FORWARDED-proto: x\r\nX-Forwarded-Host: x\r\nForwarded: for=x\r\n' +
      'X_Forwarded_For: 1.2.3.4\r\nX-Forwarded_Proto: x\r\n';
    expect(forwarded(`Host: a\r\n${said}`, { via: null })).toEqual(['Host: a', ...client]);
  });

  it('without the fields of one hop', () => {
    const hop =
      'Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\n' +
      'Upgrade: h2c\r\nHTTP2-Settings: x\r\n';
    expect(forwarded(`Host: a\r\n${hop}X: y\r\n`, { via: null })).toEqual(['Host: a', 'X: y', ...client]);
  });

  it('without what Connection names, but with what it may not touch', () => {
    const kept = ['Host: a', 'Cookie: c', 'Authorization: x', 'Via: 1.1 b', 'Content-Length: 0'];
    const named = 'Connection: x-a,, X-B ,host, cookie,authorization, via, content-length, x-forwarded-for, close\r\n';
    expect(forwarded(`${kept.join('\r\n')}\r\n${named}X-A: 1\r\nx-b: 2\r\n`, { via: null })).toEqual([
      ...kept,
      ...client,
    ]);
  });

  it('with Expect only when the server is to answer it', () => {
    const lines = 'Host: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n';
    expect(forwarded(lines, { expect: 'keep' })).toContain('Expect: 100-continue');
    expect(forwarded(lines, { expect: 'drop' })).not.toContain('Expect: 100-continue');
    expect(forwarded('Host: a\r\nExpect: 100-continue\r\n', { expect: 'keep' })).not.toContain('Expect: 100-continue');
  });

  it('with an upgrade only when it is offered', () => {
    const lines = 'Host: a\r\nConnection: upgrade\r\nUpgrade: h2c, websocket\r\nSec-WebSocket-Version: 13\r\n';
    expect(forwarded(lines, { upgrade: 'websocket', via: null })).toEqual([
      'Host: a',
      'Sec-WebSocket-Version: 13',
      ...client,
      'Upgrade: websocket',
      'Connection: Upgrade',
    ]);
    expect(forwarded(lines, { via: null })).toEqual(['Host: a', 'Sec-WebSocket-Version: 13', ...client]);
  });

  it('with the offer to take trailers', () => {
    const lines = 'Host: a\r\nTE: gzip, Trailers\r\nConnection: TE\r\n';
    expect(forwarded(lines, { via: null })).toEqual(['Host: a', ...client, 'TE: trailers', 'Connection: TE']);
    expect(forwarded(lines, { via: null, upgrade: 'x' }).slice(-3)).toEqual([
      'TE: trailers',
      'Upgrade: x',
      'Connection: Upgrade, TE',
    ]);
  });

  it('with one forward less', () => {
    const lines = 'Host: a\r\nMax-Forwards: 7\r\n';
    expect(forwarded(lines, {}, 'OPTIONS * HTTP/1.1')).toContain('Max-Forwards: 6');
    expect(forwarded(lines, {}, 'TRACE / HTTP/1.1')).not.toContain('Max-Forwards: 7');
    expect(forwarded(lines)).toContain('Max-Forwards: 7');
  });

  it.each([
    ['Content-Length: 5\r\n', ['Content-Length: 5']],
    ['Content-Length: 0\r\n', ['Content-Length: 0']],
    ['Content-Length: 007\r\n', ['Content-Length: 7']],
    ['Content-Length: 00\r\n', ['Content-Length: 0']],
    ['transfer-encoding: Chunked\r\n', ['Transfer-Encoding: chunked']],
    ['', []],
  ])('framed anew: %j', (line, framing) => {
    const sent = forwarded(`Host: a\r\n${line}`, { via: null }, 'POST / HTTP/1.1');
    expect(sent.filter((each) => /content-length|transfer-encoding/i.test(each))).toEqual(framing);
  });
});

describe('an answer is sent on', () => {
  const answer = (lines: string, options: Partial<ResponseForwarding> = {}, start = 'HTTP/1.1 200 OK') =>
    forwardAnswer(`${start}\r\n${lines}\r\n`, options).split('\r\n');
  const framed = (lines: string, options: Partial<ResponseForwarding>, start?: string) =>
    answer(lines, options, start).filter((line) =>
      /^(content-length|transfer-encoding|connection|upgrade):/i.test(line),
    );

  it('whole, with a Date and the lines that the proxy adds', () => {
    const text = forwardAnswer(
      'HTTP/1.1 404 N\xf6t here\r\nSet-Cookie: a\r\nContent-Length: 2\r\nset-cookie: b\r\n\r\n',
      {
        extraLines: 'Set-Cookie: c\r\n',
        date: { dateLine: () => 'Date: now\r\n' },
        via: 'cutover',
      },
    );
    expect(text).toBe(
      'HTTP/1.1 404 N\xf6t here\r\nSet-Cookie: a\r\nContent-Length: 2\r\nset-cookie: b\r\n' +
        'Via: 1.1 cutover\r\nDate: now\r\nSet-Cookie: c\r\n\r\n',
    );
  });

  it('with its own Date where it has one', () => {
    expect(answer('date: then\r\nContent-Length: 0\r\n', { date: { dateLine: () => 'Date: now\r\n' } })).toEqual([
      'HTTP/1.1 200 OK',
      'date: then',
      'Content-Length: 0',
      '',
      '',
    ]);
  });

  it('as HTTP/1.1 whatever the server speaks', () => {
    expect(answer('', { framing: 'none', via: 'cutover' }, 'HTTP/1.0 204 Done')).toEqual([
      'HTTP/1.1 204 Done',
      'Via: 1.0 cutover',
      '',
      '',
    ]);
  });

  it('without the fields of one hop and what Connection names', () => {
    const hop =
      'Connection: keep-alive, x-a, set-cookie\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nUpgrade: h2\r\n';
    expect(answer(`${hop}X-A: 1\r\nSet-Cookie: a\r\nTrailer: T\r\nAge: 1\r\n`, { framing: 'until-close' })).toEqual([
      'HTTP/1.1 200 OK',
      'Set-Cookie: a',
      'Trailer: T',
      'Age: 1',
      '',
      '',
    ]);
  });

  it('framed as the client needs it', () => {
    const length = 'Content-Length: 5\r\n';
    const coding = 'Transfer-Encoding: chunked\r\n';
    expect(framed(length, { framing: 'length' })).toEqual(['Content-Length: 5']);
    expect(framed('Content-Length: 05\r\n', { framing: 'length' })).toEqual(['Content-Length: 5']);
    expect(framed(length, { framing: 'chunked' })).toEqual(['Transfer-Encoding: chunked']);
    expect(framed(coding, { framing: 'chunked' })).toEqual(['Transfer-Encoding: chunked']);
    expect(framed(coding, { framing: 'until-close', connection: 'close' })).toEqual(['Connection: close']);
    expect(framed(length, { framing: 'none', method: 'HEAD' })).toEqual(['Content-Length: 5']);
    expect(framed(coding, { framing: 'none', method: 'HEAD' })).toEqual([]);
    expect(framed(length, { framing: 'none' }, 'HTTP/1.1 304 Same')).toEqual(['Content-Length: 5']);
    expect(framed(length, { framing: 'none' }, 'HTTP/1.1 204 Done')).toEqual([]);
    expect(framed(length, { framing: 'none', method: 'HEAD' }, 'HTTP/1.1 204 Done')).toEqual([]);
  });

  it('into a tunnel', () => {
    const lines = 'Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n';
    const options = { connection: 'upgrade', framing: 'none', via: null } as const;
    expect(answer(lines, options, 'HTTP/1.1 101 Go')).toEqual([
      'HTTP/1.1 101 Go',
      'Upgrade: websocket',
      'Sec-WebSocket-Accept: x',
      'Connection: Upgrade',
      '',
      '',
    ]);
  });
});

describe('trailers are sent on', () => {
  it('but for those that would steer the message, had they come in time', () => {
    const start = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: x-hop\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n';
    const steering =
      'Content-Length: 5\r\nTransfer-Encoding: x\r\nHost: b\r\nCookie: c\r\nSet-Cookie: c\r\nAuthorization: x\r\n' +
      'X-Forwarded-For: x\r\nContent-Type: x\r\nCache-Control: x\r\nX-Hop: 1\r\nConnection: x\r\nTE: x\r\n';
    const { trailers } = forwardAsked(`${start}X-Sum:  1 \r\n${steering}x-sum: 2\r\n\r\n`);
    expect(trailers).toBe('X-Sum: 1\r\nx-sum: 2\r\n');
  });
});
