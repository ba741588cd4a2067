/** In what two answers to one request differ, in words that are fit for a log: short, without bodies and without secrets. */
import type { Differing } from '../messages.ts';
import type { AnswerPrint, Unread } from './digest.ts';

export interface Compared {
  readonly differing: readonly Differing[];
  /** Why the bodies were not compared, or null: they were. */
  readonly unread: Unread | null;
}

const VALUE_CHARACTERS_MAX = 80;
const TARGET_CHARACTERS_MAX = 200;

/** Fields whose values may give access to something. */
const SECRET = /auth|cookie|key|secret|session|token/;

/** Bodies of different lengths differ; that they do is told once, by their lengths. */
export function compareAnswers(older: AnswerPrint, newer: AnswerPrint): Compared {
  const differing: Differing[] = [];
  if (older.status !== newer.status) {
    differing.push({ what: 'status', name: null, older: `${older.status}`, newer: `${newer.status}` });
  }
  for (const name of new Set([...older.headers.keys(), ...newer.headers.keys()])) {
    const [was, is] = [older.headers.get(name), newer.headers.get(name)];
    if (was !== is) differing.push({ what: 'header', name, older: shown(name, was), newer: shown(name, is) });
  }
  if (older.body.kind === 'unread') return { differing, unread: older.body.why };
  if (newer.body.kind === 'unread') return { differing, unread: newer.body.why };
  const exact = older.body.kind === 'whole' && newer.body.kind === 'whole';
  if (exact && older.length !== newer.length) {
    differing.push({ what: 'length', name: null, older: `${older.length}`, newer: `${newer.length}` });
  } else if (older.body.hash !== newer.body.hash) {
    differing.push({ what: 'body', name: null, older: older.body.hash, newer: newer.body.hash });
  }
  return { differing, unread: null };
}

/** The path of a request target, cut to what a log can hold; the query may hold secrets. */
export function shownTarget(target: string): string {
  return cut(withoutQuery(target), TARGET_CHARACTERS_MAX);
}

function shown(name: string, value: string | undefined): string {
  if (value === undefined) return 'none';
  if (SECRET.test(name)) return '***';
  const told = name === 'location' || name === 'content-location' ? withoutQuery(value) : value;
  return cut(told, VALUE_CHARACTERS_MAX);
}

function withoutQuery(target: string): string {
  const query = target.search(/[?#]/);
  return query < 0 ? target : target.slice(0, query);
}

function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;
}
