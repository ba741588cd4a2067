/** Sorts what came of a row: what was answered, what the write policy kept from being hidden, and what was lost. */
import type { Result } from './load.ts';
import type { Forbidden } from './matrix.ts';
import type { RowReport } from './run-row.ts';

export interface Sorted {
  readonly requests: number;
  readonly whole: number;
  /** Requests that an older version could have answered without risk: none may be lost. */
  readonly lost: readonly Result[];
  /** Failures that the write policy allows. */
  readonly forbidden: readonly Result[];
  /** Writes that were applied twice without being idempotent. */
  readonly doubled: number;
}

/** An answer of this size is longer than what is held back, bytes, and after this time it is held no longer. */
const LARGE = 200_000;
const HOLD_MS = 250;

export function sort({ results, repeated }: RowReport): Sorted {
  const failed = results.filter(({ kind }) => kind !== 'whole');
  return {
    requests: results.length,
    whole: results.length - failed.length,
    lost: failed.filter((result) => reasonOf(result) === null),
    forbidden: failed.filter((result) => reasonOf(result) !== null),
    doubled: repeated.filter(({ method, ...times }) => method === 'POST' && Math.max(times.old, times.new) > 1).length,
  };
}

/** What kept this failure from being hidden, or null. */
export function reasonOf({ method, size, kind, tookMs }: Result): Exclude<Forbidden, 'nothing'> | null {
  if (kind === 'wrong') return null;
  if (method === 'POST') return 'POST';
  return kind === 'cut' && (size >= LARGE || tookMs >= HOLD_MS) ? 'POST and begun' : null;
}
