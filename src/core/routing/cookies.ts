/**
 * The two cookies, read and written (ARCHITECTURE.md, wire contract): the version cookie names the version that answered,
 * the transition cookie is what a client's GRADUAL bucket is computed from. Reading is tolerant, since cookies are the
 * client's: what is unknown or malformed counts as absent and is replaced.
 */
import type { FieldLines } from '../http/fields.ts';
import { httpDate } from '../http/http-date.ts';
import type { RequestFacts } from './request-facts.ts';
import type { Route, RoutingTable, Way } from './table.ts';
import { wayAlong } from './way.ts';

export interface CookieConfig {
  /** The version cookie's name. */
  readonly version: string;
  /** The transition cookie's name. */
  readonly transition: string;
  readonly sameSite: 'Strict' | 'Lax' | 'None';
}

/** The way one request took, as the cookies see it. */
export interface AnsweredRequest {
  readonly table: RoutingTable;
  /** The largest index in the chain among the versions that admitted, passed on or were asked. */
  readonly reach: number;
  /** The version whose answer goes to the client. */
  readonly answered: Route;
  readonly facts: RequestFacts;
}

/** Writes the `Set-Cookie` lines of answers. One for the life of a data plane. */
export class CookieLines {
  readonly #versionName: string;
  readonly #transitionStart: string;
  readonly #attributes: string;
  readonly #cache = new WeakMap<Route, VersionLines>();

  constructor(config: CookieConfig) {
    this.#versionName = config.version;
    this.#transitionStart = `Set-Cookie: ${config.transition}=`;
    this.#attributes = `; Path=/; HttpOnly; SameSite=${config.sameSite}\r\n`;
  }

  /** The field lines that the answer needs, each ended by CRLF; '' for none. `wallMs` is the time since the epoch. */
  linesFor(request: AnsweredRequest, wallMs: number): string {
    const { answered, facts } = request;
    const { gradual, sessionTimeoutS } = answered.dormant ? wayToDormant(request) : wayOf(request);
    const version = this.#versionLine(answered, facts, { sessionTimeoutS, wallMs });
    if (!gradual || !facts.transitionIsNew()) return version;
    return `${this.#transitionStart}${facts.transitionId()}${this.#attributes}${version}`;
  }

  #versionLine(answered: Route, facts: RequestFacts, life: { sessionTimeoutS: number; wallMs: number }): string {
    if (life.sessionTimeoutS === 0) {
      return facts.sessionId() === answered.id ? '' : this.#linesOf(answered).plain;
    }
    return this.#linesOf(answered).withExpiry(life.sessionTimeoutS, life.wallMs);
  }

  #linesOf(route: Route): VersionLines {
    let lines = this.#cache.get(route);
    if (lines === undefined) {
      lines = new VersionLines(`Set-Cookie: ${this.#versionName}=${route.id}`, this.#attributes);
      this.#cache.set(route, lines);
    }
    return lines;
  }
}

function wayOf({ table, reach }: AnsweredRequest): Way {
  return table.ways[Math.min(reach, table.ways.length - 1)] as Way;
}

/** A dormant version stands in no one's way but that of those whom it answers. */
function wayToDormant({ table, reach, answered }: AnsweredRequest): Way {
  return wayAlong(table.chain.slice(0, reach + 1).filter((route) => !route.dormant || route === answered));
}

/** The ready-made lines of one version; the one with an expiry is made anew once per second at most. */
class VersionLines {
  readonly plain: string;
  readonly #start: string;
  readonly #attributes: string;
  #second = -1;
  #timeoutS = 0;
  #expiring = '';

  constructor(start: string, attributes: string) {
    this.plain = start + attributes;
    this.#start = start;
    this.#attributes = attributes;
  }

  withExpiry(timeoutS: number, wallMs: number): string {
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#second || timeoutS !== this.#timeoutS) {
      this.#second = second;
      this.#timeoutS = timeoutS;
      // RFC 6265 section 4.1.1 wants the form of the Date field.
      const expires = httpDate(Math.min((second + timeoutS) * 1000, LATEST_MS));
      this.#expiring = `${this.#start}; Expires=${expires}; Max-Age=${timeoutS}${this.#attributes}`;
    }
    return this.#expiring;
  }
}

/** The last moment that IMF-fixdate can write: a later expiry is cut to it. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * The value of the first cookie with this name in the `Cookie` lines, or '' (RFC 6265 section 4.2; several lines as
 * HTTP/2 intermediaries send them, and any white space and stray semicolons, are accepted).
 */
export function cookieValue(fields: FieldLines, name: string): string {
  for (let line = fields.find('cookie'); line >= 0; line = fields.find('cookie', line + 1)) {
    const start = fields.at[line * 4 + 2] as number;
    const end = fields.at[line * 4 + 3] as number;
    const at = pairStart(fields.text, { name, start, end });
    if (at >= 0) return valueAt(fields.text, at, end);
  }
  return '';
}

/** Where the value of `name` starts within `start` to `end`, or -1. */
function pairStart(text: string, where: { name: string; start: number; end: number }): number {
  const { name, end } = where;
  let at = where.start;
  while (at < end) {
    while (at < end && isSeparator(text.charCodeAt(at))) at += 1;
    if (text.startsWith(name, at)) {
      let after = at + name.length;
      while (after < end && isBlank(text.charCodeAt(after))) after += 1;
      if (after < end && text.charCodeAt(after) === 0x3d) return after + 1;
    }
    const next = text.indexOf(';', at);
    if (next < 0) return -1;
    at = next + 1;
  }
  return -1;
}

function valueAt(text: string, from: number, end: number): string {
  let stop = text.indexOf(';', from);
  if (stop < 0 || stop > end) stop = end;
  while (from < stop && isBlank(text.charCodeAt(from))) from += 1;
  while (stop > from && isBlank(text.charCodeAt(stop - 1))) stop -= 1;
  return text.slice(from, stop);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function isSeparator(code: number): boolean {
  return code === 0x3b || isBlank(code);
}
