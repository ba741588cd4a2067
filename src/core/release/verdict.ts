/** What the evidence says of a version on trial. */
import type { VerdictRules } from '../config/model.ts';
import type { Baseline, Evidence } from './evidence.ts';

export type Verdict =
  /** Nothing speaks against it, however little was seen. */
  | { readonly kind: 'clean' }
  /** It has failed, and nothing is decided: the ramp is held. */
  | { readonly kind: 'inconclusive'; readonly reason: string }
  | { readonly kind: 'guilty'; readonly rule: 'dead' | 'consecutive' | 'rate'; readonly reason: string };

export function judge(evidence: Evidence, _baseline: Baseline, rules: VerdictRules): Verdict {
  if (evidence.consecutive >= rules.consecutive) {
    return { kind: 'guilty', rule: 'consecutive', reason: `${evidence.consecutive} failures in a row` };
  }
  const failures = evidence.blamed + evidence.unpaired;
  return failures === 0 ? { kind: 'clean' } : { kind: 'inconclusive', reason: `${failures} failures` };
}
