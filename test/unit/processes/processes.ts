/** A controller and its workers, joined by messages as between processes. A test says when messages arrive. */
import { Controller } from '../../../src/control/controller.ts';
import { Observer } from '../../../src/control/observer.ts';
import type { StorePort } from '../../../src/control/ports.ts';
import { newCounters, valuesOf } from '../../../src/core/counters.ts';
import {
  type Finding,
  noFigures,
  type Outcome,
  type OutcomeKind,
  type VersionFigures,
} from '../../../src/core/messages.ts';
import type { ReleaseState } from '../../../src/core/release/state.ts';
import { buildTable } from '../../../src/core/routing/build-table.ts';
import type { RoutingTable } from '../../../src/core/routing/table.ts';
import { Fleet } from '../../../src/processes/fleet.ts';
import type { FromWorker, ToWorker } from '../../../src/processes/messages.ts';
import { Tally, type TallyState } from '../../../src/processes/tally.ts';
import { WorkerEnd } from '../../../src/processes/worker-end.ts';
import { FakeClock, FakeContainers, FakeLog, FakeNetwork, FakeStore, settled } from '../control/fakes.ts';

/** A worker without sockets. */
export class FakeWorker {
  readonly id: number;
  table: RoutingTable = buildTable(0, [], []);
  readonly versions = new Map<string, VersionFigures>();
  readonly counters = newCounters();
  readonly end: WorkerEnd;
  /** On their way. */
  readonly down: ToWorker[] = [];
  readonly up: FromWorker[] = [];
  ready = false;

  constructor(id: number, clock: FakeClock) {
    this.id = id;
    this.end = new WorkerEnd({
      clock,
      publish: (table) => {
        this.table = table;
      },
      figures: (versionId) => this.versions.get(versionId),
      counters: () => this.counters,
      // As on a channel: what is sent is a copy.
      send: (message) => this.up.push(JSON.parse(JSON.stringify(message))),
      onReady: () => {
        this.ready = true;
      },
    });
  }

  of(versionId: string): VersionFigures {
    const known = this.versions.get(versionId) ?? noFigures(versionId);
    this.versions.set(versionId, known);
    return known;
  }

  get threshold(): number {
    return this.table.thresholds[0] ?? 0;
  }

  /** An attempt on a version of the table in force ends. */
  report(versionId: string, kind: OutcomeKind = 'answered', more: Partial<Outcome> = {}): void {
    const figures = this.of(versionId);
    figures.attempts += 1;
    figures.exchanges += 1;
    if (kind === 'answered') figures.answered += 1;
    else figures.failed += 1;
    const epoch = this.table.chain.find(({ id }) => id === versionId)?.epoch ?? -1;
    const outcome = { versionId, epoch, kind, server: '10.0.0.1:80', latencyMs: 1, direct: true, counts: true };
    this.end.outcome({ ...outcome, ...more });
  }

  find(versionId: string, kind: Finding['kind'], server = '10.0.0.2:80'): void {
    const epoch = this.table.chain.find(({ id }) => id === versionId)?.epoch ?? -1;
    const absorbed = kind === 'blamed';
    this.end.finding({ versionId, epoch, kind, cause: 'reset', server, absorbed, text: 'reset' });
  }
}

export class Processes {
  readonly clock = new FakeClock();
  readonly network = new FakeNetwork();
  readonly store: FakeStore;
  readonly workers: FakeWorker[] = [];
  readonly hung: number[] = [];
  fleet!: Fleet;
  tally!: Tally;
  /** What main has of it. */
  kept: TallyState | null = null;
  controller!: Controller;
  #drawn = 0;

  constructor(store: FakeStore = new FakeStore()) {
    this.store = store;
    this.beginControl();
  }

  /** A control process takes charge, after another one perhaps. */
  beginControl(state: ReleaseState | null = null): void {
    const observer = new Observer();
    this.tally = new Tally(this.kept ?? { sinceMs: this.clock.wallMs(), values: valuesOf(newCounters()) }, {
      clock: this.clock,
      keep: (state) => {
        this.kept = structuredClone(state);
      },
    });
    this.fleet = new Fleet({
      clock: this.clock,
      observer,
      tally: this.tally,
      send: (id, message) =>
        this.workers.find((worker) => worker.id === id)?.down.push(JSON.parse(JSON.stringify(message))),
      onHung: (id) => this.hung.push(id),
    });
    const draw = (): string => {
      this.#drawn += 1;
      return `id-${this.#drawn}`;
    };
    this.controller = new Controller({
      clock: this.clock,
      network: this.network,
      log: new FakeLog(),
      dice: { versionId: draw, clientId: draw },
      dataPlane: this.fleet,
      store: this.store as StorePort,
      containers: new FakeContainers(),
      observer,
      connectMs: 1000,
      putWaitMs: 1000,
      drainMs: 30_000,
      tunnelDrainMs: 300_000,
    });
    for (const { id } of this.workers) void this.fleet.join(id);
    if (state !== null) this.controller.restore(state);
  }

  addWorker(): FakeWorker {
    const worker = new FakeWorker(this.workers.length + 1, this.clock);
    this.workers.push(worker);
    void this.fleet.join(worker.id);
    return worker;
  }

  /** Ends a worker as `kill -9` does: what it has not sent is lost. */
  killWorker(worker: FakeWorker): void {
    this.workers.splice(this.workers.indexOf(worker), 1);
    this.fleet.leave(worker.id);
  }

  /** Delivers what is on its way, and what is sent because of it, until nothing is. */
  async carry(): Promise<void> {
    await settled();
    while (this.workers.some(({ up, down }) => up.length + down.length > 0)) {
      for (const worker of this.workers) {
        for (const message of worker.down.splice(0)) worker.end.take(message);
        for (const message of worker.up.splice(0)) this.fleet.receive(worker.id, message);
      }
      await settled();
    }
  }

  /** The same while time passes. */
  async pass(durationMs: number): Promise<void> {
    await this.carry();
    for (let passedMs = 0; passedMs < durationMs; passedMs += 1) {
      await this.clock.pass(1);
      await this.carry();
    }
  }
}
