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
/** A gate asks again after a second at most. */
const ASKED_AGAIN_MS = 1500;

/** What is wrong, or null. */
export function judgeReach({ state, told, upstreams, nowMs }: Reach): string | null {
  const nothingServes = !state.versions.some(serves);
  for (const version of state.versions.filter(isLive)) {
    const place = told.get(version.id);
    if (place === undefined || !(nothingServes || serves(version))) continue;
    const known = version.spec.servers.map(({ host, port }) => hostPort(host, port));
    const isKnown = known.join() === place.servers.join();
    if (!isKnown && nowMs - place.atMs > TURN_MS) {
      return `Version ${version.spec.version} runs at ${place.servers.join()}, and is sought at ${known.join()}`;
    }
    const sinceMs = nowMs - ASKED_AGAIN_MS;
    const listens = place.atMs < sinceMs && place.servers.every((key) => upstreams.wasWellSince(key, sinceMs));
    if (nothingServes && listens) return `Version ${version.spec.version} is well, and nothing serves`;
  }
  return null;
}
