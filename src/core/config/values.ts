/**
 * The kinds of value that a configuration holds. Each says in words what it allows; those words are the error message
 * (`issues.ts` puts the path and the value around them). A message that opens with a quoted key (`"servers" list must …`) is a whole line.
 */
import { z } from 'zod';
import { parseJsonPath } from '../compare/json-path.ts';
import { Pattern } from '../compare/pattern.ts';
import { HOST_ALLOWED, parseHost } from './address.ts';
import { LOG_LEVELS_ALLOWED, parseLogLevel } from './log-level.ts';

/** Longest time: what a timer of 2^31-1 milliseconds holds, in whole seconds. */
const SECONDS_MAX = 2_147_483;

/** An object with these keys and no others; a key that is not among them is answered with their list. */
export function object<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? keys : 'an object') });
}

/** A whole number in a range. */
export function whole(min: number, max: number = Number.MAX_SAFE_INTEGER, error: string = wholeAllowed(min, max)) {
  return z.int({ error }).min(min, { error }).max(max, { error });
}

function wholeAllowed(min: number, max: number): string {
  return `a whole number ${max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`}`;
}

/** Zero is let through, though the words start at 1: it may stand where the option is not used (`rules.ts`). */
export function wholeOrZero(max: number) {
  const error = wholeAllowed(1, max);
  return z.int({ error }).min(0, { error }).max(max, { error });
}

/** Any number in a range, the ends included. */
function number(min: number, max: number, error: string) {
  return z.number({ error }).min(min, { error }).max(max, { error });
}

/** A time in seconds, zero included. */
export const seconds = () => number(0, SECONDS_MAX, `a number of seconds from 0 to ${SECONDS_MAX}`);

export const TIMEOUT_ALLOWED = `a number of seconds from 0.001 to ${SECONDS_MAX}`;

/** A time in seconds that may not be zero: a millisecond at least. */
export const timeout = (error: string = TIMEOUT_ALLOWED) => number(0.001, SECONDS_MAX, error);

/** Zero is let through: it may stand where the option is not used (`rules.ts`). */
export const percentOrZero = () => number(0, 100, PERCENT_ALLOWED);

export const PERCENT_ALLOWED = 'a number above 0, up to 100';

/** A number in a range, the ends included. */
export const between = (min: number, max: number) => number(min, max, `a number from ${min} to ${max}`);

export const fraction = () => between(0, 1);

/** A share above zero; `"off"` becomes null. */
export const shareOrOff = () =>
  z
    .union([number(0.0001, 1, DIVERGENCE_ALLOWED), z.literal('off'), z.null()], { error: DIVERGENCE_ALLOWED })
    .transform((value) => (value === 'off' ? null : value));

const DIVERGENCE_ALLOWED = 'a number from 0.0001 to 1, or "off"';

export const headerName = () => token('the name of a header');

export const headersOrAll = () => z.union([list(headerName()), z.literal('all')], { error: HEADERS_ALLOWED });

const HEADERS_ALLOWED = 'a list of names of headers, or "all"';

export const jsonPath = () =>
  checked('a JSON path like $.time or $.items[*].id', (value) => value.length <= 1000 && parseJsonPath(value) !== null);

/** A regular expression of the kind that `core/compare/pattern.ts` knows; the error says what is wrong with it. */
export const pattern = () =>
  z.string({ error: PATTERN_ALLOWED }).superRefine((value, context) => {
    try {
      new Pattern(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: `${PATTERN_ALLOWED} (${(error as Error).message})`, input: value });
    }
  });

const PATTERN_ALLOWED = 'a regular expression that can be used';

export const port = (min: 0 | 1 = 1) => whole(min, 65_535);

export const host = () => checked(HOST_ALLOWED, (text) => parseHost(text) !== null).transform(withoutBrackets);

export const flag = () => z.boolean({ error: 'true or false' });

export const text = () => checked('a non-empty string', (value) => value !== '');

export const anyText = () => z.string({ error: 'a string' });

/** A token of RFC 9110 section 5.6.2: a cookie's, a header's or a pseudonym's name. */
export const token = (what: string) => checked(what, (value) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value));

export const path = () => checked('a path that starts with "/"', (value) => /^\/[\x21-\x7e]*$/.test(value));

/** What can stand in a header field: visible ASCII without spaces. */
export const fieldValue = () =>
  checked('a non-empty string of visible ASCII characters', (value) => /^[!-~]+$/.test(value));

/** Visible ASCII, so that it can stand in an Authorization header. */
export const bearer = () => checked(BEARER_ALLOWED, isBearer);

export const BEARER_ALLOWED = 'a string of 1 to 1024 visible ASCII characters without spaces';

export const isBearer = (value: string): boolean => /^[\x21-\x7e]{1,1024}$/.test(value);

/** HTTP methods; they are case-sensitive, so `get` is a method that nobody sends. */
export const methods = () => list(checked('an HTTP method in capitals', (value) => /^[A-Z][A-Z0-9_-]*$/.test(value)));

export function list<Item extends z.ZodType>(item: Item) {
  return z.array(item, { error: 'a list' });
}

/** One of these words, as written. */
export function word<const Words extends readonly string[]>(words: Words, error: string = choice(words)) {
  return z.enum(words, { error });
}

/** A value or a word that stands for none: `"off"`, `"never"`. `value` is made with the words for both. */
export function orWord<Value extends z.ZodType, const Word extends string>(
  value: (error: string) => Value,
  word: Word,
  allowed: string,
) {
  const error = `${allowed} or "${word}"`;
  return z.union([value(error), z.literal(word)], { error });
}

export const logLevel = () =>
  checked(LOG_LEVELS_ALLOWED, (value) => parseLogLevel(value) !== null).transform((value) => parseLogLevel(value));

/** A UUID of any version, in lower case. */
export const uuid = () =>
  checked('a UUID', (value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)).transform((value) =>
    value.toLowerCase(),
  );

/** What a version is called. Numbers come here as the text they were written as. */
export const versionName = () =>
  checked(
    'a number or a non-empty string of at most 128 characters, none of them a control character',
    (value) =>
      value.trim() !== '' && value.length <= 128 && !/[\p{Cc}\u2028\u2029]/u.test(value) && value.isWellFormed(),
  );

export const tokenOrFalse = (error: string) => z.union([token(error), z.literal(false)], { error });

/** One value or a list of such. */
export function orList<Item extends z.ZodType>(item: Item, error: string) {
  return z.union([item, z.array(item).min(1)], { error });
}

/** A string that passes a test. */
export function checked(error: string, test: (value: string) => boolean) {
  return z.string({ error }).refine(test, { error });
}

/** `"a", "b" or "c"`. */
function choice(words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`);
  return [quoted.slice(0, -1).join(', '), quoted.at(-1)].join(' or ');
}

function withoutBrackets(value: string): string {
  return parseHost(value) ?? value;
}
