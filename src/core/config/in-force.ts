/**
 * The keys that are known and checked but do nothing yet. The one list of them: a key leaves it when it comes into
 * force. `docs/configuration.md` marks the same keys.
 */
import { valueAt } from './issues.ts';

const NOT_YET: readonly string[] = [
  'cookies.secret',
  'cluster.upgradeTransition.replay.bodyBytes',
  'cluster.upgradeTransition.replay.methods',
  'cluster.upgradeTransition.replay.budget',
];

/** Values that ask for what happens anyway. */
const HARMLESS: Readonly<Record<string, readonly unknown[]>> = {};

/** A line for each key of the document that is accepted without effect. */
export function notYetWarnings(root: unknown): string[] {
  return NOT_YET.filter((key) => {
    const value = valueAt(root, key.split('.'));
    return value !== undefined && !HARMLESS[key]?.includes(value);
  }).map((key) => `"${key}" has no effect yet`);
}
