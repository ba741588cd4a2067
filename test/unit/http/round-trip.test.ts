/** What is sent on is read back as what came in, for any valid message in any framing and any pieces. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chunkEnd, chunkHead, lastChunk } from '../../../src/core/http/chunked-encoding.ts';
import { forwardAnswer, forwardAsked } from './forwarded.ts';
import {
  type Cuts,
  type Played,
  type PlayedRequest,
  type PlayedResponse,
  playRequests,
  playResponses,
} from './replay.ts';

const octets = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCharCode(from + index));
const word = (alphabet: string, lengths: { minLength: number; maxLength: number }) =>
  fc.string({ unit: fc.constantFrom(...alphabet), ...lengths });

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const tokens = word(`${letters}0123456789!#$%&'*+-.^_\`|~`, { minLength: 1, maxLength: 12 });
const texts = fc.string({
  unit: fc.constantFrom(...octets(0x21, 0x7e), ...octets(0x80, 0xff), ' ', '\t'),
  maxLength: 20,
});

/** Fields that pass through: an `x` in front keeps generated names off the known ones. */
const fields = fc.array(
  fc.tuple(tokens, texts).map(([name, value]) => `x${name}: ${value.replace(/^[ \t]+|[ \t]+$/g, '')}`),
  { maxLength: 6 },
);
const bodies = fc.string({ unit: fc.constantFrom(...octets(0, 0xff), '\r\n', '0\r\n\r\n'), maxLength: 40 });
const framings = fc.oneof(
  fc.record({ kind: fc.constant('length' as const), body: bodies }),
  fc.record({
    kind: fc.constant('chunked' as const),
    chunks: fc.array(bodies.filter((body) => body !== '')),
    trailers: fields,
  }),
);
const cuttings = fc.oneof(
  fc.constant<Cuts>('bytes'),
  fc.array(fc.nat(400), { maxLength: 4 }).map((cuts): Cuts => [...cuts].sort((a, b) => a - b)),
);
const targets = fc
  .tuple(
    word(`${letters}0123456789-._~!$&'()*+,;=:@/%[]|`, { minLength: 0, maxLength: 20 }),
    fc.option(word(`${letters}?/&=%|^{}\`\\`, { minLength: 0, maxLength: 10 })),
  )
  .map(([path, query]) => `/${path}${query === null ? '' : `?${query}`}`);
const hosts = fc
  .tuple(word(`${letters}0123456789.-_`, { minLength: 1, maxLength: 20 }), fc.option(fc.nat(65535)))
  .map(([name, port]) => (port === null ? name : `${name}:${port}`));

type Framed = { kind: 'length'; body: string } | { kind: 'chunked'; chunks: string[]; trailers: string[] };

const joined = (lines: readonly string[]) => lines.map((line) => `${line}\r\n`).join('');
const bodyOf = (framed: Framed) => (framed.kind === 'length' ? framed.body : framed.chunks.join(''));

/** The fields that name the framing, and the framed body. */
function encoded(framed: Framed): { lines: string[]; body: string } {
  if (framed.kind === 'length') return { lines: [`Content-Length: ${framed.body.length}`], body: framed.body };
  const chunks = framed.chunks.map((chunk) => chunkHead(chunk.length) + chunk + chunkEnd);
  return { lines: ['Transfer-Encoding: chunked'], body: chunks.join('') + lastChunk(joined(framed.trailers)) };
}

it('requests', () => {
  fc.assert(
    fc.property(tokens, targets, hosts, fields, framings, cuttings, (method, target, host, lines, framed, cuts) => {
      fc.pre(method !== 'CONNECT');
      const { lines: framing, body } = encoded(framed);
      const text = `${method} ${target} HTTP/1.1\r\n${joined([...lines, ...framing, `Host: ${host}`])}\r\n${body}`;
      const sent = forwardAsked(text);
      const said = {
        ...{ method, target, host, own: lines, body: bodyOf(framed) },
        trailers: framed.kind === 'chunked' ? framed.trailers : [],
      };
      expect(requestIn(playRequests(text, cuts))).toEqual(said);
      const again = framed.kind === 'chunked' ? { ...framed, trailers: linesOf(sent.trailers) } : framed;
      expect(requestIn(playRequests(sent.head + encoded(again).body))).toEqual(said);
    }),
  );
});

it('responses', () => {
  const statuses = fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304);
  fc.assert(
    fc.property(statuses, texts, fields, framings, cuttings, (status, reason, lines, framed, cuts) => {
      const { lines: framing, body } = encoded(framed);
      const text = `HTTP/1.1 ${status} ${reason}\r\n${joined([...lines, ...framing])}\r\n${body}`;
      const sent = forwardAnswer(text, { framing: framed.kind });
      const said = { status, reason, own: lines, body: bodyOf(framed) };
      expect(responseIn(playResponses(text, { cuts }))).toEqual(said);
      expect(responseIn(playResponses(sent + body))).toEqual(said);
    }),
  );
});

function requestIn(played: Played<PlayedRequest>) {
  const { method, target, host, body, trailers, fields: all } = only(played);
  return { method, target, host, own: own(all), body, trailers };
}

function responseIn(played: Played<PlayedResponse>) {
  const { status, reason, body, fields: all } = only(played);
  return { status, reason, own: own(all), body };
}

/** The one message, whole, with nothing refused and nothing left. */
function only<T extends { whole: boolean }>(played: Played<T>): T {
  expect(played).toMatchObject({ error: '', left: 0, messages: [{ whole: true }] });
  expect(played.messages).toHaveLength(1);
  return played.messages[0] as T;
}

/** The fields that came from the message's own sender. */
function own(lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith('x'));
}

function linesOf(text: string): string[] {
  return text.split('\r\n').slice(0, -1);
}
