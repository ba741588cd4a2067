/**
 * Cutover, put together in one process: the two planes. The data plane tells the observer what its attempts showed; the
 * controller publishes tables to the data plane; nothing else joins them.
 */
import type { ReloadResult } from './api/contract.ts';
import { assembleControl, openKept } from './assemble-control.ts';
import { Observer } from './control/observer.ts';
import type { DataPlanePort } from './control/ports.ts';
import type { ShowLive } from './control/start-view.ts';
import type { Config } from './core/config/model.ts';
import { type Counters, valuesOf } from './core/counters.ts';
import { portFaultText } from './core/port-fault.ts';
import { DataPlane } from './proxy/data-plane.ts';
import { takeLock } from './store/lock.ts';
import { realClock } from './system/clock.ts';
import { realDice } from './system/dice.ts';
import type { Log } from './system/log.ts';
import { BackgroundNames } from './system/names.ts';

/** A Cutover that serves. */
export interface Cutover {
  readonly proxyPort: number;
  readonly configPort: number;
  /** What the data plane has counted, as it stands. */
  readonly counters: Readonly<Counters>;
  /** Puts the `cluster` of another configuration in force, the rest of which is the same. */
  apply(config: Config): Promise<ReloadResult>;
  /** Takes nothing new, lets what is in flight finish within `timeouts.drain`, then ends. */
  drain(): Promise<void>;
  /** Ends at once; what is in flight is cut. */
  close(): Promise<void>;
}

/**
 * Opens both ports, and puts in force what the state holds and what the configuration asks for. Rejects with a clear error when a
 * port can't be had, and with a `StateFault` when the state can't.
 */
export async function assemble(config: Config, log: Log, options: AssembleOptions = {}): Promise<Cutover> {
  const { reload = refuseReload, sockets = {}, live = null, owner = null } = options;
  const clock = realClock;
  const kept = await openKept(config, { clock, log, lock: takeLock });
  const names = new BackgroundNames();
  const observer = new Observer();
  const dataPlane = new DataPlane({ config, clock, dice: realDice, log, names, sink: observer });
  const sinceMs = clock.wallMs();
  const control = assembleControl({
    config,
    clock,
    log,
    names,
    kept,
    observer,
    dataPlane: portOf(dataPlane),
    counters: () => ({ sinceMs, values: valuesOf(dataPlane.counters) }),
    reload,
    live,
    owner,
  });
  const end = async (): Promise<void> => {
    const ended = control.close();
    dataPlane.close();
    names.close();
    await ended;
  };
  try {
    const { port: configPort } = await control.begin(sockets.configService);
    // What serves stands in the table before the proxy port opens, so that no request meets an empty one.
    const proxyPort = await listen(dataPlane, config, sockets.proxy);
    control.opened();
    return {
      proxyPort,
      configPort,
      counters: dataPlane.counters,
      apply: (other) => control.apply(other),
      async drain() {
        const apiClosed = control.closeApi();
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

interface AssembleOptions {
  /** Reads the configuration again. Never rejects. */
  readonly reload?: () => Promise<ReloadResult>;
  /** As `ControlParts.owner`. */
  readonly owner?: string | null;
  /** Shows lines below the log while nothing serves. */
  readonly live?: ShowLive | null;
  /** Sockets that are bound already. */
  readonly sockets?: { readonly proxy?: object; readonly configService?: object };
}

const refuseReload = () =>
  Promise.resolve({ ok: false, text: 'An embedded Cutover has no configuration file to read again' });

function portOf(dataPlane: DataPlane): DataPlanePort {
  const inForce = Promise.resolve();
  return {
    publish(table) {
      dataPlane.publish(table);
      return inForce;
    },
    figures: (versionId) => dataPlane.figures(versionId),
    // Each answer is told before the next request is routed, so there is nothing to raise ahead.
    allowRise: () => inForce,
  };
}

async function listen(dataPlane: DataPlane, config: Config, handle: object | undefined): Promise<number> {
  const { hostname: host, port } = config.proxy;
  return dataPlane
    .listen(handle === undefined ? { host, port } : { handles: [handle] })
    .catch((error: NodeJS.ErrnoException) => {
      throw new Error(portFaultText('proxy', { host, port }, error));
    });
}
