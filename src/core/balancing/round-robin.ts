/**
 * Round robin within a version: each request begins at the next server. Each worker rotates by itself. A server that
 * starts slowly takes its turn only as often as its weight says: what it may take adds up, turn by turn, until it makes a
 * whole request. Nothing depends on chance, and nothing is allocated but when a version's servers change.
 */
import type { Route, Server } from '../routing/table.ts';

interface Turns {
  servers: readonly Server[];
  next: number;
  /** By index in `servers`: the part of a request that each has saved up, in [0, 1). */
  saved: Float64Array;
}

/** Weights are sums of decimals: ten turns at 0.1 are one request. */
const WHOLE = 1 - 1e-9;

export class Rotation {
  readonly #turnsById = new Map<string, Turns>();

  /** The index of the server at which this request begins. One server at least must weigh 1. */
  next(route: Route): number {
    const { servers } = route;
    const count = servers.length;
    if (count <= 1) return 0;
    const known = this.#turnsById.get(route.id);
    const turns = known?.servers === servers ? known : this.#changed(route, known);
    for (let turn = 0; turn < count; turn += 1) {
      const index = turns.next % count;
      turns.next = index + 1;
      const { weight } = servers[index] as Server;
      if (weight >= 1) return index;
      const saved = (turns.saved[index] as number) + weight;
      turns.saved[index] = saved >= WHOLE ? Math.max(0, saved - 1) : saved;
      if (saved >= WHOLE) return index;
    }
    return turns.next % count;
  }

  /** Forgets versions that are not among these. */
  keepOnly(chain: readonly Route[]): void {
    for (const id of [...this.#turnsById.keys()]) {
      if (!chain.some((route) => route.id === id)) this.#turnsById.delete(id);
    }
  }

  /** Other servers, or other weights: each keeps what it has saved up, and the turn stays where it is. */
  #changed(route: Route, before: Turns | undefined): Turns {
    const { servers } = route;
    const saved = new Float64Array(servers.length);
    let next = 0;
    if (before !== undefined) {
      const turn = before.servers[before.next % before.servers.length];
      next = Math.max(
        0,
        servers.findIndex(({ key }) => key === turn?.key),
      );
      before.servers.forEach(({ key }, index) => {
        const now = servers.findIndex((server) => server.key === key);
        if (now >= 0) saved[now] = before.saved[index] ?? 0;
      });
    }
    const turns = { servers, next, saved };
    this.#turnsById.set(route.id, turns);
    return turns;
  }
}
