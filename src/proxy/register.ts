/**
 * The register of what is in flight: per version its figures, which the control plane reads and the log shows. Plain
 * numbers, owned by the data plane; nothing is ever reset.
 */
import type { VersionFigures } from '../core/messages.ts';
import type { RoutingTable } from '../core/routing/table.ts';

export class Register {
  readonly #byId = new Map<string, VersionFigures>();

  /** The figures of a version; begun at zero when it was not known. */
  of(versionId: string): VersionFigures {
    const known = this.#byId.get(versionId);
    if (known !== undefined) return known;
    const fresh: VersionFigures = {
      versionId,
      attempts: 0,
      answered: 0,
      failed: 0,
      exchanges: 0,
      replays: 0,
      absorbed: 0,
      notReplayable: 0,
      budgetRefused: 0,
      inFlight: 0,
      tunnels: 0,
      olderSessions: 0,
    };
    this.#byId.set(versionId, fresh);
    return fresh;
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
