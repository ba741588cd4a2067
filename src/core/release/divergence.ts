/**
 * How the answers of a version on trial compare with an older one's (mode CONCURRENT): the counts, the first differences, and, where
 * a release sets `divergence`, what they say of the version.
 *
 * A difference proves something only above the noise, which is how often the older version's answers differ from themselves. Both
 * shares are known from samples, so each is taken at the end of its interval (Wilson 1927) that speaks for the version: it is guilty when
 * even so its answers differ more often than noise and `divergence` together. The share's interval is the wider one, as it is looked
 * at again and again.
 */
import type { ComparisonCounts, Difference } from '../messages.ts';
import type { VersionState } from './state.ts';
import type { Verdict } from './verdict.ts';

/** A difference without what its release says anyway. */
export type KeptDifference = Omit<Difference, 'versionId' | 'epoch'>;

export interface Comparison {
  readonly counts: ComparisonCounts;
  /** The first ones, and the first of the noise. */
  readonly differences: readonly KeptDifference[];
}

/** So many differences are kept, and so many of the noise. */
const DIFFERENCES_MAX = 10;

const COMPARED_MIN = 50;
const NOISE_COMPARED_MIN = 20;
/** Standard deviations. */
const SHARE_DEVIATIONS = 3;
const NOISE_DEVIATIONS = 2;

export const NOTHING_COMPARED: Comparison = {
  counts: { compared: 0, different: 0, bodiesUnread: 0, noiseCompared: 0, noiseDifferent: 0 },
  differences: [],
};

export function addCounts(comparison: Comparison, more: ComparisonCounts): Comparison {
  const { counts } = comparison;
  return {
    ...comparison,
    counts: {
      compared: counts.compared + more.compared,
      different: counts.different + more.different,
      bodiesUnread: counts.bodiesUnread + more.bodiesUnread,
      noiseCompared: counts.noiseCompared + more.noiseCompared,
      noiseDifferent: counts.noiseDifferent + more.noiseDifferent,
    },
  };
}

/** The very same comparison when enough are kept. */
export function addDifference(comparison: Comparison, difference: KeptDifference): Comparison {
  const alike = comparison.differences.filter(({ noise }) => noise === difference.noise);
  if (alike.length >= DIFFERENCES_MAX) return comparison;
  return { ...comparison, differences: [...comparison.differences, difference] };
}

/** The verdict with what the comparison says: guilty where the failures alone are not enough. */
export function withDivergence(verdict: Verdict, version: VersionState): Verdict {
  const { verdict: rules, compare } = version.spec.transition;
  if (verdict.kind === 'guilty' || version.trial === null || rules.divergence === null || compare === null)
    return verdict;
  const { counts } = version.trial.comparison;
  const measuresNoise = compare.sample > 0;
  if (counts.compared < COMPARED_MIN || (measuresNoise && counts.noiseCompared < NOISE_COMPARED_MIN)) return verdict;
  const [low] = interval(counts.different, counts.compared, SHARE_DEVIATIONS);
  const [, high] = measuresNoise ? interval(counts.noiseDifferent, counts.noiseCompared, NOISE_DEVIATIONS) : [0, 0];
  if (low - high <= rules.divergence) return verdict;
  return { kind: 'guilty', rule: 'divergence', reason: reasonOf(counts, rules.divergence) };
}

function reasonOf(counts: ComparisonCounts, divergence: number): string {
  const { compared, different, noiseCompared, noiseDifferent } = counts;
  const noise =
    noiseCompared === 0
      ? 'its noise is not measured'
      : `which differs from itself in ${noiseDifferent} of ${noiseCompared} (${percent(noiseDifferent / noiseCompared)})`;
  return (
    `It answered ${different} of ${compared} compared requests (${percent(different / compared)}) differently from the ` +
    `older version, ${noise}: more than ${percent(divergence)} above that`
  );
}

/** The ends of the Wilson score interval of a share. */
function interval(hits: number, of: number, deviations: number): readonly [number, number] {
  const share = hits / of;
  const square = (deviations * deviations) / of;
  const centre = share + square / 2;
  const half = deviations * Math.sqrt((share * (1 - share)) / of + square / (4 * of));
  return [(centre - half) / (1 + square), (centre + half) / (1 + square)];
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}
