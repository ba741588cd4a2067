/** What must hold of versions in containers whatever the disk is like: requests reach whatever listens in there. */
import { hostPort } from '../../src/core/config/address.ts';
import { isLive, type ReleaseState, serves } from '../../src/core/release/state.ts';
import type { Upstreams } from './upstreams.ts';

export interface Reach {
  readonly state: ReleaseState;
  /** By version id: where the process was told last that its containers run, as `host:port`, and when. */
  readonly told: ReadonlyMap<string, { readonly servers: readonly string[]; readonly atMs: number }>;
  readonly upstreams: Upstreams;
  readonly nowMs: number;
}

/** What is told waits for its turn. */
const TURN_MS = 100;
/** What could not be kept at first is tried again a second later, and a gate asks again as late. */
const AGAIN_MS = 1500;

export class ReachRules {
  /** Since when nothing serves; null: something does. */
  #emptySinceMs: number | null = null;
  /** By version id: when it was over last; what was told before holds no more. */
  readonly #overMs = new Map<string, number>();

  /** What is wrong, or null. */
  judge({ state, told, upstreams, nowMs }: Reach): string | null {
    const isEmpty = !state.versions.some(serves);
    this.#emptySinceMs = isEmpty ? (this.#emptySinceMs ?? nowMs) : null;
    const isEmptyLong = isEmpty && nowMs - (this.#emptySinceMs ?? nowMs) > AGAIN_MS;
    for (const version of state.versions) {
      if (!isLive(version)) this.#overMs.set(version.id, nowMs);
      const place = told.get(version.id);
      if (place === undefined || place.atMs <= (this.#overMs.get(version.id) ?? -1)) continue;
      const known = version.spec.servers.map(({ host, port }) => hostPort(host, port));
      const isKnown = known.join() === place.servers.join();
      if (!isKnown && nowMs - place.atMs > TURN_MS) {
        return `Version ${version.spec.version} runs at ${place.servers.join()}, and is sought at ${known.join()}`;
      }
      const sinceMs = nowMs - AGAIN_MS;
      const listens = place.atMs < sinceMs && place.servers.every((key) => upstreams.wasWellSince(key, sinceMs));
      if (isEmptyLong && listens) return `Version ${version.spec.version} is well, and nothing serves`;
    }
    return null;
  }
}
