/** Cutover with a release in progress, or with many versions and servers. */
import type { ClusterInput } from '../../src/client.ts';
import { cutover, type RunningCutover, startCutover } from './cutover.ts';
import type { Peer } from './peer.ts';

export interface CutoverPeer extends Peer {
  /** The ids of the versions, the oldest first, once it was started. */
  readonly ids: readonly string[];
}

/** The first version is that of the configuration file; the others are PUT one after the other. */
export function cutoverWithVersions(name: string, versions: readonly ClusterInput[]): CutoverPeer {
  const ids: string[] = [];
  return {
    ...cutover,
    name,
    ids,
    async start(setting): Promise<RunningCutover> {
      const [first, ...later] = versions;
      const running = await startCutover(setting, { cluster: first });
      ids.push(...(await running.client.list()).map(({ cluster }) => cluster.uuid));
      for (const version of later) ids.push(await running.client.put(version));
      return running;
    },
  };
}

export function clusterOf(
  version: number,
  ports: readonly number[],
  upgradeTransition?: ClusterInput['upgradeTransition'],
): ClusterInput {
  const servers = ports.map((port) => ({ hostname: '127.0.0.1', port }));
  return { servers, version, ...(upgradeTransition === undefined ? {} : { upgradeTransition }) };
}
