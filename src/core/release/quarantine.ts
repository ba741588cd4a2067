/** Images that were taken back: the watcher never deploys them again, a person may. */
import { parseImage } from '../containers/syntax.ts';
import { isLive, type VersionState } from './state.ts';

export interface QuarantinedImage {
  /** `sha256:…` */
  readonly digest: string;
  /** As the version that was taken back named it. */
  readonly reference: string;
  /** Why it was taken back, one line. */
  readonly reason: string;
  readonly atMs: number;
}

/** What the state remembers. */
const QUARANTINED_MAX = 1000;

/** With the images of a version that failed; those that another live version runs on are not to blame. */
export function withQuarantined(
  images: readonly QuarantinedImage[],
  failed: VersionState,
  {
    others,
    reason,
    atMs,
  }: { readonly others: readonly VersionState[]; readonly reason: string; readonly atMs: number },
): readonly QuarantinedImage[] {
  const shared = new Set(others.filter(isLive).flatMap((version) => imagesOf(version).map(({ digest }) => digest)));
  const guilty = imagesOf(failed).filter(({ digest }) => !shared.has(digest));
  if (guilty.length === 0) return images;
  const before = images.filter(({ digest }) => !guilty.some((image) => image.digest === digest));
  return [...guilty.map((image) => ({ ...image, reason, atMs })), ...before].slice(0, QUARANTINED_MAX);
}

/** Without the images of a version that earned trust: somebody deployed one by hand, and it did well. */
export function withoutTrusted(
  images: readonly QuarantinedImage[],
  trusted: VersionState,
): readonly QuarantinedImage[] {
  const digests = new Set(imagesOf(trusted).map(({ digest }) => digest));
  return images.some(({ digest }) => digests.has(digest))
    ? images.filter(({ digest }) => !digests.has(digest))
    : images;
}

/** The digests of what a version ran in; of one whose containers never ran nothing is known. */
export function imagesOf({ launch }: VersionState): readonly { readonly digest: string; readonly reference: string }[] {
  return (launch?.containers ?? []).flatMap(({ image }) => {
    const digest = image.digest === null ? null : (parseImage(image.digest)?.digest ?? null);
    return digest === null ? [] : [{ digest, reference: image.reference }];
  });
}
