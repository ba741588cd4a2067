/**
 * The work that a byte of a request can cause, in the codec and the forwarding rules: no request costs 100 times as much per
 * byte as an ordinary one, measured side by side.
 */
import { expect, it } from 'vitest';
import { endsHere } from '../../../src/core/http/ends-here.ts';
import { cookieSizedAsUuid } from '../../../src/core/routing/cookies.ts';
import { isRepeatable } from '../../../src/core/routing/replay.ts';
import { readAndForward } from './forwarded.ts';

const ordinary =
  'GET /articles/17?page=2 HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n' +
  'Accept: text/html,application/xhtml+xml;q=0.9\r\nAccept-Encoding: gzip\r\nCookie: dynsoftup=x; a=b\r\n\r\n';

const head = (lines: string): string => `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const list = (name: string, element: string): string => `${name}: ${element.repeat(30_000 / element.length)}x\r\n`;
const chunked = (rest: string): string => head('Transfer-Encoding: chunked\r\n') + rest;

const attacks: readonly (readonly [name: string, request: string])[] = [
  ['a Connection of many names', head(list('Connection', 'a,'))],
  ['a Connection of nothing', head(list('Connection', ','))],
  ['many names and many fields', head(`${list('Connection', 'ab,').slice(0, 25_000)}\r\n${'A:b\r\n'.repeat(90)}`)],
  ['an Upgrade of many protocols', head(`Connection: upgrade\r\n${list('Upgrade', 'a/1,')}`)],
  ['a TE of many codings', head(list('TE', 'a,'))],
  ['a Via of many hops', head(list('Via', '1 a,'))],
  ['a Via of blanks', head(list('Via', ' '))],
  ['a Transfer-Encoding of many codings', head(list('Transfer-Encoding', 'a,'))],
  ['a Cookie of many pairs', head(list('Cookie', 'a=b;'))],
  ['Cookies without an end', head(`Cookie: ${'a'.repeat(280)}\r\n`.repeat(90))],
  ['a Cookie that nearly fits', head(list('Cookie', 'dynsoftu;'))],
  ['values of blanks', head(`A:${' '.repeat(300)}\r\n`.repeat(90))],
  ['short fields', head('A:\r\n'.repeat(95))],
  ['a length of zeros', head(`Content-Length: ${'0'.repeat(30_000)}\r\n`)],
  ['a Host of colons', `GET / HTTP/1.1\r\nHost: [${':'.repeat(30_000)}]\r\n\r\n`],
  ['chunks of one byte', chunked(`${'1\r\nx\r\n'.repeat(5000)}0\r\n\r\n`)],
  ['extensions', chunked(`4000;a="${'b'.repeat(16_000)}"\r\n${'x'.repeat(0x4000)}\r\n0\r\n\r\n`)],
  ['many small extensions', chunked(`${'1;a;b=c;d\r\nx\r\n'.repeat(2000)}0\r\n\r\n`)],
  ['trailers', chunked(`0\r\n${'A: b\r\n'.repeat(95)}\r\n`)],
];

/** Nanoseconds a byte: the best of a few rounds. */
function costOf(request: string): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round += 1) {
    const start = performance.now();
    let count = 0;
    for (; performance.now() - start < 4; count += 1) {
      readAndForward(request, (requestHead) => {
        endsHere(requestHead, 'cutover');
        isRepeatable(requestHead, []);
        cookieSizedAsUuid(requestHead.fields, 'dynsoftup');
        cookieSizedAsUuid(requestHead.fields, 'transition');
      });
    }
    best = Math.min(best, ((performance.now() - start) * 1e6) / count / request.length);
  }
  return best;
}

it.each(attacks)('%s', (_name, request) => {
  expect(costOf(request)).toBeLessThan(100 * costOf(ordinary));
});
