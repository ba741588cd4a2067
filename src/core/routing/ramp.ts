import type { Route } from './table.ts';

/** The version of a chain whose threshold each answered request raises, unless the release is held; null: there is none. */
export function rampOf(chain: readonly Route[]): Route | null {
  const newest = chain[0];
  return newest?.mode === 'GRADUAL' && newest.onTrial && !newest.released ? newest : null;
}
