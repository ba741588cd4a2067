/**
 * The health of all servers in the chain. It listens to outcomes and findings, ejects servers that fail and lets them back,
 * and says which servers of a version may be asked. Health is volatile: it is no part of the release state, and after a
 * restart every server is healthy until it shows otherwise. While all is well an outcome costs two comparisons.
 */
import type { HealthCheck } from '../core/config/model.ts';
import type { ServerHealth } from '../core/health/server-health.ts';
import type { Answers, Finding, Outcome } from '../core/messages.ts';
import type { ForgivenEvent, ProbedEvent } from '../core/release/events.ts';
import type { Route, Server } from '../core/routing/table.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { DataPlanePort, OutcomeSink } from './ports.ts';
import type { Probes } from './probes.ts';
import type { ServerWatch } from './server-watch.ts';
import { VersionWatch } from './version-watch.ts';

export interface HealthParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly probes: Probes;
  readonly dataPlane: DataPlanePort;
  /** Some version may ask other servers than before, or with other shares: a new table is due. Called from a task of its own. */
  readonly onServers: () => void;
  readonly onEvent: (event: ForgivenEvent | ProbedEvent) => void;
}

export class Health implements OutcomeSink {
  readonly #parts: HealthParts;
  /** The chain with all its servers, newest first. */
  #routes: readonly Route[] = [];
  /** By version id. */
  #versions = new Map<string, VersionWatch>();
  /** Servers for which an answered request means something new. */
  readonly #restless = new Set<ServerWatch>();
  #noticed = false;

  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  /**
   * Watches the servers of these routes and no others. What is known of a version that stays is kept.
   * @param routes newest first, with all their servers
   * @param checks by index in `routes`
   */
  watch(routes: readonly Route[], checks: readonly (HealthCheck | null)[]): void {
    const before = this.#versions;
    this.#routes = routes;
    this.#versions = new Map(routes.map((route, index) => [route.id, this.#watchOf(route, checks[index] ?? null)]));
    for (const [id, version] of before) {
      if (this.#versions.get(id) !== version) this.#drop(version);
    }
  }

  /** The servers of a version that may be asked, with their shares; the same array until that changes. */
  serversOf(route: Route): readonly Server[] {
    return this.#versions.get(route.id)?.servers ?? route.servers;
  }

  /** How a server stands, for people; undefined when its version does not serve. */
  phaseOf(versionId: string, server: string): ServerHealth['phase'] | undefined {
    return this.#versions.get(versionId)?.find(server)?.health.phase;
  }

  /** The server is ejected, and to blame rather than its version. */
  isForgiven(versionId: string, server: string): boolean {
    return this.#versions.get(versionId)?.isForgiven(server) === true;
  }

  outcome(outcome: Outcome): void {
    const { kind } = outcome;
    if (kind === 'answered' && this.#restless.size === 0) return;
    const version = this.#versions.get(outcome.versionId);
    if (version === undefined || version.route.epoch !== outcome.epoch) return;
    if (kind === 'refused' || kind === 'connect-timeout') {
      version.refused(outcome.server);
      return;
    }
    if (!outcome.counts || kind === 'abandoned') return;
    const watch = version.find(outcome.server);
    if (watch === undefined) return;
    if (kind === 'answered') version.answered(watch);
    // A version on trial is judged by findings, which know what an older version made of the request.
    else if (!version.route.onTrial) version.failed(watch, kind);
  }

  answers({ versionId, epoch, servers }: Answers): void {
    if (this.#restless.size === 0) return;
    const version = this.#versions.get(versionId);
    if (version === undefined || version.route.epoch !== epoch) return;
    for (const server of servers) {
      const watch = version.find(server);
      if (watch !== undefined) version.answered(watch);
    }
  }

  finding(finding: Finding): void {
    const version = this.#versions.get(finding.versionId);
    if (version === undefined || version.route.epoch !== finding.epoch || !version.route.onTrial) return;
    const watch = version.find(finding.server);
    if (watch !== undefined) version.found(watch, finding);
  }

  /** Something speaks against a server: it is looked at now, before a request finds out. */
  suspect(versionId: string, server: string): void {
    this.#versions.get(versionId)?.refused(server);
  }

  /** A `probed` event says soon how this version stands, and whether an older one answers. */
  probe(versionId: string): void {
    this.#versions.get(versionId)?.probe();
  }

  /** Ends timers and checks. */
  close(): void {
    this.watch([], []);
  }

  #watchOf(route: Route, check: HealthCheck | null): VersionWatch {
    const known = this.#versions.get(route.id);
    // An id that left and came back in one step stands for another version.
    if (known !== undefined && sameServers(known.route, route)) {
      known.follow(route);
      return known;
    }
    const { clock, log, probes, dataPlane, onEvent } = this.#parts;
    return new VersionWatch(
      {
        clock,
        log,
        probes,
        dataPlane,
        onEvent,
        onServers: () => this.#notice(),
        onChange: (watch) => this.#noteRest(watch),
        olderThan: (version) => this.#olderThan(version),
      },
      route,
      check,
      known,
    );
  }

  #drop(version: VersionWatch): void {
    version.close();
    for (const { key } of version.route.servers) {
      const watch = version.find(key);
      if (watch !== undefined) this.#restless.delete(watch);
    }
  }

  #noteRest(watch: ServerWatch): void {
    if (watch.isPlain) this.#restless.delete(watch);
    else this.#restless.add(watch);
  }

  /** Those that have carried the traffic of a version before. */
  #olderThan(route: Route): readonly Route[] {
    const index = this.#routes.findIndex(({ id }) => id === route.id);
    return this.#routes.slice(index + 1).filter(({ dormant }) => !dormant);
  }

  /** Several changes at once make one table, and none is made in the midst of an attempt. */
  #notice(): void {
    if (this.#noticed) return;
    this.#noticed = true;
    void Promise.resolve().then(() => {
      this.#noticed = false;
      this.#parts.onServers();
    });
  }
}

/** True when two routes lead to the same servers, in the same order. */
export function sameServers(one: Route, other: Route): boolean {
  return (
    one.servers.length === other.servers.length &&
    one.servers.every((server, index) => server.key === other.servers[index]?.key)
  );
}
