import type { VersionView } from '../core/release/command.ts';
import type { VersionState } from '../core/release/state.ts';

/** A version as GET shows it; the order of the keys is the wire's. */
export function viewOf({ id, spec }: VersionState): VersionView {
  return {
    cluster: {
      servers: spec.servers.map(({ host, port }) => ({ hostname: host, port })),
      upgradeTransition: spec.shownTransition,
      uuid: id,
      version: spec.version,
    },
  };
}
