/**
 * The register of what is in flight: per version its figures, which the control plane reads and the log shows. Plain
 * numbers, owned by the data plane; nothing is ever reset.
 */
import { noFigures, type VersionFigures } from '../core/messages.ts';
import type { Plan, RoutingTable } from '../core/routing/table.ts';

export class Register {
  readonly #byId = new Map<string, VersionFigures>();

  /** The figures of a version; begun at zero when it was not known. */
  of(versionId: string): VersionFigures {
    const known = this.#byId.get(versionId);
    if (known !== undefined) return known;
    const fresh = noFigures(versionId);
    this.#byId.set(versionId, fresh);
    return fresh;
  }

  /**
   * Counts a request in: for the version that admitted it, and, which SESSION waits for, for each version on its way to
   * release that passed it on because it carried an older session.
   */
  admit(table: RoutingTable, plan: Plan): void {
    const admitted = table.chain[plan.admitted];
    if (admitted !== undefined) this.of(admitted.id).exchanges += 1;
    for (let index = 0; index < plan.admitted; index += 1) {
      const route = table.chain[index];
      if (route?.mode === 'SESSION' && !route.released) this.of(route.id).olderSessions += 1;
    }
  }

  find(versionId: string): VersionFigures | undefined {
    return this.#byId.get(versionId);
  }

  /** Forgets versions that no table names any more and that have nothing in flight. */
  prune(table: RoutingTable): void {
    for (const figures of this.#byId.values()) {
      if (figures.inFlight > 0 || figures.tunnels > 0) continue;
      if (table.chain.some((route) => route.id === figures.versionId)) continue;
      this.#byId.delete(figures.versionId);
    }
  }
}
