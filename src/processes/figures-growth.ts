/** By how much the figures of a version grew: what a report says of them, and no more than that. */
import { noFigures, type VersionFigures } from '../core/messages.ts';
import type { FiguresGrowth } from './messages.ts';

type Figure = Exclude<keyof VersionFigures, 'versionId'>;

const FIGURES = Object.keys(noFigures('')).filter((key) => key !== 'versionId') as readonly Figure[];

/**
 * Null when nothing has changed. A version that left and came back is counted from zero again.
 * @param before what was told of it last; undefined: nothing yet, so that even zeros are news
 */
export function growthOf(
  now: Readonly<VersionFigures>,
  before: Readonly<VersionFigures> | undefined,
): FiguresGrowth | null {
  let growth: { -readonly [Key in keyof FiguresGrowth]: FiguresGrowth[Key] } | null =
    before === undefined ? { versionId: now.versionId } : null;
  for (const figure of FIGURES) {
    const last = before?.[figure] ?? 0;
    if (now[figure] === last) continue;
    growth ??= { versionId: now.versionId };
    const isGauge = figure === 'inFlight' || figure === 'tunnels';
    growth[figure] = isGauge || now[figure] < last ? now[figure] : now[figure] - last;
  }
  return growth;
}
