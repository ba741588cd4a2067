/**
 * The servers of one version under watch. A refusal is looked into at once, on all of them; when more than half are ejected
 * and the version is on trial, the older versions are tried too, since only one that answers can take its place.
 */
import type { HealthCheck } from '../core/config/model.ts';
import { COMING_UP, HEALTHY, type ServerHealth } from '../core/health/server-health.ts';
import { askable, isMost } from '../core/health/version-health.ts';
import type { Finding } from '../core/messages.ts';
import type { ForgivenEvent, ProbedEvent } from '../core/release/events.ts';
import type { Route, Server } from '../core/routing/table.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { DataPlanePort } from './ports.ts';
import type { Probes } from './probes.ts';
import { ServerWatch, type Turn } from './server-watch.ts';

export interface VersionWatchParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly probes: Probes;
  readonly dataPlane: DataPlanePort;
  /** Other servers may be asked, or with other shares. */
  readonly onServers: () => void;
  readonly onEvent: (event: ForgivenEvent | ProbedEvent) => void;
  /** Something about a server has changed: whether it is plain, perhaps. */
  readonly onChange: (watch: ServerWatch) => void;
  /** The routes that are older than one, newest first. */
  readonly olderThan: (route: Route) => readonly Route[];
}

/** The least time from one look into a version to the next: traffic reports refusals by the hundred. */
const LOOK_GAP_MS = 250;

export class VersionWatch {
  readonly check: HealthCheck | null;
  readonly #parts: VersionWatchParts;
  #route: Route;
  /** By `host:port`. */
  readonly #watches: ReadonlyMap<string, ServerWatch>;
  #askable: readonly Server[] | null = null;
  /** Servers that refused since the last look. */
  readonly #suspects = new Set<string>();
  #looking = false;
  #lookWanted = false;
  #stopGap: () => void = () => {};
  /** The release machine waits for a `probed` event. */
  #isAsked = false;
  #soughtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @param earlier watched the version when it had other servers: what is known of those that stay goes on */
  constructor(parts: VersionWatchParts, route: Route, check: HealthCheck | null, earlier?: VersionWatch) {
    this.#parts = parts;
    this.#route = route;
    this.check = check;
    const { clock, probes } = parts;
    const onChange = (watch: ServerWatch, turn: Turn | null): void => this.#changed(watch, turn);
    const watchOf = (server: Server): ServerWatch =>
      new ServerWatch({ clock, probes, check, onChange }, server, this.#healthFrom(earlier, server));
    this.#watches = new Map(route.servers.map((server) => [server.key, watchOf(server)]));
    for (const watch of this.#watches.values()) {
      if (watch.health !== HEALTHY) watch.resume(earlier?.find(watch.server.key) ?? watch);
    }
    // Checks of several servers are spread over the interval.
    let index = 0;
    for (const watch of this.#watches.values()) {
      index += 1;
      if (check !== null) watch.begin((check.intervalMs * index) / this.#watches.size);
    }
  }

  get route(): Route {
    return this.#route;
  }

  /** The version has changed its phase or epoch; its servers are the same. */
  follow(route: Route): void {
    this.#route = route;
  }

  /** Those that may be asked; the same array until that changes. */
  get servers(): readonly Server[] {
    this.#askable ??= askable(this.#route.servers, this.#health(), this.#parts.clock.nowMs());
    return this.#askable;
  }

  find(server: string): ServerWatch | undefined {
    return this.#watches.get(server);
  }

  /** A request was answered by a server that is not plain. */
  answered(watch: ServerWatch): void {
    if (watch.takesRequests) {
      watch.happened('answered');
      return;
    }
    // It is asked only because all are ejected: what answers is worth a probe now.
    if (this.#ejected().length === this.#watches.size) this.#seekAll();
  }

  /** A server did not take a connection. */
  refused(server: string): void {
    this.#suspects.add(server);
    this.#look();
  }

  /** A request failed on a server after it had taken the connection; nothing was compared. */
  failed(watch: ServerWatch, text: string): void {
    // What is not on trial can't be taken back, so at least half of its servers go on, whatever they answer.
    if (isMost(this.#ejected().length + 1, this.#watches.size)) return;
    watch.happened('failed', `its last requests failed: ${text}`);
  }

  /** What an exchange proved against this version, which is on trial. */
  found(watch: ServerWatch, finding: Finding): void {
    if (finding.kind === 'shared') watch.happened('shared');
    // With one server there is none to turn to: the rules of the version decide.
    else if (this.#watches.size > 1) watch.happened('failed', `its last requests failed: ${finding.text}`);
  }

  isForgiven(server: string): boolean {
    return this.find(server)?.takesRequests === false && !this.#mostAreSick();
  }

  /** Tells how things stand, once the older versions have been tried. */
  probe(): void {
    this.#isAsked = true;
    this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#stopGap();
    for (const watch of this.#watches.values()) watch.close();
  }

  /** A container that comes up while its version serves has not been through the gate. */
  #healthFrom(earlier: VersionWatch | undefined, server: Server): ServerHealth {
    if (earlier === undefined) return HEALTHY;
    const isComing = this.#parts.probes.isInContainer(server);
    return earlier.find(server.key)?.health ?? (isComing ? COMING_UP : HEALTHY);
  }

  #health() {
    return this.#route.servers.map(({ key }) => (this.#watches.get(key) as ServerWatch).health);
  }

  #ejected(): readonly ServerWatch[] {
    return [...this.#watches.values()].filter((watch) => !watch.takesRequests);
  }

  #crashed(): readonly ServerWatch[] {
    return this.#ejected().filter(({ crashed }) => crashed);
  }

  #changed(watch: ServerWatch, turn: Turn | null): void {
    if (this.#closed) return;
    this.#parts.onChange(watch);
    if (turn === null) return;
    if (turn !== 'kept-out') {
      this.#askable = null;
      this.#parts.onServers();
    }
    const name = `Server ${watch.server.key} of version ${this.#route.version}`;
    if (turn === 'ejected') {
      this.#log('WARNING', `${name} takes no more requests: ${watch.cause}`);
      this.#forgive(watch);
    }
    if (turn === 'back') this.#log('NOTICE', `${name} takes requests again, few at first`);
    if (turn === 'ejected' || turn === 'kept-out') this.#considerDead();
  }

  /**
   * Blame falls on a server first: what it did leaves the version's evidence. But when most of the servers are ejected or
   * have only just returned, it is the version that fails, and what is known of it stays.
   */
  /** On no trial, or with most servers sick, there is nothing to forgive: then it is the version that fails. */
  #mostAreSick(): boolean {
    const sick = [...this.#watches.values()].filter(({ health }) => !health.proven || health.phase !== 'healthy');
    return !this.#route.onTrial || isMost(sick.length, this.#watches.size);
  }

  #forgive(watch: ServerWatch): void {
    if (this.#mostAreSick()) return;
    const { id, epoch } = this.#route;
    this.#parts.onEvent({ kind: 'forgiven', id, epoch, atMs: this.#parts.clock.wallMs(), server: watch.server.key });
  }

  // ---- looking into it

  #considerDead(): void {
    if (this.#route.onTrial && this.#isDead()) this.#look();
  }

  #isDead(): boolean {
    return isMost(this.#crashed().length, this.#watches.size);
  }

  /** Looks now, or as soon as the last look is over and its gap has passed. */
  #look(): void {
    if (this.#closed) return;
    this.#lookWanted = true;
    if (!this.#looking) void this.#lookOnce();
  }

  async #lookOnce(): Promise<void> {
    this.#looking = true;
    this.#lookWanted = false;
    const gap = new Promise<void>((resolve) => {
      this.#stopGap = this.#parts.clock.after(LOOK_GAP_MS, resolve);
    });
    const older = this.#route.onTrial ? this.#parts.olderThan(this.#route) : [];
    const before = older.map(({ id }) => this.#answeredBy(id));
    await this.#tryServers();
    if (!this.#closed && this.#route.onTrial && (this.#isAsked || this.#isDead())) {
      this.#isAsked = false;
      const answers = await this.#whoAnswers(older, before);
      if (!this.#closed) this.#tell(answers);
    }
    await gap;
    this.#looking = false;
    if (this.#lookWanted) this.#look();
  }

  /** Tries all servers that take requests. One that fails is tried again at once, unless traffic was refused already. */
  async #tryServers(): Promise<void> {
    const suspects = new Set(this.#suspects);
    this.#suspects.clear();
    if (suspects.size === 0) return;
    const watches = [...this.#watches.values()].filter((watch) => watch.takesRequests);
    await Promise.all(watches.map((watch) => this.#tryServer(watch, suspects.has(watch.server.key) ? 1 : 2)));
  }

  async #tryServer(watch: ServerWatch, times: number): Promise<void> {
    for (let left = times; left > 0; left -= 1) {
      const look = await this.#parts.probes.connect(watch.server);
      if (look.kind === 'passed') return;
      if (left === 1) watch.happened('refused', look.text);
    }
  }

  /** The newest of the older versions that takes a connection or has answered a request meanwhile. */
  async #whoAnswers(older: readonly Route[], before: readonly number[]): Promise<string | null> {
    const accepts = await Promise.all(
      older.map(async ({ servers }) => {
        const looks = await Promise.all(servers.map((server) => this.#parts.probes.connect(server)));
        return looks.some(({ kind }) => kind === 'passed');
      }),
    );
    const answers = older.find(({ id }, index) => accepts[index] || this.#answeredBy(id) > (before[index] ?? 0));
    return answers?.id ?? null;
  }

  #answeredBy(id: string): number {
    return this.#parts.dataPlane.figures(id)?.answered ?? 0;
  }

  #tell(olderAnswers: string | null): void {
    const { id, epoch } = this.#route;
    const failures = this.#crashed().map((watch) => `${watch.server.key}: ${watch.cause}`);
    const atMs = this.#parts.clock.wallMs();
    this.#parts.onEvent({ kind: 'probed', id, epoch, atMs, servers: this.#watches.size, failures, olderAnswers });
  }

  #seekAll(): void {
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs - this.#soughtMs < LOOK_GAP_MS) return;
    this.#soughtMs = nowMs;
    for (const watch of this.#ejected()) watch.happened('sought');
  }

  #log(level: 'WARNING' | 'NOTICE', text: string): void {
    const { id, service, version } = this.#route;
    this.#parts.log.write(level, 'health', text, { service, versionId: id, version });
  }
}
