/** Which images may go: those that Cutover pulled, that no version runs from, and that are not among the last two. */
import { isLive, type VersionState } from '../release/state.ts';
import type { LaunchedContainer } from './launch.ts';
import { engineKey } from './plan.ts';
import { parseImage } from './syntax.ts';

const KEPT = 2;

/** Of each repository on each engine: containers whose images may be removed there. */
export function prunable(versions: readonly VersionState[]): readonly LaunchedContainer[] {
  const byPlace = new Map<string, Map<string, LaunchedContainer>>();
  const needed = new Set<string>();
  const latestFirst = versions.toSorted((a, b) => b.putSequence - a.putSequence);
  for (const version of latestFirst) {
    for (const container of version.launch?.containers ?? []) {
      const { image, engine } = container;
      if (isLive(version)) needed.add(`${engineKey(engine)} ${image.imageId}`);
      const place = `${engineKey(engine)} ${parseImage(image.reference)?.repository ?? image.reference}`;
      const images = byPlace.get(place) ?? new Map<string, LaunchedContainer>();
      if (!images.has(image.imageId)) images.set(image.imageId, container);
      byPlace.set(place, images);
    }
  }
  return [...byPlace.values()].flatMap((images) =>
    [...images.values()]
      .slice(KEPT)
      .filter(({ image, engine }) => image.pulled && !needed.has(`${engineKey(engine)} ${image.imageId}`)),
  );
}
