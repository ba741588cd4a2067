/**
 * Reads a pattern: the part of JavaScript's regular expressions that can be matched in a time that grows with the text and no
 * faster. What can't be (look-around, back-references) is refused by name; so is whatever would mean something else here.
 */

/** A part of a pattern. */
export type PatternNode =
  | { readonly kind: 'one'; readonly set: CharSet }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly item: PatternNode; readonly count: Count };

export type Assertion = 'start' | 'end' | 'edge' | 'no-edge';

export interface Count {
  readonly min: number;
  readonly max: number;
  /** As much as possible first, or as little. */
  readonly takes: 'most' | 'least';
}

/** Which code units are meant: pairs of first and last, or all but those. */
export interface CharSet {
  readonly ranges: readonly number[];
  readonly negated: boolean;
}

/** `message` is a clause: what is wrong with the pattern. */
export class PatternError extends Error {}

const COUNT_MAX = 1000;
const DEPTH_MAX = 50;

const DIGITS = [0x30, 0x39];
const WORD = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
const SPACES = [
  0x09, 0x0d, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f,
  0x3000, 0x3000, 0xfeff, 0xfeff,
];
const LINE_ENDS = [0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029];

const CLASSES: Readonly<Record<string, CharSet>> = {
  d: { ranges: DIGITS, negated: false },
  D: { ranges: DIGITS, negated: true },
  w: { ranges: WORD, negated: false },
  W: { ranges: WORD, negated: true },
  s: { ranges: SPACES, negated: false },
  S: { ranges: SPACES, negated: true },
};

const CONTROLS: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, f: 0x0c, v: 0x0b };

/** Throws a `PatternError`. */
export function parsePattern(source: string): PatternNode {
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#source.length) throw new PatternError('a ")" closes nothing');
    return node;
  }

  #choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.#take('|')) options.push(this.#sequence());
    return options.length === 1 ? (options[0] as PatternNode) : { kind: 'choice', options };
  }

  #sequence(): PatternNode {
    const items: PatternNode[] = [];
    while (this.#at < this.#source.length && !this.#sees('|') && !this.#sees(')')) {
      const item = this.#item();
      const count = this.#count();
      if (count === null) {
        items.push(item);
        continue;
      }
      if (item.kind === 'assert' || this.#count() !== null) throw new PatternError('there is nothing to repeat');
      items.push({ kind: 'repeat', item, count });
    }
    return { kind: 'sequence', items };
  }

  #item(): PatternNode {
    const char = this.#next();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'one', set: this.#class() };
      case '.':
        return { kind: 'one', set: { ranges: LINE_ENDS, negated: true } };
      case '^':
        return { kind: 'assert', what: 'start' };
      case '$':
        return { kind: 'assert', what: 'end' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw new PatternError('there is nothing to repeat');
      default:
        return one(char.charCodeAt(0));
    }
  }

  #group(): PatternNode {
    if (this.#take('?') && !this.#take(':')) throw new PatternError('"(?" other than "(?:" is not supported');
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new PatternError('its groups are nested too deeply');
    const node = this.#choice();
    this.#depth -= 1;
    if (!this.#take(')')) throw new PatternError('a "(" is not closed');
    return node;
  }

  #escape(): PatternNode {
    if (this.#take('b')) return { kind: 'assert', what: 'edge' };
    if (this.#take('B')) return { kind: 'assert', what: 'no-edge' };
    const meant = this.#escaped();
    return typeof meant === 'number' ? one(meant) : { kind: 'one', set: meant };
  }

  /** What stands behind a backslash: a code unit or a class. */
  #escaped(): number | CharSet {
    const char = this.#next();
    const known = CLASSES[char] ?? CONTROLS[char];
    if (known !== undefined) return known;
    if (char === 'x') return this.#hex(2);
    if (char === 'u') return this.#hex(4);
    if (/[0-9A-Za-z]/.test(char)) throw new PatternError(`"\\${char}" is not supported`);
    return char.charCodeAt(0);
  }

  #hex(digits: number): number {
    const text = this.#source.slice(this.#at, this.#at + digits);
    if (text.length < digits || !/^[0-9a-f]+$/i.test(text)) throw new PatternError(`${digits} hex digits are missing`);
    this.#at += digits;
    return Number.parseInt(text, 16);
  }

  #class(): CharSet {
    const negated = this.#take('^');
    const ranges: number[] = [];
    while (!this.#take(']')) {
      const from = this.#classAtom();
      const isRange = this.#sees('-') && this.#source[this.#at + 1] !== ']';
      if (typeof from !== 'number') {
        ranges.push(...rangesOf(from));
        if (isRange) throw new PatternError('a range in "[...]" begins with a class');
        continue;
      }
      let to: number | CharSet = from;
      if (isRange) {
        this.#at += 1;
        to = this.#classAtom();
      }
      if (typeof to !== 'number' || to < from) throw new PatternError('a range in "[...]" is out of order');
      ranges.push(from, to);
    }
    return { ranges, negated };
  }

  #classAtom(): number | CharSet {
    if (this.#at >= this.#source.length) throw new PatternError('a "[" is not closed');
    if (!this.#take('\\')) return this.#next().charCodeAt(0);
    return this.#take('b') ? 0x08 : this.#escaped();
  }

  #count(): Count | null {
    const bounds = this.#bounds();
    if (bounds === null) return null;
    const [min, max] = bounds;
    if (max < min) throw new PatternError('a count is out of order');
    if (min > COUNT_MAX || (max > COUNT_MAX && max !== Number.POSITIVE_INFINITY)) {
      throw new PatternError(`a count is above ${COUNT_MAX}`);
    }
    return { min, max, takes: this.#take('?') ? 'least' : 'most' };
  }

  #bounds(): readonly [number, number] | null {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    // A brace that opens no count stands for itself, which is handy in patterns for JSON.
    const braces = /^\{(\d+)(,(\d*))?\}/.exec(this.#source.slice(this.#at));
    if (braces === null) return null;
    this.#at += braces[0].length;
    const min = Number(braces[1]);
    if (braces[2] === undefined) return [min, min];
    return [min, braces[3] === '' ? Number.POSITIVE_INFINITY : Number(braces[3])];
  }

  #next(): string {
    const char = this.#source[this.#at];
    if (char === undefined) throw new PatternError('it ends in a backslash');
    this.#at += 1;
    return char;
  }

  #sees(char: string): boolean {
    return this.#source[this.#at] === char;
  }

  #take(char: string): boolean {
    if (!this.#sees(char)) return false;
    this.#at += 1;
    return true;
  }
}

function one(code: number): PatternNode {
  return { kind: 'one', set: { ranges: [code, code], negated: false } };
}

/** A class inside brackets: its ranges, turned round where it is negated. */
function rangesOf({ ranges, negated }: CharSet): readonly number[] {
  if (!negated) return ranges;
  const others: number[] = [];
  let from = 0;
  for (let index = 0; index < ranges.length; index += 2) {
    const first = ranges[index] as number;
    if (first > from) others.push(from, first - 1);
    from = (ranges[index + 1] as number) + 1;
  }
  if (from <= 0xffff) others.push(from, 0xffff);
  return others;
}
