/** What a client asks of this hop: Connection, Upgrade, Expect, TE. None of it changes what the message is. */
import { type Case, get, post, refused, SMUGGLED, served } from '../case.ts';

const nominations = [
  'Host',
  'Content-Length',
  'Cookie',
  'Authorization',
  'X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto',
  'Via',
  'Date',
  'Content-Length, close-not',
  'keep-alive, Host, Content-Length',
  'Content-Length\r\nConnection: Host',
  ',,,Content-Length,,,',
  'content-LENGTH',
];

const offers = [
  'h2c',
  'H2C',
  'h2',
  'h2c, h2',
  'HTTP/2.0',
  'http/2',
  'HTTP/3',
  'h2c/1',
  'websocket',
  'websocket, h2c',
  'TLS/1.3',
  '',
  'a/b/c',
];

/** What is nominated stays behind; what a careless server would act on is marked by the recorder. */
export const options: readonly Case[] = [
  ...nominations.map((names) =>
    served(
      `Connection: ${names}`,
      post(`Connection: ${names}\r\nCookie: a=b\r\nContent-Length: 5\r\n`, 'hello'),
      'POST /p hello',
    ),
  ),
  served('a nominated field', get('Connection: X-Smuggled\r\nX-Smuggled: yes\r\n'), 'GET /g '),
  served('a field nominated later', get('X-Smuggled: yes\r\nConnection: x-SMUGGLED\r\n'), 'GET /g '),
  served(
    'a field nominated twice',
    get('Connection: a, X-Smuggled\r\nX-Smuggled: 1\r\nConnection: b\r\nX-Smuggled: 2\r\n'),
    'GET /g ',
  ),
  served(
    'Keep-Alive and its kin',
    get('Keep-Alive: 5\r\nProxy-Connection: close\r\nHTTP2-Settings: AA\r\n'),
    'GET /g ',
  ),
  served('close in the wrong field', get('Proxy-Connection: close\r\nKeep-Alive: close\r\n'), 'GET /g '),
  served('close in quotes', get('Connection: "close"\r\n'), 'GET /g '),
  ...['close', 'Close', 'keep-alive, close', 'close\r\nConnection: keep-alive', ' , close,'].map(
    (value): Case => ({
      name: `Connection: ${value}, and another request`,
      bytes: get(`Connection: ${value}\r\n`) + SMUGGLED,
      answers: ['GET /g '],
      after: 'ends',
    }),
  ),
  ...offers.map((offer) =>
    served(
      `an upgrade to ${JSON.stringify(offer)} that is not taken`,
      get(`Connection: Upgrade\r\nUpgrade: ${offer}\r\n`),
      'GET /g ',
    ),
  ),
  ...offers.map((offer) => ({
    name: `an upgrade to ${JSON.stringify(offer)}, and a request that did not wait`,
    bytes: `${get(`Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${offer}\r\nHTTP2-Settings: AA\r\n`)}GET /after HTTP/1.1\r\nHost: a\r\n\r\n`,
    answers: ['GET /g ', 'GET /after '],
    after: 'goes on' as const,
  })),
  served(
    'an upgrade with a body',
    post('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n', 'hello'),
    'POST /p hello',
  ),
  served('an upgrade that Connection does not name', get('Upgrade: websocket\r\n'), 'GET /g '),
  {
    name: 'an upgrade in HTTP/1.0',
    bytes: `GET /g HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${SMUGGLED}`,
    answers: ['GET /g '],
    after: 'ends',
  },
  ...[
    'x 100-continue',
    '100-continue, x',
    '100-continue;q=1',
    '"100-continue"',
    '100',
    'continue',
    '100 continue',
    '200-ok',
    '',
  ].map((value) => refused(`Expect: ${value}`, post(`Expect: ${value}\r\nContent-Length: 5\r\n`, 'hello'), 417)),
  refused('Expect twice', post('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n', 'hello'), 417),
  refused('Expect folded', post('Expect:\r\n 100-continue\r\nContent-Length: 5\r\n', 'hello')),
  served('Expect of nothing', get('Expect: 100-continue\r\n'), 'GET /g '),
  served('Expect of an empty body', post('Expect: 100-continue\r\nContent-Length: 0\r\n', ''), 'POST /p '),
  served('Expect that does not wait', post('Expect: 100-continue\r\nContent-Length: 5\r\n', 'hello'), 'POST /p hello'),
  served(
    'Expect that does not wait, chunked',
    post('Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    'POST /p hello',
  ),
  served(
    'Expect and a request in the body',
    post(`Expect: 100-continue\r\nContent-Length: ${SMUGGLED.length}\r\n`, SMUGGLED),
    `POST /p ${SMUGGLED}`,
  ),
  served('TE with codings', get('TE: gzip, chunked, trailers\r\nConnection: TE\r\n'), 'GET /g '),
  served(
    'a method override',
    post('X-HTTP-Method-Override: DELETE\r\nContent-Length: 5\r\n', 'hello'),
    'POST /p hello',
  ),
];
