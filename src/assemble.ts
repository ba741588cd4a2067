/**
 * Cutover, put together in one process: the two planes, the store and the config service. The data plane tells the
 * observer what its attempts showed; the controller publishes tables to the data plane; nothing else joins them.
 */
import { type Api, createApi } from './api/server.ts';
import { Controller } from './control/controller.ts';
import { Observer } from './control/observer.ts';
import type { StorePort } from './control/ports.ts';
import type { Config } from './core/config/model.ts';
import { parseCluster } from './core/config/parse.ts';
import { DataPlane } from './proxy/data-plane.ts';
import { takeLock } from './store/lock.ts';
import { memoryStore } from './store/memory.ts';
import { type OpenState, openState } from './store/open.ts';
import { type Clock, realClock } from './system/clock.ts';
import { realDice } from './system/dice.ts';
import { realFiles } from './system/files.ts';
import type { Log } from './system/log.ts';
import { BackgroundNames } from './system/names.ts';
import { realNetwork } from './system/network.ts';

/** A Cutover that serves. */
export interface Cutover {
  readonly proxyPort: number;
  readonly configPort: number;
  /** Takes nothing new, lets what is in flight finish within `timeouts.drain`, then ends. */
  drain(): Promise<void>;
  /** Ends at once; what is in flight is cut. */
  close(): Promise<void>;
}

/**
 * Opens both ports, and puts in force what the state holds and what the configuration asks for. Rejects with a clear error when a
 * port can't be had, and with a `StateFault` when the state can't.
 */
export async function assemble(config: Config, log: Log): Promise<Cutover> {
  const clock = realClock;
  const kept = await openKept(config, clock, log);
  const names = new BackgroundNames();
  const observer = new Observer();
  const dataPlane = new DataPlane({ config, clock, dice: realDice, log, names, sink: observer });
  const controller = new Controller({
    clock,
    dice: realDice,
    network: realNetwork(names, clock),
    log,
    dataPlane,
    store: kept.store,
    observer,
    connectMs: config.timeouts.connectMs,
    putWaitMs: config.putWaitMs,
    drainMs: config.timeouts.drainMs,
    tunnelDrainMs: config.timeouts.tunnelDrainMs,
  });
  const api = createApi({
    control: controller,
    parse: (body) => parseCluster(body, config.clusterDefaults),
    security: { token: config.configService.token, allowedHosts: config.configService.allowedHosts },
    log,
  });
  const end = async (): Promise<void> => {
    const decided = controller.close();
    dataPlane.close();
    names.close();
    await Promise.all([api.close(), decided]);
    await kept.close();
  };
  try {
    const ports = await open(config, { api, dataPlane, controller, kept, log });
    return {
      ...ports,
      async drain() {
        const apiClosed = api.close();
        await dataPlane.drain();
        await apiClosed;
        await end();
      },
      close: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The state that an earlier process left, and where the next one goes. */
type Kept = Pick<OpenState, 'state' | 'close'> & { readonly store: StorePort };

async function openKept({ state }: Config, clock: Clock, log: Log): Promise<Kept> {
  const path = state?.file ?? null;
  if (path === null) return { store: memoryStore, state: null, close: () => Promise.resolve() };
  return openState({ path, files: realFiles, clock, log, lock: takeLock });
}

interface Parts {
  readonly api: Api;
  readonly dataPlane: DataPlane;
  readonly controller: Controller;
  readonly kept: Kept;
  readonly log: Log;
}

/** What serves stands in the table before the proxy port opens, so that no request meets an empty one. */
async function open(config: Config, parts: Parts): Promise<{ proxyPort: number; configPort: number }> {
  const { api, controller, kept, log } = parts;
  if (kept.state !== null) controller.restore(kept.state);
  const { port: configPort } = await api.listen(config.configService.hostname, config.configService.port);
  const started = await controller.start(config.cluster, config.clusterAsWritten);
  if (started.kind === 'unchanged') {
    log.write('NOTICE', 'main', 'The cluster of the configuration has been applied before: the state goes on');
  }
  if (started.kind === 'refused') {
    const text = `Starting the configured version failed: ${started.reason}`;
    if (controller.list().length === 0) throw new Error(text);
    log.write('ERROR', 'main', `${text}; what the state holds serves`);
  }
  const { hostname, port } = config.proxy;
  const proxyPort = await parts.dataPlane.listen(hostname, port).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`Opening the proxy port ${hostname}:${port} failed: ${portFault(error)}`);
  });
  return { proxyPort, configPort };
}

function portFault(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'it is in use';
    case 'EACCES':
      return 'permission denied';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    default:
      return error.message;
  }
}
