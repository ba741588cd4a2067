/** What a release has shown so far of the version on trial: immutable, JSON, bounded. */
import type { Finding } from '../messages.ts';

export interface Evidence {
  /** Requests that the version answered, 5xx not among them. */
  readonly answered: number;
  readonly blamed: number;
  readonly shared: number;
  readonly unpaired: number;
  /** Blamed or unpaired failures since the last answer or shared failure. */
  readonly consecutive: number;
}

/** What the version is held against. */
export interface Baseline {
  readonly requests: number;
  /** Of them, those that failed. */
  readonly failures: number;
  /** Of these, those that no other version could hide. */
  readonly unpaired: number;
  /** `release`: the older version's own traffic meanwhile. `before`: its last requests before. `assumed`: neither. */
  readonly source: 'release' | 'before' | 'assumed';
}

export const NO_EVIDENCE: Evidence = { answered: 0, blamed: 0, shared: 0, unpaired: 0, consecutive: 0 };

export function withAnswers(evidence: Evidence, count: number): Evidence {
  return { ...evidence, answered: evidence.answered + count, consecutive: 0 };
}

export function withFinding(evidence: Evidence, kind: Finding['kind']): Evidence {
  return {
    ...evidence,
    [kind]: evidence[kind] + 1,
    consecutive: kind === 'shared' ? 0 : evidence.consecutive + 1,
  };
}
