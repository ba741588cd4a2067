/** Medians, and ratios that a busy machine spoils least. */
import type { Result, Round } from '../measure.ts';

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between two values, the straight line counts. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export type Pick = (round: Round) => number;

export function valuesOf({ rounds }: Result, pick: Pick): readonly number[] {
  return rounds.filter((round) => round !== null).map(pick);
}

export function medianOf(result: Result, pick: Pick): number {
  return median(valuesOf(result, pick));
}

/** The median of the ratios of neighbouring rounds: what slows the machine for a while slows both. */
export function ratioOf(result: Result, yardstick: Result, pick: Pick): number {
  const ratios = result.rounds.map((round, index) => {
    const other = yardstick.rounds[index];
    return round === null || other === null || other === undefined ? null : pick(round) / pick(other);
  });
  return median(ratios.filter((ratio) => ratio !== null));
}

/** Throws when nobody of that name was measured. */
export function resultOf(results: readonly Result[], name: string): Result {
  const found = results.find((result) => result.name === name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}
