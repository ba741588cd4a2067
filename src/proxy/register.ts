/**
 * The register of what is in flight: per version its figures, which the control plane reads and the log shows. Plain
 * numbers, owned by the data plane; nothing is ever reset.
 */
import { noFigures, type VersionFigures } from '../core/messages.ts';
import type { Plan, Route, RoutingTable } from '../core/routing/table.ts';

export class Register {
  readonly #byId = new Map<string, VersionFigures>();
  /** The chain by which requests are being admitted. */
  #chain: readonly Route[] = [];
  /** By index in it: how many requests it has admitted that are in no figures yet. */
  #admitted: number[] = [];
  #isSettled = true;

  /** The figures of a version, but for those that `find` adds; begun at zero when it was not known. */
  of(versionId: string): VersionFigures {
    const known = this.#byId.get(versionId);
    if (known !== undefined) return known;
    const fresh = noFigures(versionId);
    this.#byId.set(versionId, fresh);
    return fresh;
  }

  /** Counts a request in. What that means for the figures of each version is worked out when somebody asks. */
  admit({ chain }: RoutingTable, { admitted }: Plan): void {
    if (chain !== this.#chain) {
      this.#settle();
      this.#chain = chain;
      this.#admitted = chain.map(() => 0);
    }
    this.#admitted[admitted] = (this.#admitted[admitted] as number) + 1;
    this.#isSettled = false;
  }

  find(versionId: string): VersionFigures | undefined {
    this.#settle();
    return this.#byId.get(versionId);
  }

  /** Forgets versions that no table names any more and that have nothing in flight. */
  prune(table: RoutingTable): void {
    this.#settle();
    for (const figures of this.#byId.values()) {
      if (figures.inFlight > 0 || figures.tunnels > 0) continue;
      if (table.places.has(figures.versionId)) continue;
      this.#byId.delete(figures.versionId);
    }
  }

  /**
   * Adds what was admitted: to the version that admitted it, and, which SESSION waits for, to each version on its way to release
   * that passed it on because it carried an older session.
   */
  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    let passedOn = 0;
    for (let index = this.#chain.length - 1; index >= 0; index -= 1) {
      const { id, mode, released } = this.#chain[index] as Route;
      const admitted = this.#admitted[index] as number;
      if (admitted > 0) this.of(id).exchanges += admitted;
      if (passedOn > 0 && mode === 'SESSION' && !released) this.of(id).olderSessions += passedOn;
      passedOn += admitted;
      this.#admitted[index] = 0;
    }
  }
}
