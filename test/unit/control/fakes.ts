/** The world of a controller, made of values that a test moves by hand. */
import { Controller } from '../../../src/control/controller.ts';
import { Observer } from '../../../src/control/observer.ts';
import type {
  ContainerSink,
  ContainersPort,
  DataPlanePort,
  LaunchRequest,
  StopRequest,
  StorePort,
} from '../../../src/control/ports.ts';
import type { LogLevel } from '../../../src/core/config/model.ts';
import type { Launched, LaunchedContainer } from '../../../src/core/containers/launch.ts';
import {
  type Finding,
  noFigures,
  type Outcome,
  type OutcomeKind,
  type VersionFigures,
} from '../../../src/core/messages.ts';
import type { Rise } from '../../../src/core/release/rise.ts';
import type { ReleaseState } from '../../../src/core/release/state.ts';
import type { RoutingTable } from '../../../src/core/routing/table.ts';
import type { Clock } from '../../../src/system/clock.ts';
import type { HttpAnswer } from '../../../src/system/http-get.ts';
import type { Log } from '../../../src/system/log.ts';
import type { ConnectFailure, Network } from '../../../src/system/network.ts';

interface Timer {
  atMs: number;
  readonly periodMs: number | null;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_400_000_000_000 + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#add({ atMs: this.#nowMs + delayMs, periodMs: null, callback });
  }

  every(periodMs: number, callback: () => void): () => void {
    return this.#add({ atMs: this.#nowMs + periodMs, periodMs, callback });
  }

  /** Timers that have not been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, timer by timer; promises settle in between. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) {
      this.#nowMs = timer.atMs;
      if (timer.periodMs === null) this.#timers.delete(timer);
      else timer.atMs += timer.periodMs;
      timer.callback();
      await settled();
    }
    this.#nowMs = untilMs;
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  #next(untilMs: number): Timer | undefined {
    const due = [...this.#timers].filter(({ atMs }) => atMs <= untilMs);
    return due.sort((a, b) => a.atMs - b.atMs)[0];
  }
}

/** Resolves when every promise that can settle has. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class FakeNetwork implements Network {
  /** Servers, as `host:port`, that refuse. */
  readonly down = new Set<string>();
  readonly tried: string[] = [];
  /** What servers answer to checks, by `host:port`; 200 where nothing is said. */
  readonly checks = new Map<string, { readonly status: number; readonly retryAfter?: boolean }>();

  tryConnect({ host, port }: { readonly host: string; readonly port: number }): Promise<ConnectFailure | null> {
    const key = `${host}:${port}`;
    this.tried.push(key);
    const failure: ConnectFailure = { kind: 'refused', text: `dial tcp ${key}: connection refused` };
    return Promise.resolve(this.down.has(key) ? failure : null);
  }

  async checkHttp(address: { readonly host: string; readonly port: number }): Promise<HttpAnswer | ConnectFailure> {
    const failure = await this.tryConnect(address);
    const answer = this.checks.get(`${address.host}:${address.port}`) ?? { status: 200 };
    return failure ?? { kind: 'answered', retryAfter: false, ...answer };
  }
}

class FakeDataPlane implements DataPlanePort {
  readonly tables: RoutingTable[] = [];
  readonly versions = new Map<string, VersionFigures>();
  rise: Rise | null = null;
  /** What the next tables wait for until they are in force everywhere. */
  gate: Promise<void> = Promise.resolve();

  publish(table: RoutingTable): Promise<void> {
    this.tables.push(table);
    for (const { id } of table.chain) this.of(id);
    return this.gate;
  }

  figures(versionId: string): VersionFigures | undefined {
    return this.versions.get(versionId);
  }

  allowRise(rise: Rise | null): Promise<void> {
    this.rise = rise;
    return this.gate;
  }

  /** The figures of a version, to be changed. */
  of(versionId: string): VersionFigures {
    const known = this.versions.get(versionId);
    if (known !== undefined) return known;
    const figures = noFigures(versionId);
    this.versions.set(versionId, figures);
    return figures;
  }

  get table(): RoutingTable {
    return this.tables.at(-1) as RoutingTable;
  }

  /** The ids of the versions in force, newest first. */
  chain(): readonly string[] {
    return this.tables.at(-1)?.chain.map(({ id }) => id) ?? [];
  }
}

interface FakeLaunch extends LaunchRequest {
  /** @param started those that did not run before; all, where nothing is said */
  readonly resolve: (containers: readonly LaunchedContainer[], started?: readonly LaunchedContainer[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Engines that do as they are told; a test answers each launch itself. */
export class FakeContainers implements ContainersPort {
  readonly launches: FakeLaunch[] = [];
  readonly stops: StopRequest[] = [];
  /** What the containers of a version wrote last. */
  output: readonly string[] = [];
  /** The engine is away: what stops are answered with. */
  fault: string | null = null;
  removed: readonly LaunchedContainer[] = [];
  sink: ContainerSink | null = null;

  launch(request: LaunchRequest): Promise<Launched> {
    const { promise, resolve, reject } = Promise.withResolvers<Launched>();
    const resolveWith: FakeLaunch['resolve'] = (containers, started = containers) =>
      resolve({ containers, started: started.map(({ containerId }) => containerId) });
    this.launches.push({ ...request, resolve: resolveWith, reject });
    return promise;
  }

  async stop(request: StopRequest): Promise<readonly string[]> {
    this.stops.push(request);
    if (this.fault !== null) throw new Error(this.fault);
    return this.output;
  }

  async removeImages(containers: readonly LaunchedContainer[]): Promise<void> {
    this.removed = containers;
  }

  watch(sink: ContainerSink): void {
    this.sink = sink;
  }

  async close(): Promise<void> {}
}

export class FakeStore implements StorePort {
  /** With `everything` a threshold is in force only once a higher one is saved. */
  keeps: StorePort['keeps'] = 'nothing';
  readonly saved: ReleaseState[] = [];
  noted: ReleaseState | null = null;
  /** What the next saves wait for. */
  gate: Promise<void> = Promise.resolve();

  async save(state: ReleaseState): Promise<void> {
    await this.gate;
    this.saved.push(state);
  }

  note(current: () => ReleaseState): void {
    this.noted = current();
  }
}

export class FakeLog implements Log {
  readonly lines: string[] = [];

  enabled(): boolean {
    return true;
  }

  write(level: LogLevel, _component: string, text: string): void {
    this.lines.push(`${level} ${text}`);
  }

  always(level: LogLevel, component: string, text: string): void {
    this.write(level, component, text);
  }
}

export class World<Store extends StorePort = FakeStore> {
  readonly clock: FakeClock;
  readonly network = new FakeNetwork();
  readonly dataPlane = new FakeDataPlane();
  readonly store: Store;
  readonly containers = new FakeContainers();
  readonly log = new FakeLog();
  readonly observer = new Observer();
  readonly controller: Controller;
  #drawn = 0;

  /** @param options the store, when it is not to be a fake one, and the clock that goes with it */
  constructor(options?: { readonly store: Store; readonly clock: FakeClock; readonly ids?: string }) {
    this.clock = options?.clock ?? new FakeClock();
    this.store = options?.store ?? (new FakeStore() as StorePort as Store);
    const { clock, network, dataPlane, store, containers, log, observer } = this;
    const draw = () => {
      this.#drawn += 1;
      return `${options?.ids ?? 'id'}-${this.#drawn}`;
    };
    const dice = { versionId: draw, clientId: draw };
    const bounds = { connectMs: 1000, putWaitMs: 1000, drainMs: 30_000, tunnelDrainMs: 300_000 };
    this.controller = new Controller({ clock, dice, network, dataPlane, store, containers, log, observer, ...bounds });
  }

  /** The data plane reports an attempt on a version of the present table. */
  report(versionId: string, kind: OutcomeKind, more: Partial<Outcome> = {}): void {
    const epoch = this.dataPlane.table.chain.find(({ id }) => id === versionId)?.epoch ?? -1;
    const outcome = { versionId, epoch, kind, server: '10.0.0.1:80', latencyMs: 1, direct: true, counts: true };
    this.observer.outcome({ ...outcome, ...more });
  }

  /** The data plane reports what exchanges proved about a version of the present table. */
  find(versionId: string, kind: Finding['kind'], more: Partial<Finding> = {}): void {
    const epoch = this.dataPlane.table.chain.find(({ id }) => id === versionId)?.epoch ?? -1;
    const server = '10.0.0.2:80';
    const finding = { versionId, epoch, kind, cause: 'reset', server, absorbed: kind === 'blamed', text: '' } as const;
    this.observer.finding({ ...finding, ...more });
  }

  phaseOf(this: World, id: string): string | undefined {
    return this.store.saved.at(-1)?.versions.find((version) => version.id === id)?.phase;
  }
}
