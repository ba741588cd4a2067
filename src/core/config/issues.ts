/** What the schema found wrong, as lines for people: the path, what is allowed, and the value, masked where it is secret. */
import type { z } from 'zod';
import { type JsonPath, pathText, shorten } from './source.ts';

/** Enough to repair a file by; more would only make the answer to a hostile body long. */
export const LINES_MAX = 50;

/** The values under these keys are never shown. */
export const SECRET_KEYS: readonly string[] = ['token', 'secret', 'environment'];

/** One line for each thing that is wrong with `root`, in the schema's order. */
export function issueLines(issues: readonly z.core.$ZodIssue[], root: unknown): string[] {
  const lines = new Set<string>();
  for (const issue of issues) {
    for (const line of linesOf(issue, root)) {
      if (lines.size < LINES_MAX) lines.add(line);
    }
  }
  return [...lines];
}

/** The value at a path of a document, or undefined. */
export function valueAt(root: unknown, path: JsonPath): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/** A value in an error line: scalars as they are written, the others by their kind. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return `"${shorten(value)}"`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function linesOf(issue: z.core.$ZodIssue, root: unknown): string[] {
  const path = issue.path as JsonPath;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, LINES_MAX).map((key) => unknownLine([...path, key], root, issue.message));
  }
  const value = valueAt(root, path);
  const shown = isSecret(path) && value !== null ? '***' : valueText(value);
  const allowed = issue.message;
  if (path.length === 0) return [`The top level must be ${allowed}, not ${shown}`];
  const name = `"${pathText(path)}"`;
  if (issue.code === 'invalid_key') return [`${allowed}: ${name} is not`];
  if (allowed.startsWith('"') && allowed.includes('" should be ')) return [`${allowed}: ${name} is ${shown}`];
  if (allowed.startsWith('"') && allowed.includes('" list must ')) return [`${allowed}: ${name} is ${shown}`];
  if (value === undefined) return [`${name} is missing: it must be ${allowed}`];
  const kind = issue.code === 'invalid_type' && shown !== '***' ? kindOf(value) : '';
  return [`${name} must be ${allowed}, not ${kind}${shown}`];
}

function unknownLine(path: JsonPath, root: unknown, known: string): string {
  const value = valueAt(root, path);
  const shown = typeof value === 'string' && mayBeSecret(path) ? '***' : valueText(value);
  return `"${pathText(path)}" is not a known key (it is ${shown}): known here are ${known}`;
}

const kindOf = (value: unknown): string =>
  typeof value === 'string' ? 'the string ' : typeof value === 'number' ? 'the number ' : '';

function isSecret(path: JsonPath): boolean {
  return path.some((part) => SECRET_KEYS.includes(String(part)));
}

/** A misspelt secret is a secret too. */
function mayBeSecret(path: JsonPath): boolean {
  const secretPlaces = ['configService', 'cookies', 'containers'];
  return (
    path.some((part) => secretPlaces.includes(String(part))) || /tok|sec|pas|key|auth|cred|env/i.test(`${path.at(-1)}`)
  );
}
