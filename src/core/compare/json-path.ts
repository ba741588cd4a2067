/**
 * Parts of a JSON body that are left out of a comparison, named by paths: `$.time`, `$.items[*].id`, `$['a b'][0].*`
 * (RFC 9535 without filters, slices and `..`).
 */

/** A member's name, an element's index, or all of them. */
type Step = string | number | null;

export type JsonPath = readonly Step[];

/** Deeper than this a body is no longer looked at as JSON. */
const DEPTH_MAX = 200;

/** A path, or null for what is none; `$` alone would leave nothing to compare. */
export function parseJsonPath(text: string): JsonPath | null {
  if (!text.startsWith('$')) return null;
  const steps: Step[] = [];
  const step = /\.([^\s.[\]'"*]+)|(\.\*|\[\*\])|\[(\d{1,9})\]|\['([^']*)'\]|\["([^"]*)"\]/y;
  step.lastIndex = 1;
  while (step.lastIndex < text.length) {
    const found = step.exec(text);
    if (found === null) return null;
    const [, name, all, index, quoted, doubleQuoted] = found;
    if (all !== undefined) steps.push(null);
    else if (index !== undefined) steps.push(Number(index));
    else steps.push(name ?? quoted ?? doubleQuoted ?? '');
  }
  return steps.length === 0 ? null : steps;
}

/**
 * A JSON text without these parts, the same for all ways to write the same: without white space, members in the order of their
 * names. Null when it is no JSON. A part that is there and one that is missing make no difference.
 */
export function withoutParts(text: string, paths: readonly JsonPath[]): string | null {
  try {
    return written(JSON.parse(text), paths, 0);
  } catch {
    return null;
  }
}

/** @param paths what is left of those that lead through here */
function written(value: unknown, paths: readonly JsonPath[], depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (depth > DEPTH_MAX) throw new RangeError('Nested too deeply');
  if (Array.isArray(value)) {
    const items: string[] = [];
    for (const [index, item] of value.entries()) {
      const inner = through(paths, index);
      if (inner !== null) items.push(written(item, inner, depth + 1));
    }
    return `[${items.join(',')}]`;
  }
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const inner = through(paths, name);
    if (inner === null) continue;
    members.push(`${JSON.stringify(name)}:${written((value as Record<string, unknown>)[name], inner, depth + 1)}`);
  }
  return `{${members.join(',')}}`;
}

/** The paths that lead on through this member or element; null when one ends there. */
function through(paths: readonly JsonPath[], at: string | number): readonly JsonPath[] | null {
  if (paths.length === 0) return paths;
  const inner: JsonPath[] = [];
  for (const path of paths) {
    const [step, ...rest] = path;
    if (step !== null && step !== at) continue;
    if (rest.length === 0) return null;
    inner.push(rest);
  }
  return inner;
}
