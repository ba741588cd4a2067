/** What must hold of the routing tables one after the other, across crashes too. */
import type { Command } from '../../src/core/release/command.ts';
import { type ReleaseState, runsInContainers } from '../../src/core/release/state.ts';
import type { Plan, Route, RoutingTable } from '../../src/core/routing/table.ts';
import type { Chance } from '../kit/chance.ts';
import type { Upstreams } from './upstreams.ts';

export class TableRules {
  readonly #nowMs: () => number;
  readonly #upstreams: Upstreams;
  readonly #isSlow: () => boolean;
  #table: RoutingTable | null = null;
  /** By version id and epoch: the highest threshold that was ever in force. */
  readonly #used = new Map<string, number>();
  /** By version id: every epoch that it had. */
  readonly #epochs = new Map<string, Set<number>>();
  /** By id of a SESSION version. */
  readonly #sessions = new Map<string, OlderSessions>();
  /** Ids of versions that somebody asked to promote. */
  readonly #promoted = new Set<string>();

  /** @param isSlow what was decided may be in force later, since the disk is slow, or was a moment ago */
  constructor(nowMs: () => number, upstreams: Upstreams, isSlow: () => boolean) {
    this.#nowMs = nowMs;
    this.#upstreams = upstreams;
    this.#isSlow = isSlow;
  }

  /** A command is on its way. */
  expect(command: Command): void {
    if (command.kind === 'promote') this.#promoted.add(command.id);
  }

  /** A request was admitted. */
  admitted({ chain }: RoutingTable, { admitted }: Plan): void {
    const nowMs = this.#nowMs();
    for (const { id, mode, released, sessionTimeoutS } of chain.slice(0, admitted)) {
      if (mode !== 'SESSION' || released) continue;
      const { lastMs = Number.NEGATIVE_INFINITY, quietMs } = this.#sessions.get(id) ?? {};
      this.#sessions.set(id, { lastMs: nowMs, quietMs: nowMs - lastMs >= sessionTimeoutS * 1000 ? nowMs : quietMs });
    }
  }

  /** Another process makes the next table. */
  newLife(): void {
    this.#table = null;
  }

  /** An epoch that a version of the table had once and has no more. */
  staleEpoch(chance: Chance): { readonly id: string; readonly epoch: number } | null {
    const stale = [...this.#epochs].flatMap(([id, epochs]) => {
      const now = this.#table?.chain.find((route) => route.id === id)?.epoch;
      return [...epochs].filter((epoch) => now !== undefined && epoch !== now).map((epoch) => ({ id, epoch }));
    });
    return stale.length === 0 ? null : chance.pick(stale);
  }

  /**
   * What is wrong with the table that is about to be in force, or null.
   * @param state what it is made from
   * @param kept the state on the disk: what serves must stand in it, for a crash may come at once
   */
  judge(table: RoutingTable, state: ReleaseState, kept: string | undefined): string | null {
    const before = this.#table;
    this.#table = table;
    if (before !== null && table.number <= before.number) return `Table ${table.number} came after ${before.number}`;
    if (before?.chain !== table.chain) {
      const { versions } = JSON.parse(kept ?? '{"versions": []}') as { readonly versions: readonly Identity[] };
      const comesUp = state.versions.some((version) => version.phase === 'starting' && runsInContainers(version));
      if (table.chain.length === 0 && !comesUp && before !== null) return 'The last version was taken out';
      const unkept = table.chain.find((route) => !versions.some((version) => isKept(version, route)));
      if (unkept !== undefined) return `Version ${unkept.version} serves in an epoch that is not kept`;
    }
    for (const { id, mode, released } of table.chain) {
      const begins = mode === 'SESSION' && !released && !this.#sessions.has(id);
      if (begins) this.#sessions.set(id, { lastMs: this.#nowMs() });
    }
    if (before === null) return this.#judgeThresholds(table);
    return this.#judgeThresholds(table) ?? this.#judgeReleases(before, table) ?? this.#judgeGate(before, table);
  }

  /** No new traffic goes into containers in which nobody listens yet. */
  #judgeGate(before: RoutingTable, { chain }: RoutingTable): string | null {
    const newest = chain.find(({ dormant }) => !dormant);
    if (newest === undefined || before.chain.some(({ id }) => id === newest.id)) return null;
    const early = newest.servers.every(({ key }) => this.#upstreams.isWarming(key));
    return early ? `Version ${newest.version} serves, and nobody listens in its containers yet` : null;
  }

  #judgeThresholds({ chain, thresholds }: RoutingTable): string | null {
    for (const [index, { id, epoch, mode, released, version }] of chain.entries()) {
      const epochs = this.#epochs.get(id) ?? new Set();
      this.#epochs.set(id, epochs.add(epoch));
      if (mode !== 'GRADUAL' || released) continue;
      const key = `${id} ${epoch}`;
      const [used, threshold] = [this.#used.get(key) ?? 0, thresholds[index] ?? 0];
      if (threshold < used) return `The threshold of version ${version} fell from ${used} to ${threshold}`;
      this.#used.set(key, threshold);
    }
    return null;
  }

  /** A SESSION release ends when its sessions have run out, or by hand. */
  #judgeReleases(before: RoutingTable, { chain }: RoutingTable): string | null {
    for (const route of chain) {
      const was = before.chain.find(({ id }) => id === route.id);
      const isReleased = was !== undefined && !was.released && route.released && route.onTrial;
      if (route.mode !== 'SESSION' || !isReleased || this.#promoted.has(route.id)) continue;
      const { lastMs = Number.NEGATIVE_INFINITY, quietMs: overMs } = this.#sessions.get(route.id) ?? {};
      const quietMs = this.#nowMs() - lastMs;
      const wasDecided = this.#isSlow() && overMs !== undefined && this.#nowMs() - overMs < KEPT_MS;
      if (quietMs < route.sessionTimeoutS * 1000 && !wasDecided) {
        return `Version ${route.version} was released ${quietMs} ms after an older session was seen`;
      }
    }
    return null;
  }
}

/** How long it may take until a decision is kept, and so in force, where the disk is slow. */
const KEPT_MS = 2500;

interface OlderSessions {
  /** When a request carried an older session last, or the release began. */
  readonly lastMs: number;
  /** When one did after they had run out: the release was decided, and not in force yet. */
  readonly quietMs?: number | undefined;
}

interface Identity {
  readonly id: string;
  readonly epoch: number;
}

/** What is being written down may be ahead of what is in force. What is on no trial may be ahead of it: it comes up again. */
function isKept(kept: Identity, route: Route): boolean {
  return kept.id === route.id && (kept.epoch >= route.epoch || !route.onTrial);
}
