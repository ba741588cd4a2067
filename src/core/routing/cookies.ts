/**
 * The two cookies, read and written (ARCHITECTURE.md, wire contract): the version cookie names the version that answered,
 * the transition cookie is what a client's GRADUAL bucket is computed from. Reading is tolerant, since cookies are the
 * client's: what is unknown or malformed counts as absent and is replaced.
 */
import { kind } from '../http/field-kinds.ts';
import type { FieldLines } from '../http/fields.ts';
import { httpDate } from '../http/http-date.ts';
import type { KnownIds } from './known-ids.ts';
import type { RequestFacts } from './request-facts.ts';
import type { Route, RoutingTable, Way } from './table.ts';
import { isUuidAt, UUID_LENGTH, uuidAt } from './uuid.ts';
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

/** Tells the milliseconds since the Unix epoch. */
export interface WallClock {
  wallMs(): number;
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

  /** The field lines that the answer needs, each ended by CRLF; '' for none. The clock is asked where one has an expiry. */
  linesFor(request: AnsweredRequest, clock: WallClock): string {
    const { answered, facts } = request;
    const { gradual, sessionTimeoutS } = answered.dormant ? wayToDormant(request) : wayOf(request);
    const version = this.#versionLine(answered, facts, { sessionTimeoutS, clock });
    if (!gradual || !facts.transitionIsNew()) return version;
    return `${this.#transitionStart}${facts.transitionId()}${this.#attributes}${version}`;
  }

  #versionLine(answered: Route, facts: RequestFacts, life: { sessionTimeoutS: number; clock: WallClock }): string {
    if (life.sessionTimeoutS === 0) {
      return facts.sessionId() === answered.id ? '' : this.#linesOf(answered).plain;
    }
    return this.#linesOf(answered).withExpiry(life.sessionTimeoutS, life.clock.wallMs());
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
    this.plain = inOnePiece(start + attributes);
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
      this.#expiring = inOnePiece(`${this.#start}; Expires=${expires}; Max-Age=${timeoutS}${this.#attributes}`);
    }
    return this.#expiring;
  }
}

/** Joined text is a tree of its parts, which each answer that it is written into would walk anew. */
function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** The last moment that IMF-fixdate can write: a later expiry is cut to it. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * The value of the first cookie with this name, in lower case; '' when it is no UUID (RFC 6265 section 4.2; several `Cookie` lines as
 * HTTP/2 intermediaries send them, and any white space and stray semicolons, are accepted). One of `known` is that very string.
 */
export function uuidCookie(fields: FieldLines, name: string, known: KnownIds): string {
  const at = cookieSizedAsUuid(fields, name);
  if (at < 0) return '';
  const { text } = fields;
  return known.at(text, at) ?? (isUuidAt(text, at) ? uuidAt(text, at) : '');
}

/** Where that value stands in the text of the fields, when it is as long as a UUID; else -1. */
export function cookieSizedAsUuid(fields: FieldLines, name: string): number {
  const { text } = fields;
  for (let line = fields.findKind(kind.cookie); line >= 0; line = fields.findKind(kind.cookie, line + 1)) {
    const start = fields.at[line * 4 + 2] as number;
    const end = fields.at[line * 4 + 3] as number;
    const at = valueStart(text, { name, start, end });
    if (at >= 0) return isValueEnd(text, at + UUID_LENGTH, end) ? at : -1;
  }
  return -1;
}

/** Where the value of `name` starts within `start` to `end`, or -1. */
function valueStart(text: string, { name, start, end }: { name: string; start: number; end: number }): number {
  let at = start;
  while (at < end) {
    while (at < end && isSeparator(text.charCodeAt(at))) at += 1;
    let after = at + name.length;
    // What comes after the name tells most other names apart.
    if (isNameEnd(text.charCodeAt(after)) && text.startsWith(name, at)) {
      while (after < end && isBlank(text.charCodeAt(after))) after += 1;
      if (after < end && text.charCodeAt(after) === EQUALS) {
        do after += 1;
        while (after < end && isBlank(text.charCodeAt(after)));
        return after;
      }
    }
    const next = text.indexOf(';', at);
    if (next < 0) return -1;
    at = next + 1;
  }
  return -1;
}

/** True when the value that reaches to `at` ends there, in a line that ends at `end`. */
function isValueEnd(text: string, at: number, end: number): boolean {
  while (at < end && isBlank(text.charCodeAt(at))) at += 1;
  return at === end || (at < end && text.charCodeAt(at) === SEMICOLON);
}

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

function isNameEnd(code: number): boolean {
  return code === EQUALS || isBlank(code);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function isSeparator(code: number): boolean {
  return code === SEMICOLON || isBlank(code);
}
