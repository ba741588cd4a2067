/**
 * JSON with comments, read strictly: text in, plain values out, with a place (line:column) for each fault.
 *
 * Two things set it apart from JSON.parse. A number keeps its source text where the text matters (a version `1.10` is
 * not 1.1), and a key that is given twice is a fault, since whoever wrote the second one meant something by it.
 */
import { createScanner, type Node, type ParseError, type ParseErrorCode, parseTree } from 'jsonc-parser';

/** Deeper than any sensible document; keeps a hostile one from exhausting the stack. */
const DEPTH_MAX = 32;
/** In one list or object. Nobody has so many servers, and a check of half a million entries would hold up traffic. */
const ENTRIES_MAX = 10_000;
/** One line each; a text with more faults than this is not being read to the end anyway. */
const FAULTS_MAX = 20;

export type JsonPath = readonly (string | number)[];

export type Read =
  /** `value` is the document as plain values; `duplicates` has a line for each key that is given again. */
  | { readonly ok: true; readonly value: unknown; readonly duplicates: readonly string[] }
  | { readonly ok: false; readonly errors: readonly string[] };

/** Reads a JSON text. `textPath` names the value that is kept as it is written when it is a number. */
export function readJson(input: string, textPath: JsonPath = []): Read {
  const text = input.startsWith('\uFEFF') ? input.slice(1) : input;
  if (nestsTooDeep(text)) return { ok: false, errors: [`Invalid JSON: more than ${DEPTH_MAX} levels of nesting`] };
  const faults: ParseError[] = [];
  const root = parseTree(text, faults, { allowTrailingComma: true });
  if (faults.length > 0 || root === undefined) {
    // One missing brace is a fault to several rules of the grammar at the same place.
    const lines = new Set(faults.map((fault) => faultLine(text, fault)));
    return { ok: false, errors: [...lines].slice(0, FAULTS_MAX) };
  }
  const walk: Walk = { text, textPath, path: [], duplicates: [], crowded: [] };
  const value = toValue(root, walk);
  if (walk.crowded.length > 0) return { ok: false, errors: walk.crowded };
  return { ok: true, value, duplicates: walk.duplicates };
}

/** A path as people write it: `cluster.servers[1].port`. */
export function pathText(path: JsonPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? shorten(part) : `.${shorten(part)}`;
  }
  return text;
}

/** Text from a document as part of an error line: not endless, and on one line. */
export function shorten(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return short.replace(/[\p{Cc}\u2028\u2029]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `line:column` of an offset, both from 1. */
function place(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const lines = before.split(/\r\n|\r|\n/);
  return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
}

function nestsTooDeep(text: string): boolean {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let token = scanner.scan(); token !== EOF; token = scanner.scan()) {
    if (token === OPEN_BRACE || token === OPEN_BRACKET) depth += 1;
    else if (token === CLOSE_BRACE || token === CLOSE_BRACKET) depth -= 1;
    if (depth > DEPTH_MAX) return true;
  }
  return false;
}

// jsonc-parser's SyntaxKind; its declaration is a const enum, which does not exist when the program runs.
const OPEN_BRACE = 1;
const CLOSE_BRACE = 2;
const OPEN_BRACKET = 3;
const CLOSE_BRACKET = 4;
const EOF = 17;

interface Walk {
  readonly text: string;
  readonly textPath: JsonPath;
  readonly path: (string | number)[];
  readonly duplicates: string[];
  readonly crowded: string[];
}

function toValue(node: Node, walk: Walk): unknown {
  const entries = node.children?.length ?? 0;
  if (entries > ENTRIES_MAX) {
    const name = pathText(walk.path) || 'The top level';
    walk.crowded.push(`"${name}" must have at most ${ENTRIES_MAX} entries, not ${entries}`);
    return null;
  }
  switch (node.type) {
    case 'object':
      return toObject(node, walk);
    case 'array':
      return (node.children ?? []).map((item, index) => {
        walk.path.push(index);
        const value = toValue(item, walk);
        walk.path.pop();
        return value;
      });
    case 'number':
      return isTextPath(walk) ? walk.text.slice(node.offset, node.offset + node.length) : node.value;
    default:
      return node.value;
  }
}

function isTextPath({ path, textPath }: Walk): boolean {
  return path.length === textPath.length && path.every((part, index) => part === textPath[index]);
}

function toObject(node: Node, walk: Walk): Record<string, unknown> {
  const firstSeen = new Map<string, number>();
  const entries: [string, unknown][] = [];
  for (const property of node.children ?? []) {
    const [name, content] = property.children ?? [];
    if (name === undefined || content === undefined) continue;
    const key = String(name.value);
    walk.path.push(key);
    const first = firstSeen.get(key);
    if (first === undefined) {
      firstSeen.set(key, name.offset);
    } else if (walk.duplicates.length < FAULTS_MAX) {
      const at = place(walk.text, name.offset);
      walk.duplicates.push(`"${pathText(walk.path)}" is given twice: at ${place(walk.text, first)} and at ${at}`);
    }
    entries.push([key, toValue(content, walk)]);
    walk.path.pop();
  }
  // fromEntries defines own properties, so a key named __proto__ is a key like any other (and unknown).
  return Object.fromEntries(entries);
}

/** What jsonc-parser means by its error codes, in the order of their numbers. */
const FAULTS: Readonly<Record<ParseErrorCode, string>> = {
  1: 'unknown symbol',
  2: 'malformed number',
  3: 'a key in double quotes is expected',
  4: 'a value is expected',
  5: 'a colon is expected',
  6: 'a comma is expected',
  7: 'a closing brace is expected',
  8: 'a closing bracket is expected',
  9: 'nothing more is expected here',
  10: 'comments are not expected here',
  11: 'the comment does not end',
  12: 'the string does not end',
  13: 'the number does not end',
  14: 'malformed unicode escape',
  15: 'unknown escape in a string',
  16: 'control character in a string',
};

function faultLine(text: string, fault: ParseError): string {
  return `Invalid JSON at ${place(text, fault.offset)}: ${FAULTS[fault.error]}`;
}
