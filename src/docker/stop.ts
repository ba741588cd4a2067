/** Stops and removes the containers of a version, but for those that others use. Volumes are never removed. */
import type { LaunchRequest, StopRequest } from '../control/ports.ts';
import type { EngineAddress } from '../core/config/model.ts';
import { engineKey, type FoundContainer, isOurs, LABELS } from '../core/containers/plan.ts';
import type { Log } from '../system/log.ts';
import { type Engine, faultText, statusOf, within } from './engine.ts';
import { lastLines } from './output.ts';

export interface StopParts {
  readonly engineAt: (address: EngineAddress | null) => Engine;
  readonly markStopping: (containerId: string) => void;
}

/** Longer than a container may take to stop: `stopTimeout` is at most an hour. */
const STOP_MS = 3_660_000;

/** Resolves with the last lines that they wrote. */
export async function stop(parts: StopParts, request: StopRequest): Promise<readonly string[]> {
  const addresses = [...request.containers, ...request.launched].map(({ engine }) => engine);
  const engines = new Map(addresses.map((address) => [engineKey(address), address]));
  const output: string[] = [];
  for (const address of engines.values()) {
    const engine = parts.engineAt(address);
    await engine.reach();
    const leaving = (await engine.list()).filter((found) => isLeaving(request, address, found));
    for (const found of leaving.toSorted(lastFirst)) {
      if (request.isUsed(found.name, address)) continue;
      output.unshift(...(await stopOne(parts, engine, found)));
    }
  }
  return output;
}

/** Its own, and those of versions that are gone which it was the last to use. */
function isLeaving({ id, launched }: StopRequest, engine: EngineAddress | null, found: FoundContainer): boolean {
  if (!isOurs(found)) return false;
  const isKnown = launched.some((one) => one.containerId === found.id && engineKey(one.engine) === engineKey(engine));
  return found.labels[LABELS.id] === id || isKnown;
}

export interface Left {
  readonly engine: Engine;
  readonly owner: string;
  readonly markStopping: (containerId: string) => void;
  readonly isWanted: LaunchRequest['isWanted'];
  readonly log: Log;
}

/** Removes what an earlier process of the same owner has created and nobody wants any more. */
export async function removeLeft({ engine, owner, markStopping, isWanted, log }: Left): Promise<void> {
  for (const found of (await engine.list()).toSorted(lastFirst)) {
    const { name, labels } = found;
    const versionId = labels[LABELS.id] ?? '';
    if (labels[LABELS.owner] !== owner || isWanted({ versionId, name }, engine.address)) continue;
    const text = `Container "${name}" of version ${labels[LABELS.version]} is left of an earlier start, and is removed`;
    log.write('NOTICE', 'docker', text);
    await stopOne({ markStopping }, engine, found);
  }
}

async function stopOne(
  parts: Pick<StopParts, 'markStopping'>,
  engine: Engine,
  found: FoundContainer,
): Promise<readonly string[]> {
  const docker = await engine.client();
  const container = docker.getContainer(found.id);
  const output = await lastLines(container);
  parts.markStopping(found.id);
  try {
    if (found.running) await container.stop(within(STOP_MS));
  } catch (error) {
    const status = statusOf(error);
    if (status !== 304 && status !== 404) throw new Error(`Stopping "${found.name}" failed: ${faultText(error)}`);
  }
  try {
    await container.remove({ force: true, ...within() });
  } catch (error) {
    const status = statusOf(error);
    if (status !== 404 && status !== 409) throw new Error(`Removing "${found.name}" failed: ${faultText(error)}`);
  }
  return output;
}

/** Containers lean on those that were started before them. */
function lastFirst(a: FoundContainer, b: FoundContainer): number {
  return Number(b.labels[LABELS.slot] ?? 0) - Number(a.labels[LABELS.slot] ?? 0);
}
