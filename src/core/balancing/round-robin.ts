/** Round robin within a version: each request begins at the next server. Each worker rotates by itself. */
import type { Route } from '../routing/table.ts';

export class Rotation {
  readonly #nextById = new Map<string, number>();

  /** The index of the server at which this request begins. */
  next(route: Route): number {
    const count = route.servers.length;
    if (count <= 1) return 0;
    const index = (this.#nextById.get(route.id) ?? 0) % count;
    this.#nextById.set(route.id, index + 1);
    return index;
  }

  /** Forgets versions that are not among these. */
  keepOnly(chain: readonly Route[]): void {
    for (const id of [...this.#nextById.keys()]) {
      if (!chain.some((route) => route.id === id)) this.#nextById.delete(id);
    }
  }
}
