/** Does what transitions want done. Runs only after the state that goes with it is durable. */
import type {
  Effect,
  LaunchEffect,
  PrepareEffect,
  PublishEffect,
  RaiseEffect,
  StopEffect,
} from '../core/release/effects.ts';
import { buildTable, withThreshold } from '../core/routing/build-table.ts';
import type { CutOrder, Route, RoutingTable } from '../core/routing/table.ts';
import type { Log } from '../system/log.ts';
import { type Health, sameServers } from './health.ts';
import type { DataPlanePort } from './ports.ts';

export interface EffectParts {
  readonly log: Log;
  readonly dataPlane: DataPlanePort;
  readonly health: Health;
  readonly prepare: (request: PrepareEffect) => void;
  readonly launch: (request: LaunchEffect) => void;
  readonly stop: (request: StopEffect) => void;
  /** A table with another chain is about to be in force. */
  readonly onChain: (table: RoutingTable) => void;
}

export class Effects {
  readonly #parts: EffectParts;
  #table: RoutingTable = buildTable(0, [], []);
  /** The chain with all servers, newest first; what the table shows of it depends on their health. */
  #routes: readonly Route[] = [];
  /** What the table shows of each of them. */
  #shown = new Map<Route, Route>();

  constructor(parts: EffectParts) {
    this.#parts = parts;
  }

  /** Runs effects in their order. Resolves when the chain that they publish is in force. Never rejects. */
  run(effects: readonly Effect[]): Promise<void> {
    let inForce = AT_ONCE;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'publish':
          inForce = this.#publish(effect);
          break;
        case 'raise':
          this.#raise(effect);
          break;
        case 'prepare':
          this.#parts.prepare(effect);
          break;
        case 'launch':
          this.#parts.launch(effect);
          break;
        case 'stop':
          this.#parts.stop(effect);
          break;
        case 'probe':
          this.#parts.health.probe(effect.id);
          break;
        case 'log':
          this.#parts.log.write(effect.level, 'controller', effect.text, effect.facts);
          break;
      }
    }
    return inForce;
  }

  /** Other servers may be asked than the table in force says. */
  serversChanged(): void {
    const { chain, thresholds, cut } = this.#table;
    const routes = this.#routes.map((route) => this.#show(route));
    if (routes.every((route, index) => route === chain[index])) return;
    void this.#putInForce(buildTable(this.#table.number + 1, routes, thresholds, cut));
  }

  #publish(effect: PublishEffect): Promise<void> {
    const known = new Map(this.#routes.map((route) => [route.id, route]));
    this.#routes = effect.routes.map((route) => unchanged(known.get(route.id), route));
    this.#parts.health.watch(this.#routes, effect.checks);
    const routes = this.#routes.map((route) => this.#show(route));
    // The data plane carries out an order once: it knows it again by its identity.
    const cut = effect.cut.map((order) => this.#table.cut.find((known) => isSame(known, order)) ?? order);
    return this.#putInForce(buildTable(this.#table.number + 1, routes, effect.thresholds, cut));
  }

  #putInForce(table: RoutingTable): Promise<void> {
    this.#shown = new Map(this.#routes.map((route, index) => [route, table.chain[index] as Route]));
    this.#table = table;
    this.#parts.onChain(table);
    return this.#parts.dataPlane.publish(table);
  }

  /** The route with the servers that may be asked now; the very same object while they are the same. */
  #show(route: Route): Route {
    const servers = this.#parts.health.serversOf(route);
    if (servers === route.servers) return route;
    const shown = this.#shown.get(route);
    return shown?.servers === servers ? shown : { ...route, servers };
  }

  #raise(effect: RaiseEffect): void {
    const index = this.#table.chain.findIndex(({ id }) => id === effect.id);
    if (index < 0) return;
    this.#table = withThreshold(this.#table, this.#table.number + 1, { index, threshold: effect.threshold });
    void this.#parts.dataPlane.publish(this.#table);
  }
}

const AT_ONCE: Promise<void> = Promise.resolve();

function isSame(a: CutOrder, b: CutOrder): boolean {
  return a.versionId === b.versionId && a.what === b.what;
}

/** The known route where nothing about it has changed; what is not compared is fixed for an id and epoch (`onTrial` too). */
function unchanged(known: Route | undefined, route: Route): Route {
  const same =
    known !== undefined &&
    known.epoch === route.epoch &&
    known.released === route.released &&
    known.dormant === route.dormant &&
    sameServers(known, route);
  return same ? known : route;
}
