/** Images that were found in a registry and are not old enough yet: since when, so that a restart does not make them younger. */
export interface SeenImage {
  /** `sha256:…` */
  readonly digest: string;
  /** Wall milliseconds when a registry was first seen to have it. */
  readonly firstMs: number;
}

/** What the state remembers. */
const SEEN_MAX = 1000;

/** With these too; the latest first. The very same list where nothing is new. */
export function withSeen(images: readonly SeenImage[], digests: readonly string[], atMs: number): readonly SeenImage[] {
  const isNew = (digest: string): boolean => !images.some((image) => image.digest === digest);
  const added = digests.filter(isNew).map((digest) => ({ digest, firstMs: atMs }));
  return added.length === 0 ? images : [...added, ...images].slice(0, SEEN_MAX);
}
