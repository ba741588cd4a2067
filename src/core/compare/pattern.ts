/**
 * A pattern whose matches are cut out of a text. What it finds is what JavaScript's own regular expressions find, but the
 * time it may take is bounded: all ways to match are followed side by side, one character at a time (Thompson 1968, with
 * Pike's order of preference), and each step is paid for from an allowance. No pattern and no body can hold up the proxy.
 */
import {
  type Assertion,
  type CharSet,
  type Count,
  PatternError,
  type PatternNode,
  parsePattern,
} from './pattern-parser.ts';

const PATTERN_CHARACTERS_MAX = 200;
const INSTRUCTIONS_MAX = 1000;

/** Steps that are left; shared by all patterns on one body. */
export interface Allowance {
  steps: number;
}

type Instruction =
  | { readonly op: 'one'; readonly set: CharSet }
  | { readonly op: 'assert'; readonly what: Assertion }
  /** Goes on at both, rather at `first`. */
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; to: number }
  | { readonly op: 'match' };

/** Ways to match, the preferred first: where each stands in the program, and where it began in the text. */
interface Ways {
  readonly at: number[];
  readonly begun: number[];
}

export class Pattern {
  readonly #program: readonly Instruction[];
  /** By instruction: the round in which a way came to it last. */
  readonly #seen: number[];
  #round = 0;
  #ways: Ways = { at: [], begun: [] };
  #next: Ways = { at: [], begun: [] };
  readonly #stack: number[] = [];
  #start = 0;
  #end = 0;

  /** Throws a `PatternError`. */
  constructor(source: string) {
    if (source.length > PATTERN_CHARACTERS_MAX) {
      throw new PatternError(`it has more than ${PATTERN_CHARACTERS_MAX} characters`);
    }
    const program: Instruction[] = [];
    emit(program, parsePattern(source));
    push(program, { op: 'match' });
    this.#program = program;
    this.#seen = program.map(() => 0);
  }

  /** The text without what matches, or null when the allowance did not last. */
  cutFrom(text: string, allowance: Allowance): string | null {
    let rest = '';
    let copied = 0;
    let at = 0;
    while (at <= text.length && this.#find(text, at, allowance)) {
      rest += text.slice(copied, this.#start);
      copied = this.#end;
      at = this.#end === this.#start ? this.#end + 1 : this.#end;
    }
    return allowance.steps > 0 ? rest + text.slice(copied) : null;
  }

  /** The first match at or after `from`, into `#start` and `#end`. */
  #find(text: string, from: number, allowance: Allowance): boolean {
    let found = false;
    this.#ways.at.length = 0;
    this.#ways.begun.length = 0;
    this.#round += 1;
    for (let at = from; at <= text.length && allowance.steps > 0; at += 1) {
      const ways = this.#ways;
      if (!found) this.#follow(ways, { pc: 0, begun: at, at, text }, allowance);
      if (ways.at.length === 0 && found) break;
      this.#round += 1;
      const next = this.#next;
      next.at.length = 0;
      next.begun.length = 0;
      for (let index = 0; index < ways.at.length; index += 1) {
        const pc = ways.at[index] as number;
        const begun = ways.begun[index] as number;
        const instruction = this.#program[pc] as Instruction;
        allowance.steps -= 1;
        if (instruction.op === 'match') {
          // Ways that are less preferred than this one don't matter any more.
          found = true;
          this.#start = begun;
          this.#end = at;
          break;
        }
        if (instruction.op === 'one' && at < text.length && has(instruction.set, text.charCodeAt(at))) {
          this.#follow(next, { pc: pc + 1, begun, at: at + 1, text }, allowance);
        }
      }
      this.#next = ways;
      this.#ways = next;
    }
    return found && allowance.steps > 0;
  }

  /** Adds the ways that lead on from an instruction without reading a character. */
  #follow(
    ways: Ways,
    from: { readonly pc: number; readonly begun: number; readonly at: number; readonly text: string },
    allowance: Allowance,
  ): void {
    const stack = this.#stack;
    stack.push(from.pc);
    for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
      if (this.#seen[pc] === this.#round) continue;
      this.#seen[pc] = this.#round;
      allowance.steps -= 1;
      const instruction = this.#program[pc] as Instruction;
      if (instruction.op === 'jump') stack.push(instruction.to);
      else if (instruction.op === 'split') stack.push(instruction.second, instruction.first);
      else if (instruction.op === 'assert') {
        if (holds(instruction.what, from.text, from.at)) stack.push(pc + 1);
      } else {
        ways.at.push(pc);
        ways.begun.push(from.begun);
      }
    }
  }
}

function emit(program: Instruction[], node: PatternNode): void {
  switch (node.kind) {
    case 'one':
      push(program, { op: 'one', set: node.set });
      break;
    case 'assert':
      push(program, { op: 'assert', what: node.what });
      break;
    case 'sequence':
      for (const item of node.items) emit(program, item);
      break;
    case 'choice':
      emitChoice(program, node.options);
      break;
    case 'repeat':
      emitRepeat(program, node.item, node.count);
      break;
  }
}

function emitChoice(program: Instruction[], options: readonly PatternNode[]): void {
  const jumps: { op: 'jump'; to: number }[] = [];
  for (const [index, option] of options.entries()) {
    if (index === options.length - 1) {
      emit(program, option);
      break;
    }
    const split: Instruction = { op: 'split', first: program.length + 1, second: 0 };
    push(program, split);
    emit(program, option);
    const jump = { op: 'jump' as const, to: 0 };
    push(program, jump);
    jumps.push(jump);
    split.second = program.length;
  }
  for (const jump of jumps) jump.to = program.length;
}

function emitRepeat(program: Instruction[], item: PatternNode, { min, max, takes }: Count): void {
  for (let n = 0; n < min; n += 1) emit(program, item);
  const unbounded = max === Number.POSITIVE_INFINITY;
  const further = unbounded ? 1 : max - min;
  const splits: { op: 'split'; first: number; second: number }[] = [];
  for (let n = 0; n < further; n += 1) {
    const split = { op: 'split' as const, first: program.length + 1, second: 0 };
    const begin = program.length;
    push(program, split);
    emit(program, item);
    if (unbounded) push(program, { op: 'jump', to: begin });
    splits.push(split);
  }
  for (const split of splits) {
    split.second = program.length;
    if (takes === 'least') [split.first, split.second] = [split.second, split.first];
  }
}

function push(program: Instruction[], instruction: Instruction): void {
  if (program.length >= INSTRUCTIONS_MAX) throw new PatternError('its counts make it too large');
  program.push(instruction);
}

function has({ ranges, negated }: CharSet, code: number): boolean {
  for (let index = 0; index < ranges.length; index += 2) {
    if (code >= (ranges[index] as number) && code <= (ranges[index + 1] as number)) return !negated;
  }
  return negated;
}

function holds(what: Assertion, text: string, at: number): boolean {
  if (what === 'start') return at === 0;
  if (what === 'end') return at === text.length;
  const isEdge = isWord(text, at - 1) !== isWord(text, at);
  return isEdge === (what === 'edge');
}

function isWord(text: string, at: number): boolean {
  return at >= 0 && at < text.length && /\w/.test(text[at] as string);
}
