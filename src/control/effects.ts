/** Does what transitions want done. Runs only after the state that goes with it is durable. */
import type { Effect, ProbeEffect, PublishEffect, RaiseEffect } from '../core/release/effects.ts';
import type { ReleaseEvent } from '../core/release/events.ts';
import { buildTable, withThreshold } from '../core/routing/build-table.ts';
import type { CutOrder, Route, RoutingTable } from '../core/routing/table.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { DataPlanePort } from './ports.ts';

export interface EffectParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly dataPlane: DataPlanePort;
  readonly probe: (request: ProbeEffect) => void;
  /** A table with another chain is about to be in force. */
  readonly onChain: (table: RoutingTable) => void;
}

export class Effects {
  readonly #parts: EffectParts;
  #table: RoutingTable = buildTable(0, [], []);

  constructor(parts: EffectParts) {
    this.#parts = parts;
  }

  /** Runs effects in their order. Returns the events that follow from them at once. */
  run(effects: readonly Effect[]): readonly ReleaseEvent[] {
    const following: ReleaseEvent[] = [];
    for (const effect of effects) {
      switch (effect.kind) {
        case 'publish':
          this.#publish(effect);
          break;
        case 'raise':
          this.#raise(effect);
          break;
        case 'prepare':
          // Servers that run already need no preparation; a readiness gate and container starts have their place here.
          following.push({ kind: 'ready', id: effect.id, epoch: effect.epoch, atMs: this.#parts.clock.wallMs() });
          break;
        case 'probe':
          this.#parts.probe(effect);
          break;
        case 'log':
          this.#parts.log.write(effect.level, 'controller', effect.text, effect.facts);
          break;
      }
    }
    return following;
  }

  #publish(effect: PublishEffect): void {
    const known = new Map(this.#table.chain.map((route) => [route.id, route]));
    const routes = effect.routes.map((route) => unchanged(known.get(route.id), route));
    // The data plane carries out an order once: it knows it again by its identity.
    const cut = effect.cut.map((order) => this.#table.cut.find((known) => isSame(known, order)) ?? order);
    this.#table = buildTable(this.#table.number + 1, routes, effect.thresholds, cut);
    this.#parts.onChain(this.#table);
    this.#parts.dataPlane.publish(this.#table);
  }

  #raise(effect: RaiseEffect): void {
    const index = this.#table.chain.findIndex(({ id }) => id === effect.id);
    if (index < 0) return;
    this.#table = withThreshold(this.#table, this.#table.number + 1, { index, threshold: effect.threshold });
    this.#parts.dataPlane.publish(this.#table);
  }
}

function isSame(a: CutOrder, b: CutOrder): boolean {
  return a.versionId === b.versionId && a.what === b.what;
}

/** The known route where nothing about it has changed; what is not compared is fixed for an id and epoch (`onTrial` too). */
function unchanged(known: Route | undefined, route: Route): Route {
  const same =
    known !== undefined &&
    known.epoch === route.epoch &&
    known.released === route.released &&
    known.dormant === route.dormant;
  return same ? known : route;
}
