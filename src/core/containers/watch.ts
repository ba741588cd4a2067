/**
 * New images by themselves: which tags of a repository could take the place of the one that runs, which of the images found
 * under them does, and the version that is put for it. Nothing is asked here; `docker/watcher.ts` asks the registry.
 */
import semver from 'semver';
import type { ClusterSpec, ContainerSpec, WatchSpec } from '../config/model.ts';
import { compareVersions } from '../release/version-order.ts';
import { type ImageReference, parseImage } from './syntax.ts';

/** An image as a registry has it. */
export interface FoundImage {
  readonly tag: string;
  /** `sha256:…` */
  readonly digest: string;
}

/** What is known beside what was found. */
export interface Known {
  /** Of the image that runs; null where it was never in a registry. */
  readonly digest: string | null;
  /** True for a digest that was rolled back, or was tried in vain a moment ago. */
  readonly isBarred: (digest: string) => boolean;
  /** For how long the registry has been seen to have it, milliseconds. */
  readonly ageMs: (digest: string) => number;
}

/**
 * The tags that could be deployed, the newest first: those that the watch names and that are newer than the current one, and
 * the current one itself, whose image may have changed.
 */
export function candidateTags(
  { tags: wanted }: WatchSpec,
  current: string,
  tags: readonly string[],
): readonly string[] {
  switch (wanted.kind) {
    case 'same':
      return [current];
    case 'pattern': {
      const pattern = globToRegExp(wanted.pattern);
      const newer = tags.filter((tag) => pattern.test(tag) && compareVersions(tag, current) > 0);
      return [...newer.toSorted((a, b) => compareVersions(b, a)), current];
    }
    case 'semver': {
      const now = versionOf(current);
      const newer = tags.flatMap((tag) => {
        const version = versionOf(tag);
        const isWanted = version !== null && semver.satisfies(version, wanted.range, LOOSE);
        return isWanted && (now === null || semver.gt(version, now)) ? [{ tag, version }] : [];
      });
      return [...newer.toSorted((a, b) => semver.rcompare(a.version, b.version)).map(({ tag }) => tag), current];
    }
  }
}

/** The first that is neither barred nor too young, unless it runs already; null: everything stays. */
export function chooseImage(found: readonly FoundImage[], { minAgeMs }: WatchSpec, known: Known): FoundImage | null {
  for (const image of found) {
    if (image.digest === known.digest) return null;
    if (!known.isBarred(image.digest) && known.ageMs(image.digest) >= minAgeMs) return image;
  }
  return null;
}

/** What is asked for in a registry where a container is watched; null where nothing is to be watched. */
export function watchedImage({ image, watch }: ContainerSpec): (ImageReference & { readonly tag: string }) | null {
  const reference = watch === null ? null : parseImage(image);
  return reference === null || reference.tag === null ? null : { ...reference, tag: reference.tag };
}

/**
 * The version with another image in one container, pinned to its digest, so that what was found is what runs. It is called
 * after its tag where the version before was, and else as that one: of versions called alike the later one is newer.
 */
export function withImage(spec: ClusterSpec, place: number, { tag, digest }: FoundImage): ClusterSpec {
  const before = watchedImage(spec.containers[place] as ContainerSpec);
  if (before === null) return spec;
  const image = `${before.repository}:${tag}@${digest}`;
  const renamed = before.tag === spec.version ? tag : spec.version;
  return {
    ...spec,
    uuid: null,
    version: renamed,
    // Those of the version before are its containers'.
    servers: [],
    containers: spec.containers.map((container, index) => (index === place ? { ...container, image } : container)),
    shownContainers:
      spec.shownContainers?.map((shown, index) => (index === place ? reshown(shown, image) : shown)) ?? null,
  };
}

function reshown(shown: unknown, image: string): unknown {
  const { tag: _tag, ...rest } = shown as { readonly tag?: unknown };
  return { ...rest, image };
}

const LOOSE = { loose: true } as const;

/** Of `1.4`, `v1.4.2` or `1.4-rc1`; null for a tag that is no version. */
function versionOf(tag: string): semver.SemVer | null {
  // Images are often called by two numbers, or by one.
  const whole = tag.replace(/^(v?\d+)(\.\d+)?(?=[-+]|$)/, (_all, major, minor = '.0') => `${major}${minor}.0`);
  return semver.parse(whole, LOOSE);
}

/** `*` stands for any characters, `?` for one. */
function globToRegExp(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

/** True for a range that `semver` reads. */
export function isRange(text: string): boolean {
  return semver.validRange(text, LOOSE) !== null;
}
