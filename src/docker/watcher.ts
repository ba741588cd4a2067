/**
 * The watcher: looks in registries for newer images of the newest version, and puts what it finds as a person would. One bad image
 * is deployed once: what was rolled back stands in the state, and what could not even be started is left alone for a while.
 */
import type { ReleaseWatchPort } from '../control/ports.ts';
import type { ClusterSpec } from '../core/config/model.ts';
import { candidateTags, chooseImage, type FoundImage, watchedImage, withImage } from '../core/containers/watch.ts';
import { imagesOf } from '../core/release/quarantine.ts';
import { isLive, type VersionState } from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Registry } from './registry.ts';

export interface WatcherParts {
  readonly clock: Clock;
  /** Chance, in [0, 1). */
  readonly chance: () => number;
  readonly log: Log;
  readonly registry: Registry;
  readonly releases: ReleaseWatchPort;
}

/** How often it looks whether something is due. */
const LOOK_MS = 1000;
/** An interval is so much longer or shorter, so that many that started together do not ask together. */
const JITTER = 0.1;
/** Of one container so many tags are asked for; older ones would be no better. */
const TAGS_MAX = 5;
/** Intervals until an image is tried again that could not be started. */
const TRIED_INTERVALS = 10;

export class Watcher {
  readonly #parts: WatcherParts;
  readonly #stopLooking: () => void;
  /** The version that is watched, and when its registries are asked next (monotonic milliseconds). */
  #watched: { readonly id: string; dueMs: number } | null = null;
  /** When a digest was first seen, and when it was put, by the monotonic clock. */
  readonly #seenMs = new Map<string, number>();
  readonly #triedMs = new Map<string, number>();
  #busy: Promise<void> | null = null;

  constructor(parts: WatcherParts) {
    this.#parts = parts;
    this.#stopLooking = parts.clock.every(LOOK_MS, () => this.#look());
  }

  /** Resolves when a check that is under way has ended. */
  async close(): Promise<void> {
    this.#stopLooking();
    await this.#busy;
  }

  #look(): void {
    const version = this.#parts.releases.state().versions.find(isLive);
    const intervalMs = version === undefined ? null : intervalOf(version.spec);
    if (version === undefined || intervalMs === null) {
      this.#watched = null;
      return;
    }
    const nowMs = this.#parts.clock.nowMs();
    if (this.#watched?.id !== version.id) this.#watched = { id: version.id, dueMs: nowMs + this.#jittered(intervalMs) };
    // A release under way is not overtaken: what is newer waits until it is decided.
    const isDecided = version.phase !== 'starting' && version.phase !== 'releasing';
    if (nowMs < this.#watched.dueMs || !isDecided || this.#busy !== null) return;
    this.#watched.dueMs = nowMs + this.#jittered(intervalMs);
    this.#busy = this.#check(version, intervalMs).finally(() => {
      this.#busy = null;
    });
  }

  #jittered(intervalMs: number): number {
    return intervalMs * (1 - JITTER + 2 * JITTER * this.#parts.chance());
  }

  /** Asks for each watched container; all that is newer becomes one version. Never rejects. */
  async #check(version: VersionState, intervalMs: number): Promise<void> {
    let spec = version.spec;
    for (const place of version.spec.containers.keys()) {
      const image = await this.#newImage(version, place, intervalMs).catch((error: Error) => {
        this.#parts.log.write(
          'WARNING',
          'watch',
          `Looking for a new image failed: ${error.message}; it is tried again`,
        );
        return null;
      });
      if (image !== null) spec = withImage(spec, place, image);
    }
    // What somebody put meanwhile is newer than what was found for the version before.
    const isNewest = this.#parts.releases.state().versions.find(isLive)?.id === version.id;
    if (spec === version.spec || !isNewest) return;
    const result = await this.#parts.releases.submit(spec);
    if (result.kind === 'refused') {
      this.#parts.log.write('WARNING', 'watch', `Deploying version ${spec.version} failed: ${result.reason}`);
    }
  }

  async #newImage(version: VersionState, place: number, intervalMs: number): Promise<FoundImage | null> {
    const container = version.spec.containers[place];
    const current = container === undefined ? null : watchedImage(container);
    if (container?.watch == null || current === null) return null;
    const { registry, log, clock, releases } = this.#parts;
    const tags = container.watch.tags.kind === 'same' ? [] : await registry.tags(current.repository);
    const found: FoundImage[] = [];
    for (const tag of candidateTags(container.watch, current.tag, tags).slice(0, TAGS_MAX)) {
      const digest = await registry.digest(current.repository, tag);
      if (digest !== null) found.push({ tag, digest });
    }
    const nowMs = clock.nowMs();
    const digests = found.map(({ digest }) => digest);
    this.#see(digests);
    if (container.watch.minAgeMs > 0) releases.seen(version.id, digests);
    const quarantined = new Set(releases.state().quarantine.map(({ digest }) => digest));
    const image = chooseImage(found, container.watch, {
      digest: current.digest ?? runningDigest(version, place),
      isBarred: (digest) => quarantined.has(digest) || this.#isTried(digest, intervalMs),
      ageMs: (digest) => nowMs - (this.#seenMs.get(digest) ?? nowMs),
    });
    if (image === null) return null;
    this.#triedMs.set(image.digest, nowMs);
    log.write('NOTICE', 'watch', `New image ${current.repository}:${image.tag} (${image.digest}) is deployed`);
    return image;
  }

  /** What an earlier process saw was there meanwhile: that much is left to the wall clock, as it is now. */
  #see(digests: readonly string[]): void {
    const { clock, releases } = this.#parts;
    for (const digest of digests.filter((one) => !this.#seenMs.has(one))) {
      const known = releases.state().seen.find((image) => image.digest === digest);
      const ageMs = known === undefined ? 0 : Math.max(0, clock.wallMs() - known.firstMs);
      this.#seenMs.set(digest, clock.nowMs() - ageMs);
    }
  }

  #isTried(digest: string, intervalMs: number): boolean {
    const triedMs = this.#triedMs.get(digest);
    return triedMs !== undefined && this.#parts.clock.nowMs() - triedMs < TRIED_INTERVALS * intervalMs;
  }
}

/** The shortest of its containers' intervals, or null: nothing of it is watched. */
function intervalOf({ containers }: ClusterSpec): number | null {
  const intervals = containers.flatMap(({ watch }) => (watch === null ? [] : [watch.intervalMs]));
  return intervals.length === 0 ? null : Math.min(...intervals);
}

/** Of the image that a container runs on, or null where it was never in a registry. */
function runningDigest({ launch, ...version }: VersionState, place: number): string | null {
  const containers = (launch?.containers ?? []).filter(
    ({ slot }) => slot === `${place}` || slot?.startsWith(`${place}.`),
  );
  return imagesOf({ ...version, launch: { containers } })[0]?.digest ?? null;
}
