/**
 * One life of Cutover, from start to its end or its death: the production core and control, the production exchange with its
 * plan, hold and replay, and the production store on a disk in memory. Only sockets are simulated.
 */
import { Controller } from '../../src/control/controller.ts';
import { Observer } from '../../src/control/observer.ts';
import type { DataPlanePort } from '../../src/control/ports.ts';
import { Rotation } from '../../src/core/balancing/round-robin.ts';
import type { Config } from '../../src/core/config/model.ts';
import { newCounters } from '../../src/core/counters.ts';
import { DateLine } from '../../src/core/http/http-date.ts';
import type { VersionFigures } from '../../src/core/messages.ts';
import type { ReleaseState } from '../../src/core/release/state.ts';
import { buildTable } from '../../src/core/routing/build-table.ts';
import { CookieLines } from '../../src/core/routing/cookies.ts';
import { ReplayBudget } from '../../src/core/routing/replay-budget.ts';
import type { RoutingTable } from '../../src/core/routing/table.ts';
import { BufferBudget } from '../../src/proxy/buffer-budget.ts';
import { BufferPool } from '../../src/proxy/buffer-pool.ts';
import { Comparisons } from '../../src/proxy/comparisons.ts';
import type { Exchange } from '../../src/proxy/exchange.ts';
import { ParserPool } from '../../src/proxy/http1/parser-pool.ts';
import { WriteTurn } from '../../src/proxy/http1/write-turn.ts';
import type { Plane } from '../../src/proxy/plane.ts';
import { Register } from '../../src/proxy/register.ts';
import { Sweeper } from '../../src/proxy/sweeper.ts';
import { Sockets } from '../../src/proxy/tcp/sockets.ts';
import type { UpstreamPool } from '../../src/proxy/upstream-pool.ts';
import { type OpenState, openState } from '../../src/store/open.ts';
import type { Log } from '../../src/system/log.ts';
import type { Chance } from '../kit/chance.ts';
import type { FakeDisk } from '../kit/fake-disk.ts';
import { SimulatedPool } from './attempt.ts';
import type { SimulatedEngine } from './engine.ts';
import { ProcessClock, type SimulatedTime } from './time.ts';
import type { Upstreams } from './upstreams.ts';

export const STATE_PATH = '/config.state.json';

export interface ProcessParts {
  readonly config: Config;
  readonly time: SimulatedTime;
  readonly chance: Chance;
  readonly upstreams: Upstreams;
  readonly disk: FakeDisk;
  readonly engine: SimulatedEngine;
  readonly log: Log;
  /** Each table, before it is in force. */
  readonly onTable: (table: RoutingTable, state: ReleaseState) => void;
}

/** Counts what it refuses. */
class CountingBudget extends ReplayBudget {
  refused = 0;

  override take(): boolean {
    const taken = super.take();
    if (!taken) this.refused += 1;
    return taken;
  }
}

export class Process implements DataPlanePort {
  readonly clock: ProcessClock;
  readonly plane: Plane;
  readonly observer = new Observer();
  readonly controller: Controller;
  readonly exchanges = new Set<Exchange>();
  /** Settles when the configuration's version is in force, or was before. */
  started: Promise<unknown> = Promise.resolve();
  readonly #parts: ProcessParts;
  readonly #budget: CountingBudget;
  readonly #kept: OpenState;

  static async start(parts: ProcessParts): Promise<Process> {
    const clock = new ProcessClock(parts.time);
    const lock = () => Promise.resolve({ release: () => Promise.resolve() });
    const kept = await openState({ path: STATE_PATH, files: parts.disk, clock, log: parts.log, lock });
    const process = new Process(parts, clock, kept);
    if (kept.state !== null) process.controller.restore(kept.state);
    const { config } = parts;
    // Not waited for: a PUT may have to wait for its version, and time stands still here.
    process.started = process.controller.start(config.cluster, config.clusterAsWritten);
    process.controller.beginContainers();
    return process;
  }

  /** Use `start`. */
  constructor(parts: ProcessParts, clock: ProcessClock, kept: OpenState) {
    const { config, chance, upstreams, engine, log } = parts;
    this.#parts = parts;
    this.#kept = kept;
    this.clock = clock;
    this.#budget = new CountingBudget(config.replay.budget);
    const dice = { versionId: () => chance.uuid(), clientId: () => chance.uuid() };
    const { connectMs, idleBodyMs } = config.timeouts;
    const counters = newCounters();
    const buffers = new BufferPool();
    const messageLimits = { requestLineBytes: 8192, headerBytes: 32_768, fieldCount: 100 };
    const pool = new SimulatedPool({ clock, chance, upstreams, connectMs, idleBodyMs });
    this.plane = {
      config,
      messageLimits,
      clock,
      dice,
      log,
      names: { watch: () => {} } as unknown as Plane['names'],
      sink: this.observer,
      sweeper: new Sweeper(clock),
      register: new Register(),
      budget: new BufferBudget(config.limits.bufferBytes, counters),
      cookies: new CookieLines(config.cookies),
      counters,
      pool: pool as unknown as UpstreamPool,
      rotation: new Rotation(),
      replayBudget: this.#budget,
      dateLine: new DateLine(),
      comparisons: new Comparisons(),
      tunnels: new Set(),
      sockets: new Sockets(buffers),
      buffers,
      parsers: new ParserPool(messageLimits),
      writes: new WriteTurn(),
      table: buildTable(0, [], []),
      draining: false,
      droppedAnswers: 0,
    };
    this.controller = new Controller({
      clock,
      dice,
      network: upstreams.networkOf((delayMs, callback) => void clock.after(delayMs, callback)),
      log,
      dataPlane: this,
      store: kept.store,
      containers: engine.portOf(clock),
      observer: this.observer,
      connectMs,
      putWaitMs: config.putWaitMs,
      drainMs: config.timeouts.drainMs,
      tunnelDrainMs: config.timeouts.tunnelDrainMs,
    });
  }

  get budgetRefused(): number {
    return this.#budget.refused;
  }

  // ---- DataPlanePort, as `proxy/data-plane.ts` does it

  async publish(table: RoutingTable): Promise<void> {
    this.#parts.onTable(table, this.controller.state());
    const before = this.plane.table;
    this.plane.table = table;
    for (const order of table.cut) {
      if (before.cut.includes(order) || order.what !== 'exchanges') continue;
      for (const exchange of [...this.exchanges]) exchange.cutOn(order.versionId);
    }
    if (before.chain === table.chain) return;
    this.plane.rotation.keepOnly(table.chain);
    this.plane.register.prune(table);
  }

  allowRise(): Promise<void> {
    return Promise.resolve();
  }

  figures(versionId: string): Readonly<VersionFigures> | undefined {
    return this.plane.register.find(versionId);
  }

  // ---- its end

  /** Ends in order. */
  async close(): Promise<void> {
    await this.controller.close();
    await this.#kept.close();
    this.clock.die();
  }

  /** Dies as by kill -9. */
  die(): void {
    this.#parts.disk.diesAfter = 0;
    this.#parts.engine.unwatched();
    this.clock.die();
  }
}
