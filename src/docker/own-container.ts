/** Where Cutover itself runs in a container: which one it is, and the networks that it is in. */
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { type Engine, statusOf, within } from './engine.ts';

export interface OwnContainer {
  readonly id: string;
  /** Names of the networks that it is in, those that people made first. */
  readonly networks: readonly string[];
}

/** Our own container on this engine; null when we run in none of it, or in the network of its machine. */
export async function ownContainer(engine: Engine): Promise<OwnContainer | null> {
  const id = ownId();
  if (id === null) return null;
  try {
    const docker = await engine.client();
    const { Id, HostConfig, NetworkSettings } = await docker.getContainer(id).inspect(within());
    if (HostConfig.NetworkMode === 'host') return null;
    const names = Object.keys(NetworkSettings.Networks);
    return { id: Id, networks: names.toSorted((a, b) => Number(a === 'bridge') - Number(b === 'bridge')) };
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

/** Joins a network that containers of ours are in, so that they can be reached. */
export async function joinNetwork(engine: Engine, own: OwnContainer, network: string): Promise<void> {
  if (own.networks.includes(network)) return;
  const docker = await engine.client();
  try {
    await docker.getNetwork(network).connect({ Container: own.id, ...within() });
  } catch (error) {
    // Joined before, by an earlier version.
    if (statusOf(error) !== 403) throw error;
  }
}

function ownId(): string | null {
  if (!existsSync('/.dockerenv')) return null;
  for (const file of ['/proc/self/mountinfo', '/proc/self/cgroup']) {
    const id = /\/(?:docker\/)?containers\/([0-9a-f]{64})\/|\/docker[-/]([0-9a-f]{64})/.exec(read(file));
    if (id !== null) return id[1] ?? id[2] ?? null;
  }
  return hostname();
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
