/** What is kept of an answer, and how two of them differ. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareAnswers, shownTarget } from '../../../src/core/compare/difference.ts';
import type { CompareRules } from '../../../src/core/config/model.ts';
import { CountedRoom, print, type Told } from './answers.ts';

const JSON_TYPE = [['Content-Type', 'application/json; charset=utf-8']] as const;

function compare(older: Told, newer: Told, rules: Partial<CompareRules> = {}) {
  return compareAnswers(print(older, rules), print(newer, rules));
}

const differing = (older: Told, newer: Told, rules: Partial<CompareRules> = {}) =>
  compare(older, newer, rules).differing.map(({ what, name }) => name ?? what);

const text = (body: string, told: Told = {}): Told => ({ ...told, body: Buffer.from(body) });

describe('properties', () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
  const cuts = fc.array(fc.nat(300), { maxLength: 10 });
  const some = fc.constantFrom<Partial<CompareRules>>({}, { ignoreBody: ['[0-9]+'] }, { ignoreJson: ['$.time'] });

  test('how a body is cut into pieces changes nothing', () => {
    fc.assert(
      fc.property(bytes, cuts, some, (body, pieces, rules) => {
        const fields = JSON_TYPE;
        expect(print({ body, cuts: pieces, fields }, rules)).toEqual(print({ body, fields }, rules));
      }),
    );
  });

  test('equal answers never differ, and other bodies do', () => {
    fc.assert(
      fc.property(bytes, bytes, cuts, (body, other, pieces) => {
        expect(compare({ body, cuts: pieces }, { body, framing: 'length' }).differing).toEqual([]);
        const expected = body.equals(other) ? [] : [body.length === other.length ? 'body' : 'length'];
        expect(differing({ body }, { body: other })).toEqual(expected);
      }),
    );
  });

  test('one changed byte is always seen', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (array, at, by) => {
          const changed = Uint8Array.from(array);
          const index = at % array.length;
          changed[index] = (changed[index] as number) ^ by;
          expect(differing({ body: Buffer.from(array) }, { body: Buffer.from(changed) })).toEqual(['body']);
        },
      ),
    );
  });

  test('ignored parts never matter', () => {
    const word = fc.stringMatching(/^[a-z]{0,8}$/);
    fc.assert(
      fc.property(word, word, fc.nat(), fc.nat(), (a, b, one, other) => {
        const body = (time: number) => text(`${a} ${time} ms ${b}`);
        expect(differing(body(one), body(other), { ignoreBody: ['\\d+ ms'] })).toEqual([]);
        const json = (time: number) => text(JSON.stringify({ a, time, b }), { fields: JSON_TYPE });
        expect(differing(json(one), json(other), { ignoreJson: ['$.time'] })).toEqual([]);
      }),
    );
  });
});

test('status, headers and their values', () => {
  const older = {
    status: 200,
    fields: [
      ['Location', '/a?token=1'],
      ['Set-Cookie', 'id=1'],
      ['X-Other', '1'],
    ],
  } as const;
  const newer = {
    status: 201,
    fields: [
      ['location', '/b?token=2'],
      ['set-cookie', 'id=2'],
      ['X-Other', '2'],
    ],
  } as const;
  expect(compare(older, newer).differing).toEqual([
    { what: 'status', name: null, older: '200', newer: '201' },
    { what: 'header', name: 'location', older: '/a', newer: '/b' },
    { what: 'header', name: 'set-cookie', older: '***', newer: '***' },
  ]);
  expect(compare({}, { fields: [['Content-Type', 'x'.repeat(100)]] }).differing).toEqual([
    { what: 'header', name: 'content-type', older: 'none', newer: `${'x'.repeat(79)}…` },
  ]);
});

test('headers: several of one name, ignored ones, all of them', () => {
  const one = {
    fields: [
      ['Set-Cookie', 'a'],
      ['Set-Cookie', 'b'],
    ],
  } as const;
  const other = { fields: [['Set-Cookie', 'a']] } as const;
  expect(differing(one, other)).toEqual(['set-cookie']);
  expect(differing(one, other, { ignoreHeaders: ['Set-Cookie'] })).toEqual([]);
  const all = (date: string, by: string, hop: string): Told => ({
    fields: [
      ['Date', date],
      ['X-By', by],
      ['Connection', 'X-Hop'],
      ['X-Hop', hop],
    ],
  });
  expect(differing(all('1', 'a', '1'), all('2', 'b', '2'), { headers: 'all' })).toEqual(['x-by']);
  expect(differing(all('1', 'a', '1'), all('2', 'b', '2'), { headers: 'all', ignoreHeaders: ['X-BY'] })).toEqual([]);
});

describe('a body of which parts are left out', () => {
  const rules = { ignoreBody: ['[0-9]'] };
  const json = { ignoreJson: ['$.time'] };

  test('only JSON is looked at as JSON', () => {
    const told = (time: number, fields: Told['fields'] = []) => text(`{"time":${time}}`, { fields });
    expect(differing(told(1), told(2), json)).toEqual(['body']);
    expect(differing(told(1, JSON_TYPE), told(2, JSON_TYPE), json)).toEqual([]);
    expect(differing(text('{"time":1', { fields: JSON_TYPE }), text('{"time":2', { fields: JSON_TYPE }), json)).toEqual(
      ['body'],
    );
  });

  test.each<[string, Told]>([
    ['too large', { body: Buffer.alloc(64 * 1024 + 1), cuts: [1, 2, 60_000] }],
    ['too large', { body: Buffer.alloc(64 * 1024 + 1), framing: 'length' }],
    ['encoded', text('1', { fields: [['Content-Encoding', 'gzip']] })],
  ])('%s: status and headers are compared, the body is not', (why, told) => {
    expect(compare(told, text('x'), rules)).toEqual({ differing: [], unread: why });
    expect(compare(text('x', { status: 404 }), told, rules)).toMatchObject({
      differing: [{ what: 'status' }],
      unread: why,
    });
  });

  test('too complex', () => {
    const long = { body: Buffer.from('a'.repeat(60_000)) };
    expect(
      compare(long, long, { ignoreBody: ['(a|b|ab|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a)*c'] }).unread,
    ).toBe('too complex');
  });

  test('what is kept is bounded and given back', () => {
    const room = new CountedRoom();
    const pieces = Array.from({ length: 30_000 }, (_, index) => index);
    print({ body: Buffer.alloc(30_000), cuts: pieces }, rules, room);
    expect([room.used, room.most]).toEqual([0, 32 * 1024]);
    print({ body: Buffer.alloc(200_000), cuts: [10, 60_000] }, rules, room);
    expect(room.used).toBe(0);
    expect(room.most).toBeLessThanOrEqual(64 * 1024);
    const none = new CountedRoom(1000);
    expect(print(text('abc'), rules, none).body).toEqual({ kind: 'unread', why: 'no room' });
    print({ body: Buffer.alloc(1_000_000) }, {}, none);
    expect(none.most).toBe(0);
  });
});

test('a path is shown without its query, and cut', () => {
  expect(shownTarget('/a/b?token=1')).toBe('/a/b');
  expect(shownTarget('/'.repeat(300))).toHaveLength(200);
});
