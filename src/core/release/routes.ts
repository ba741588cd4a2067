/** The serving versions as the data plane sees them. */
import { hostPort } from '../config/address.ts';
import type { HealthCheck, ServerAddress } from '../config/model.ts';
import type { CutOrder, Route, Server } from '../routing/table.ts';
import { isCandidate, serves, type VersionState } from './state.ts';

export interface Chain {
  /** Newest first. */
  readonly routes: readonly Route[];
  /** By index in `routes`, percent. */
  readonly thresholds: readonly number[];
  /** By index in `routes`. */
  readonly checks: readonly (HealthCheck | null)[];
  /** What is to be cut of the versions that have left. */
  readonly cut: readonly CutOrder[];
}

/** @param versions in version order, newest first */
export function chainOf(versions: readonly VersionState[]): Chain {
  const serving = versions.filter(serves);
  const stable = serving.findIndex(({ phase }) => phase === 'stable');
  return {
    routes: serving.map((version, index) => routeOf(version, index < stable ? 'above-stable' : 'not-above')),
    thresholds: serving.map(({ threshold }) => threshold),
    checks: serving.map(({ spec }) => spec.healthCheck),
    cut: versions.flatMap(({ id, exit }) => (exit?.cut ?? []).map((what) => ({ versionId: id, what }))),
  };
}

function routeOf(version: VersionState, place: 'above-stable' | 'not-above'): Route {
  const { transition } = version.spec;
  const { mode } = transition;
  return {
    id: version.id,
    service: version.service,
    version: version.spec.version,
    epoch: version.epoch,
    mode,
    released: version.phase !== 'releasing',
    dormant: version.phase === 'standby' && place === 'above-stable',
    onTrial: isCandidate(version),
    servers: version.spec.servers.map(serverOf),
    sessionTimeoutS: mode === 'SESSION' ? transition.sessionTimeoutS : 0,
    percentagePerRequest: mode === 'GRADUAL' ? transition.percentagePerRequest : 0,
    bucketKey: transition.bucketKey,
    versions: mode === 'CONCURRENT' ? transition.versions : 1,
    patienceMs: transition.patienceMs,
    duplicatedMethods: transition.duplicatedMethods,
    compare: transition.compare,
    responseTimeoutMs: transition.responseTimeoutMs,
    holdBytes: transition.holdBytes,
    holdMs: transition.holdMs,
  };
}

function serverOf({ host, port }: ServerAddress): Server {
  return { key: hostPort(host, port), host, port, weight: 1 };
}
