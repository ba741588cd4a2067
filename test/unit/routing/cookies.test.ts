import { describe, expect, test } from 'vitest';
import { kind } from '../../../src/core/http/field-kinds.ts';
import { FieldLines } from '../../../src/core/http/fields.ts';
import { buildTable } from '../../../src/core/routing/build-table.ts';
import { CookieLines, cookieSizedAsUuid, uuidCookie } from '../../../src/core/routing/cookies.ts';
import { KnownIds } from '../../../src/core/routing/known-ids.ts';
import { isUuidAt, uuidAt } from '../../../src/core/routing/uuid.ts';
import { type Asked, DRAWN_ID, facts, route } from './facts.ts';

const NEW = '952c8557-2088-11e4-87e3-600308a8245e';
const OLD = 'a37a290f-2088-11e4-b3a6-600308a8245e';
const ATTRIBUTES = '; Path=/; HttpOnly; SameSite=Lax\r\n';

function fieldLines(...lines: readonly string[]): FieldLines {
  const fields = new FieldLines();
  for (const line of lines) {
    const base = fields.text.length;
    const colon = line.indexOf(':');
    fields.text += `${line}\r\n`;
    const cookie = line.slice(0, colon).toLowerCase() === 'cookie';
    fields.add(base, base + colon, base + colon + 2, base + line.length, cookie ? kind.cookie : kind.other);
  }
  return fields;
}

describe('reading', () => {
  const read = (fields: FieldLines): string => {
    const at = cookieSizedAsUuid(fields, 'dynsoftup');
    const value = at >= 0 && isUuidAt(fields.text, at) ? fields.text.slice(at, at + 36) : '';
    for (const ids of [[], [NEW], [OLD, NEW]]) expect(uuidCookie(fields, 'dynsoftup', new KnownIds(ids))).toBe(value);
    return value;
  };

  test.each([
    [`dynsoftup=${NEW};`, NEW],
    [`dynsoftup=${NEW}`, NEW],
    [`a=1; dynsoftup=${NEW}; b=2`, NEW],
    [`a=1;dynsoftup=${NEW};b=2`, NEW],
    [`a=1;dynsoftup=${NEW} ;b=2`, NEW],
    [`  ;; dynsoftup \t=  ${NEW}  ; b`, NEW],
    [`dynsoftup=${NEW}; dynsoftup=${OLD}`, NEW],
    [`dynsoftup=x; dynsoftup=${OLD}`, ''],
    [`dynsoftup=; dynsoftup=${OLD}`, ''],
    [`dynsoftup; dynsoftup=${OLD}`, OLD],
    [`dynsoftup ; dynsoftup=${OLD}`, OLD],
    [`dynsoftupx=${NEW}; xdynsoftup=${NEW}`, ''],
    [`DYNSOFTUP=${NEW}`, ''],
    [`a="dynsoftup=${NEW}"`, ''],
    [`a=dynsoftup=${NEW}`, ''],
    [`dynsoftup=${NEW}0`, ''],
    [`dynsoftup=${NEW} 0`, ''],
    [`dynsoftup="${NEW}"`, ''],
    [`dynsoftup=${NEW.slice(1)}`, ''],
    ['dynsoftup=', ''],
    ['dynsoftup', ''],
    ['', ''],
  ])('%j gives %j', (line, value) => {
    expect(read(fieldLines('Host: a', `Cookie: ${line}`, `X-After: ; dynsoftup=${OLD}; dynsoftup=${OLD}`))).toBe(value);
  });

  test('several Cookie lines count, in any case of the name; the first match wins', () => {
    expect(read(fieldLines('Cookie: a=1', 'X: y', `COOKIE: dynsoftup=${NEW}`, `Cookie: dynsoftup=${OLD}`))).toBe(NEW);
    expect(read(fieldLines('Host: a'))).toBe('');
    // What a line ends with is no part of the next.
    expect(read(fieldLines(`Cookie: dynsoftup=${NEW.slice(0, 20)}`, NEW.slice(20)))).toBe('');
    expect(read(fieldLines('Cookie: dynsoftup', `=${NEW}: x`))).toBe('');
  });

  test('a known id is found in lower case alone; in upper case it is read as such', () => {
    const fields = fieldLines(`Cookie: dynsoftup=${NEW.toUpperCase()}`);
    expect(uuidCookie(fields, 'dynsoftup', new KnownIds([NEW]))).toBe(NEW);
  });

  test('a UUID is 32 hexadecimal digits with dashes in their places', () => {
    expect(isUuidAt(NEW, 0)).toBe(true);
    expect(isUuidAt(`a${NEW.toUpperCase()}b`, 1)).toBe(true);
    expect(uuidAt(`a${NEW.toUpperCase()}b`, 1)).toBe(NEW);
    expect(isUuidAt('09afAF00-0000-0000-0000-000000000000', 0)).toBe(true);
    for (const wrong of [
      '',
      NEW.slice(1),
      NEW.replace('9', 'g'),
      NEW.replaceAll('-', '0'),
      `${NEW.slice(0, 8)}${NEW.slice(9, 14)}-${NEW.slice(14)}`,
      `${NEW.slice(0, 35)}-`,
      `${NEW.slice(0, 8)}0${NEW.slice(9, 35)}-`,
      `${NEW.slice(0, 35)}@`,
      `${NEW.slice(0, 35)}/`,
      `${NEW.slice(0, 35)}:`,
      `${NEW.slice(0, 35)}\``,
    ]) {
      expect(isUuidAt(wrong, 0)).toBe(false);
    }
  });
});

describe('writing', () => {
  const wallMs = Date.UTC(2014, 7, 25, 20, 34, 10, 999);
  const at = (ms: number) => ({ wallMs: () => ms });
  const cookies = () => new CookieLines({ version: 'dynsoftup', transition: 'transition', sameSite: 'Lax' });
  const old = route(OLD);
  const linesFor = (
    chain: ReturnType<typeof route>[],
    reach: number,
    asked: Asked = {},
    answered = chain[reach] ?? old,
  ) => cookies().linesFor({ table: buildTable(1, chain, []), reach, answered, facts: facts(asked) }, at(wallMs));
  const session = route(NEW, { mode: 'SESSION', released: false });

  test('without a SESSION version on the way: no expiry, and only for a client that lacks it', () => {
    expect(linesFor([old], 0)).toBe(`Set-Cookie: dynsoftup=${OLD}${ATTRIBUTES}`);
    expect(linesFor([old], 0, { sessionId: NEW })).toBe(`Set-Cookie: dynsoftup=${OLD}${ATTRIBUTES}`);
    expect(linesFor([old], 0, { sessionId: OLD })).toBe('');
  });

  test('a SESSION version gives the cookie its timeout with every answer, its own and those of older versions', () => {
    const life = '; Expires=Mon, 25 Aug 2014 20:35:10 GMT; Max-Age=60';
    expect(linesFor([session, old], 0)).toBe(`Set-Cookie: dynsoftup=${NEW}${life}${ATTRIBUTES}`);
    expect(linesFor([session, old], 0, { sessionId: NEW })).toBe(`Set-Cookie: dynsoftup=${NEW}${life}${ATTRIBUTES}`);
    expect(linesFor([session, old], 1, { sessionId: OLD })).toBe(`Set-Cookie: dynsoftup=${OLD}${life}${ATTRIBUTES}`);
    const released = { ...session, released: true };
    expect(linesFor([released, old], 0, { sessionId: NEW })).toContain('Max-Age=60');
  });

  test('the first SESSION version met counts, one beyond the reach does not', () => {
    const newest = route('10671a7f-2087-11e4-bf9e-600308a8245e', { mode: 'SESSION', sessionTimeoutS: 5 });
    expect(linesFor([newest, session, old], 2)).toContain('Max-Age=5;');
    expect(linesFor([old, session], 0)).not.toContain('Max-Age');
  });

  test('a version in the middle of a chain: what stands beyond it does not count, whatever came before', () => {
    const gradual = route('a37a290f-0000-11e4-b3a6-600308a8245e', { mode: 'GRADUAL', released: false });
    const chain = [route(DRAWN_ID), gradual, session, old];
    expect(linesFor(chain, 0)).not.toContain('transition=');
    expect(linesFor(chain, 1)).toContain('transition=');
    expect(linesFor(chain, 1)).not.toContain('Max-Age');
    expect(linesFor(chain, 3)).toContain('Max-Age=60');
    expect(linesFor([route(DRAWN_ID), { ...gradual, dormant: true }, old], 2)).not.toContain('transition=');
  });

  test('a dormant version on the way leaves no trace, unless it answers', () => {
    const dormant = { ...session, dormant: true };
    expect(linesFor([route(DRAWN_ID), dormant, old], 2)).not.toContain('Max-Age');
    expect(linesFor([route(DRAWN_ID), dormant, old], 1)).toContain('Max-Age=60');
  });

  test('a GRADUAL version gives the transition cookie to a client without one, before the version cookie', () => {
    const gradual = route(NEW, { mode: 'GRADUAL', released: false });
    expect(linesFor([gradual, old], 1)).toBe(
      `Set-Cookie: transition=${DRAWN_ID}${ATTRIBUTES}Set-Cookie: dynsoftup=${OLD}${ATTRIBUTES}`,
    );
    expect(linesFor([gradual, old], 1, { sessionId: OLD })).toBe(`Set-Cookie: transition=${DRAWN_ID}${ATTRIBUTES}`);
    expect(linesFor([gradual, old], 1, { sessionId: OLD, transitionId: OLD })).toBe('');
  });

  test('the expiry moves on with the clock, and fits a Date', () => {
    const lines = cookies();
    const request = { table: buildTable(1, [session], []), reach: 0, answered: session, facts: facts() };
    expect(lines.linesFor(request, at(wallMs))).toContain('20:35:10 GMT');
    expect(lines.linesFor(request, at(wallMs + 1))).toContain('20:35:11 GMT');
    const endless = { ...session, sessionTimeoutS: Number.MAX_SAFE_INTEGER };
    expect(
      lines.linesFor({ ...request, answered: endless, table: buildTable(2, [endless], []) }, at(wallMs)),
    ).toContain('31 Dec 9999');
  });

  test('within one second a version answers by the timeout of each way that leads to it', () => {
    const lines = cookies();
    const shorter = { ...session, sessionTimeoutS: 5 };
    const ways = [session, shorter, session].map((first) => ({
      table: buildTable(1, [first, old], []),
      reach: 1,
      answered: old,
      facts: facts(),
    }));
    const ages = ways.map((way) => /Max-Age=(\d+)/.exec(lines.linesFor(way, at(wallMs)))?.[1]);
    expect(ages).toEqual(['60', '5', '60']);
  });

  test('names and SameSite are configurable', () => {
    const lines = new CookieLines({ version: 'v', transition: 't', sameSite: 'Strict' });
    const request = { table: buildTable(1, [old], []), reach: 0, answered: old, facts: facts() };
    expect(lines.linesFor(request, at(wallMs))).toBe(`Set-Cookie: v=${OLD}; Path=/; HttpOnly; SameSite=Strict\r\n`);
  });
});
