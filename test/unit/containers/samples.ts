/** Containers as a configuration gives them. */
import type { ClusterDefaults, ClusterSpec, ContainerSpec } from '../../../src/core/config/model.ts';
import { parseCluster } from '../../../src/core/config/parse.ts';

export type WireContainer = Readonly<Record<string, unknown>>;

export function bodyOf(containers: readonly WireContainer[], more: object = {}): string {
  return JSON.stringify({ cluster: { containers, ...more } });
}

export const STARTED: ClusterDefaults = {
  responseTimeoutMs: 30_000,
  holdBytes: 65_536,
  holdMs: 250,
  engine: null,
  privileged: 'forbidden',
};

/** The cluster that these containers make; throws what is wrong with them. */
export function clusterOf(containers: readonly WireContainer[], more: object = {}): ClusterSpec {
  const parsed = parseCluster(bodyOf(containers, more), { ...STARTED, privileged: 'allowed' });
  if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
  return parsed.value;
}

/** One that is proxied to on port 80, where it says nothing else. */
export function containerOf(container: WireContainer = {}): ContainerSpec {
  const [spec] = clusterOf([{ image: 'app', portToProxy: 80, ...container }]).containers;
  if (spec === undefined) throw new Error('No container');
  return spec;
}
