/** How a GRADUAL threshold rises, and how far ahead of its use it is made durable. */
import type { VersionState } from './state.ts';

/**
 * Counted, not summed up: a sum of decimals drifts, and 0.1 % must reach bucket 3 neither early nor late. What a product's
 * rounding adds is far below a billionth.
 */
export function thresholdAfter(percentagePerRequest: number, raises: number): number {
  const billion = 1_000_000_000;
  return Math.min(100, Math.round(percentagePerRequest * (1 + raises) * billion) / billion);
}

/**
 * The hundredth of a percent that a threshold has reached; what lies between two of them need be in force nowhere. Buckets are whole
 * percents, so which requests are admitted changes only as a threshold rises above one of these; people are shown hundredths.
 */
export function hundredthOf(threshold: number): number {
  return Math.ceil(threshold * 100);
}

/** True when so many further answers may be a hundredth of a percent. */
export function mayShow(percentagePerRequest: number, answers: number): boolean {
  return percentagePerRequest * answers >= 0.01;
}

/** Writing takes a millisecond or a few, in which a sequential client sends as many requests. */
const RAISES_AHEAD = 5;
const PERCENT_AHEAD = 5;
/** Twice what control may not have been told of yet (`mayShow`), when an answer raises by far less than that. */
const PERCENT_AHEAD_MIN = 0.02;

/**
 * The threshold that the kept state has for a version whose release goes on: what would be in force if Cutover died now and
 * came back. It lies above the one in force, by the next whole percent at least, so that the threshold can rise while the state is
 * being written and no client ever moves back. Made of the count of raises, so that a threshold which came back too high
 * waits until the count has reached it, and dying often does not drive a release on.
 */
export function reservedThreshold(version: VersionState): number {
  const { mode, percentagePerRequest } = version.spec.transition;
  if (version.phase !== 'releasing' || mode !== 'GRADUAL') return version.threshold;
  const due = thresholdAfter(percentagePerRequest, version.raises);
  const raisesAhead = Math.min(RAISES_AHEAD * percentagePerRequest, PERCENT_AHEAD);
  const ahead = Math.max(percentagePerRequest, raisesAhead, PERCENT_AHEAD_MIN);
  return Math.max(version.threshold, Math.min(100, Math.floor(due + ahead) + 1));
}
