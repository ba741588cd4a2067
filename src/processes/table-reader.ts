/**
 * Makes routing tables of what control sends. What did not change stays the very same object, as when a table does not cross a
 * process border: the data plane knows routes and orders again by their identity.
 */
import { buildTable } from '../core/routing/build-table.ts';
import type { CutOrder, Route, RoutingTable } from '../core/routing/table.ts';
import type { ToWorker } from './messages.ts';

export class TableReader {
  /** By version id: the route as it came, and what was made of it. */
  #routes = new Map<string, { readonly text: string; readonly route: Route }>();
  #table: RoutingTable = buildTable(0, [], []);

  get table(): RoutingTable {
    return this.#table;
  }

  /** The table of a message, after the one in force. */
  read(message: Extract<ToWorker, { readonly kind: 'table' }>): RoutingTable {
    const known = this.#routes;
    this.#routes = new Map(message.routes.map((route) => [route.id, sameOrNew(known.get(route.id), route)]));
    const before = this.#table;
    const routes = [...this.#routes.values()].map(({ route }) => route);
    const cut = message.cut.map((order) => before.cut.find((other) => isSame(other, order)) ?? order);
    const thresholds = routes.map((route, index) =>
      Math.max(message.thresholds[index] ?? 0, thresholdIn(before, route)),
    );
    this.#table = buildTable(before.number + 1, routes, thresholds, cut);
    return this.#table;
  }

  /** The table in force with these thresholds, where they are higher. */
  raise(thresholds: readonly number[]): RoutingTable {
    const before = this.#table;
    const raised = before.thresholds.map((threshold, index) => Math.max(threshold, thresholds[index] ?? 0));
    this.#table = { ...before, number: before.number + 1, thresholds: raised };
    return this.#table;
  }
}

/** What is in force for this release of the version: a threshold never falls. */
function thresholdIn(table: RoutingTable, { id, epoch }: Route): number {
  const index = table.chain.findIndex((other) => other.id === id && other.epoch === epoch);
  return table.thresholds[index] ?? 0;
}

function sameOrNew(known: { readonly text: string; readonly route: Route } | undefined, route: Route) {
  const text = JSON.stringify(route);
  return known?.text === text ? known : { text, route };
}

function isSame(a: CutOrder, b: CutOrder): boolean {
  return a.versionId === b.versionId && a.what === b.what;
}
