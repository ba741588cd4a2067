/**
 * What an exchange proves about the versions that failed in it. A failure that is replayed is a paired experiment: the
 * same request, on another version, a moment later.
 */
import type { Finding, OutcomeKind } from '../messages.ts';
import type { Route } from './table.ts';

/** One version's failure within an exchange. */
export interface VersionFailure {
  readonly route: Route;
  /** The version's index in the chain: larger is older. */
  readonly rank: number;
  readonly cause: OutcomeKind;
  /** `host:port` of the server that failed. */
  readonly server: string;
  readonly text: string;
}

/**
 * @param failures all of the exchange
 * @param answeredRank the rank of the version whose answer the client got, or null: none answered
 */
export function findingKind(
  failure: VersionFailure,
  failures: readonly VersionFailure[],
  answeredRank: number | null,
): Finding['kind'] {
  if (answeredRank !== null && answeredRank > failure.rank) return 'blamed';
  if (failures.some((other) => other.rank > failure.rank)) return 'shared';
  return 'unpaired';
}
