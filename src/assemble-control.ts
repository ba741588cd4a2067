/**
 * The control plane, put together: the controller, the store, the config service, and the adapters that the controller needs.
 * The data plane is a port here; whether it lives in this process is not known.
 */

import type { ReloadResult } from './api/contract.ts';
import { type BoundSocket, createApi } from './api/server.ts';
import { Controller } from './control/controller.ts';
import type { Observer } from './control/observer.ts';
import type { DataPlanePort, StorePort } from './control/ports.ts';
import type { ShowLive } from './control/start-view.ts';
import type { Config } from './core/config/model.ts';
import { parseCluster } from './core/config/parse.ts';
import type { CounterValues } from './core/counters.ts';
import { DockerContainers } from './docker/containers.ts';
import { credentialsFor } from './docker/credentials.ts';
import { openRegistry } from './docker/registry.ts';
import { Watcher } from './docker/watcher.ts';
import { memoryStore } from './store/memory.ts';
import { type OpenParts, type OpenState, openState } from './store/open.ts';
import type { Clock } from './system/clock.ts';
import { realDice } from './system/dice.ts';
import { realFiles } from './system/files.ts';
import { idFor } from './system/identity.ts';
import type { Log } from './system/log.ts';
import type { Names } from './system/names.ts';
import { realNetwork } from './system/network.ts';

/** Bound on one question to an image registry. */
const REGISTRY_MS = 10_000;

export interface ControlParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly names: Names;
  readonly kept: Kept;
  /** What the data plane reports to. */
  readonly observer: Observer;
  readonly dataPlane: DataPlanePort;
  /** What the data plane has counted since then, milliseconds since the Unix epoch. */
  readonly counters: () => { readonly sinceMs: number; readonly values: CounterValues };
  /** Who this Cutover is to engines, where it keeps no state; null: nobody in particular. */
  readonly owner?: string | null;
  /** Shows lines below the log while nothing serves, where it is a terminal that can. */
  readonly live?: ShowLive | null;
  /** Reads the configuration again. Never rejects. */
  readonly reload: () => Promise<ReloadResult>;
}

export interface Begun {
  /** The config service's. */
  readonly port: number;
  /** The id of the configuration's version; null where the state has applied it before, or it was refused. */
  readonly put: string | null;
}

export interface ControlPlane {
  /**
   * Puts in force what the state holds, opens the config service and applies the configuration's version. Resolves once something
   * serves; rejects with a clear error.
   *
   * @param socket the config service's, where it is bound already
   */
  begin(socket?: BoundSocket): Promise<Begun>;
  /** Puts the `cluster` of another configuration in force, the rest of which is the same. */
  apply(config: Config): Promise<ReloadResult>;
  /** The proxy port is open too: from now on engines are asked for containers. */
  opened(): void;
  /** Takes no more calls. Resolves when those under way are answered. */
  closeApi(): Promise<void>;
  /** Answers the last calls and ends everything but those under way; what has been counted is kept. */
  retire(): Promise<void>;
  /** Ends everything. */
  close(): Promise<void>;
}

export function assembleControl(parts: ControlParts): ControlPlane {
  const { config, clock, log, kept } = parts;
  const controller = new Controller({
    clock,
    dice: realDice,
    network: realNetwork(parts.names, clock),
    log,
    dataPlane: parts.dataPlane,
    store: kept.store,
    containers: new DockerContainers({ clock, log, owner: parts.owner ?? null }),
    live: parts.live ?? null,
    observer: parts.observer,
    connectMs: config.timeouts.connectMs,
    putWaitMs: config.putWaitMs,
    drainMs: config.timeouts.drainMs,
    tunnelDrainMs: config.timeouts.tunnelDrainMs,
  });
  const watcher = new Watcher({
    clock,
    chance: Math.random,
    log,
    registry: openRegistry({
      credentialsOf: (repository) => credentialsFor(repository, process.env),
      timeoutMs: REGISTRY_MS,
    }),
    releases: {
      state: () => controller.state(),
      seen: (versionId, digests) => controller.seen(versionId, digests),
      submit: (spec) => controller.submit({ kind: 'put', spec, origin: 'watch' }),
    },
  });
  const api = createApi({
    control: controller,
    parse: (body) => parseCluster(body, config.clusterDefaults),
    security: { token: config.configService.token, allowedHosts: config.configService.allowedHosts },
    log,
    counters: () => {
      const { sinceMs, values } = parts.counters();
      return { since: new Date(sinceMs).toISOString(), counters: values };
    },
    reload: parts.reload,
  });
  const endAll = async (): Promise<void> => {
    await api.retire();
    await Promise.all([watcher.close(), controller.close()]);
    await kept.close();
  };
  let retired: Promise<void> | null = null;
  const retire = (): Promise<void> => {
    // Once: from then on another control may be in charge.
    retired ??= endAll();
    return retired;
  };
  return {
    async begin(socket) {
      if (kept.state !== null) controller.restore(kept.state);
      const { port } = await api.listen(config.configService.hostname, config.configService.port, socket);
      return { port, put: await applyCluster(controller, parts) };
    },
    async apply({ cluster, clusterAsWritten }) {
      const applied = await controller.start(cluster, clusterAsWritten, { wait: 'a-while' });
      if (applied.kind === 'refused')
        return { ok: false, text: `The cluster of the configuration is refused: ${applied.reason}` };
      if (applied.kind === 'unchanged') return { ok: true, text: 'Nothing has changed' };
      return { ok: true, text: `The cluster of the configuration is put as ${applied.id}`, put: applied.id };
    },
    opened: () => controller.beginContainers(),
    closeApi: () => api.close(),
    retire,
    async close() {
      await Promise.all([api.close(), retire()]);
    },
  };
}

/** The state that an earlier process left, and where the next one goes. */
export type Kept = Pick<OpenState, 'state' | 'close'> & { readonly store: StorePort };

/** Rejects with a `StateFault`. */
export async function openKept({ state }: Config, parts: Pick<OpenParts, 'clock' | 'log' | 'lock'>): Promise<Kept> {
  const path = state?.file ?? null;
  if (path === null) return { store: memoryStore, state: null, close: () => Promise.resolve() };
  return openState({ ...parts, path, files: realFiles });
}

async function applyCluster(
  controller: Controller,
  { config, log, owner = null }: ControlParts,
): Promise<string | null> {
  const { clusterAsWritten: asWritten } = config;
  // With the same id its containers are found again, though no state tells of them.
  const isFirst = owner !== null && controller.state().versions.length === 0 && config.cluster.uuid === null;
  const cluster = isFirst ? { ...config.cluster, uuid: idFor(owner, asWritten) } : config.cluster;
  const started = await controller.start(cluster, asWritten);
  if (started.kind === 'unchanged') {
    log.write('NOTICE', 'main', 'The cluster of the configuration has been applied before: the state goes on');
  }
  if (started.kind !== 'refused') return started.kind === 'accepted' ? started.id : null;
  const text = `Starting the configured version failed: ${started.reason}`;
  if (controller.list().length === 0) throw new Error(text);
  log.write('ERROR', 'main', `${text}; what the state holds serves`);
  return null;
}
