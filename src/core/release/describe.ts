/** The lines that the log shows about releases; their form is the thesis's where it shows one (section 6.2.2). */
import { hostPort } from '../config/address.ts';
import type { ClusterSpec } from '../config/model.ts';

/** `3.9.2 [192.168.50.40:80]`, as the thesis names a version; `3.9.2 [wordpress:3.9.2]` before its containers run. */
export function versionText(spec: ClusterSpec): string {
  const where = spec.servers.map(({ host, port }) => hostPort(host, port));
  return `${spec.version} [${(where.length > 0 ? where : spec.containers.map(({ image }) => image)).join(', ')}]`;
}

/** What a PUT asked for, in the API's own shape. */
export function receivedText(spec: ClusterSpec): string {
  const servers = spec.servers.map(({ host, port }) => ({ hostname: host, port }));
  const where = spec.shownContainers === null ? { servers } : { containers: spec.shownContainers };
  const cluster = { ...where, version: spec.version, upgradeTransition: spec.shownTransition };
  return `Received new cluster configuration:\n${JSON.stringify({ cluster }, null, 2)}`;
}

export function duplicatedWritesText(spec: ClusterSpec): string {
  return (
    `Version ${versionText(spec)} comes with mode CONCURRENT and no "methods": writes are duplicated to ` +
    `${spec.transition.versions} versions; where they share data, choose "methods": ["GET", "HEAD", "OPTIONS"]`
  );
}
