/** The figures of all workers together, as far as they have told: what one data plane's register is to a single process. */
import { noFigures, type VersionFigures } from '../core/messages.ts';
import type { RoutingTable } from '../core/routing/table.ts';
import type { FiguresGrowth, WorkerId } from './messages.ts';

interface Gauges {
  readonly inFlight: number;
  readonly tunnels: number;
}

const NONE: Gauges = { inFlight: 0, tunnels: 0 };

export class Mirror {
  readonly #sums = new Map<string, VersionFigures>();
  /** What each worker has in flight, by version id. */
  readonly #gauges = new Map<WorkerId, Map<string, Gauges>>();

  find(versionId: string): Readonly<VersionFigures> | undefined {
    return this.#sums.get(versionId);
  }

  add(worker: WorkerId, growth: FiguresGrowth): void {
    const { versionId, inFlight, tunnels, ...counters } = growth;
    const sum = this.#sumOf(versionId);
    for (const [key, grown] of Object.entries(counters)) sum[key as keyof typeof counters] += grown;
    const before = this.#gauges.get(worker)?.get(versionId) ?? NONE;
    this.#gauge(worker, sum, { inFlight: inFlight ?? before.inFlight, tunnels: tunnels ?? before.tunnels });
  }

  /** What it had in flight has ended with it; what it counted stays counted. */
  forget(worker: WorkerId): void {
    for (const id of this.#gauges.get(worker)?.keys() ?? []) this.#gauge(worker, this.#sumOf(id), NONE);
    this.#gauges.delete(worker);
  }

  /** Forgets versions that the table does not name and that have nothing in flight. */
  prune({ chain }: RoutingTable): void {
    for (const { versionId, inFlight, tunnels } of this.#sums.values()) {
      if (inFlight > 0 || tunnels > 0 || chain.some(({ id }) => id === versionId)) continue;
      this.#sums.delete(versionId);
      for (const gauges of this.#gauges.values()) gauges.delete(versionId);
    }
  }

  #gauge(worker: WorkerId, sum: VersionFigures, now: Gauges): void {
    const gauges = this.#gauges.get(worker) ?? new Map<string, Gauges>();
    this.#gauges.set(worker, gauges);
    const before = gauges.get(sum.versionId) ?? NONE;
    sum.inFlight += now.inFlight - before.inFlight;
    sum.tunnels += now.tunnels - before.tunnels;
    gauges.set(sum.versionId, now);
  }

  #sumOf(versionId: string): VersionFigures {
    const known = this.#sums.get(versionId);
    if (known !== undefined) return known;
    const fresh = noFigures(versionId);
    this.#sums.set(versionId, fresh);
    return fresh;
  }
}
