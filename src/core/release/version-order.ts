/**
 * The order of versions: natural, so that `3` < `13`, `1.9` < `1.10`, and a pre-release stands below its release. It agrees
 * with Semantic Versioning (section 11) wherever that is defined, but for words that end in digits: `rc9` < `rc10` here.
 * Every text has its place, so the order is total: image tags are not all versions.
 */

/**
 * Negative when `a` is older than `b`, positive when newer, 0 when they rank alike (`1.0` and `1.0.0`, or versions that
 * differ in build metadata only).
 */
export function compareVersions(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  return (
    compareLists(left.numbers, right.numbers) ||
    // A release stands above its pre-releases; between two pre-releases the shorter list is older.
    Math.sign(Number(left.rest.length === 0) - Number(right.rest.length === 0)) ||
    compareLists(left.rest, right.rest)
  );
}

interface ParsedVersion {
  /** The dotted numbers, trailing zeros left out. Empty for a text that does not start with a number. */
  readonly numbers: readonly string[];
  /** What follows the numbers, build metadata left out, cut between digits and words. */
  readonly rest: readonly string[];
}

const NUMBERED = /^[v=\s]*(\d+(?:\.\d+)*)([^+]*)/i;

function parse(text: string): ParsedVersion {
  const found = NUMBERED.exec(text);
  // A name (`nightly`) ranks above every number, as digits come before letters: its words stand where numbers do.
  if (found === null) return { numbers: chunks(text), rest: [] };
  const numbers = (found[1] ?? '').split('.');
  while (numbers.length > 1 && isZero(numbers.at(-1) ?? '')) numbers.pop();
  return { numbers, rest: chunks(found[2] ?? '') };
}

/** Runs of digits and runs of other characters; dots, and a dash or the like in front, only separate. */
function chunks(text: string): readonly string[] {
  return text.replace(/^[-_~\s]+/, '').match(/\d+|[^\d.]+/g) ?? [];
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    const order = compareChunks(a[i] as string, b[i] as string);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Numbers by their value, however long; numbers before words; words by their characters. */
function compareChunks(a: string, b: string): number {
  const aIsNumber = isDigits(a);
  const bIsNumber = isDigits(b);
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  if (!aIsNumber) return compareText(a, b);
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  return left.length - right.length || compareText(left, right);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const isDigits = (text: string): boolean => /^\d+$/.test(text);
const isZero = (text: string): boolean => /^0+$/.test(text);
