/**
 * The workers as control sees them: one data plane. A table is in force once each of them has acknowledged it, or is gone; what they
 * report is told to the observer as it would be in one process.
 */
import type { DataPlanePort, DifferenceSink, OutcomeSink } from '../control/ports.ts';
import type { VersionFigures } from '../core/messages.ts';
import type { Rise } from '../core/release/rise.ts';
import { buildTable } from '../core/routing/build-table.ts';
import type { RoutingTable } from '../core/routing/table.ts';
import type { Clock } from '../system/clock.ts';
import type { FromWorker, Report, ToWorker, WorkerId } from './messages.ts';
import { Mirror } from './mirror.ts';
import type { Tally } from './tally.ts';

export interface FleetParts {
  readonly clock: Clock;
  readonly observer: OutcomeSink & DifferenceSink;
  readonly tally: Pick<Tally, 'add'>;
  readonly send: (worker: WorkerId, message: ToWorker) => void;
  /** The worker does not acknowledge. Called once at most; `leave` is expected to follow. */
  readonly onHung: (worker: WorkerId) => void;
}

interface Worker {
  readonly id: WorkerId;
  /** By number: what waits for the acknowledgement. */
  readonly waiting: Map<number, () => void>;
  /** `waits`: another one has to stop raising a threshold first. `greeted`: it reports to this control. */
  stage: 'waits' | 'joined' | 'greeted';
  /** Of the events it counts (`Report.events`), those that have been told to the observer. */
  seen: number;
}

/** A worker that needs longer has stopped working. */
const ACKNOWLEDGE_MS = 30_000;
/** More than are sent in a millisecond. */
const NUMBERS_MS = 1000;
const AT_ONCE: Promise<void> = Promise.resolve();
const NOTHING: RoutingTable = buildTable(0, [], []);

export class Fleet implements DataPlanePort {
  readonly #parts: FleetParts;
  readonly #workers = new Map<WorkerId, Worker>();
  readonly #mirror = new Mirror();
  #table: RoutingTable | null = null;
  #rise: Rise | null = null;
  #number: number;
  #rampIsDue = false;

  constructor(parts: FleetParts) {
    this.#parts = parts;
    // What a control before this one has sent may be acknowledged yet: its numbers are others.
    this.#number = Math.floor(parts.clock.wallMs()) * NUMBERS_MS;
  }

  /** A worker gets the table in force, or the first one when there is one. */
  async join(id: WorkerId): Promise<void> {
    const worker: Worker = { id, waiting: new Map(), stage: 'waits', seen: 0 };
    this.#workers.set(id, worker);
    // One that raises a threshold by itself must have stopped before another one routes by it.
    if (this.#rise !== null) await this.#sendRamp();
    if (this.#workers.get(id) !== worker) return;
    worker.stage = 'joined';
    if (this.#table === null) return;
    await this.#sendTable(worker, this.#table);
    this.#sendRampSoon();
  }

  leave(id: WorkerId): void {
    const worker = this.#workers.get(id);
    if (worker === undefined) return;
    this.#workers.delete(id);
    this.#mirror.forget(id);
    for (const acknowledged of worker.waiting.values()) acknowledged();
    if (this.#rise !== null) this.#sendRampSoon();
  }

  receive(id: WorkerId, message: FromWorker): void {
    const worker = this.#workers.get(id);
    if (worker === undefined) return;
    if (message.kind === 'report') this.#take(worker, message);
    else worker.waiting.get(message.number)?.();
  }

  /** Where nothing serves yet, workers open their port with a table that says so. */
  async begin(): Promise<void> {
    if (this.#table === null) await this.publish(NOTHING);
  }

  // ---- DataPlanePort

  async publish(table: RoutingTable): Promise<void> {
    const before = this.#table;
    this.#table = table;
    if (before !== null && before.chain === table.chain && before.cut === table.cut) {
      // A threshold: many a second, of which the last is enough.
      this.#sendRampSoon();
      return;
    }
    const workers = [...this.#workers.values()].filter(({ stage }) => stage !== 'waits');
    await Promise.all(workers.map((worker) => this.#sendTable(worker, table)));
    if (this.#table === table) this.#mirror.prune(table);
  }

  figures(versionId: string): Readonly<VersionFigures> | undefined {
    return this.#mirror.find(versionId);
  }

  async allowRise(rise: Rise | null): Promise<void> {
    const before = this.#rise;
    this.#rise = rise;
    if (rise?.versionId === before?.versionId && rise?.epoch === before?.epoch) this.#sendRampSoon();
    else await this.#sendRamp();
  }

  // ---- up

  #take(worker: Worker, { figures, counters, entries, events }: Report): void {
    const { observer, tally } = this.#parts;
    tally.add(counters);
    for (const growth of figures) this.#mirror.add(worker.id, growth);
    for (const entry of entries) {
      switch (entry.kind) {
        case 'answers':
          observer.answers(entry.answers);
          break;
        case 'outcome':
          for (let n = 0; n < entry.count; n += 1) observer.outcome(entry.outcome);
          break;
        case 'finding':
          observer.finding(entry.finding);
          break;
        case 'difference':
          observer.difference(entry.difference);
          break;
      }
    }
    worker.seen = events;
    if (this.#rise !== null) this.#sendRampSoon();
  }

  // ---- down

  #greeted(): readonly Worker[] {
    return [...this.#workers.values()].filter(({ stage }) => stage === 'greeted');
  }

  /** What changes within one turn is sent once, and nobody waits for it. */
  #sendRampSoon(): void {
    if (this.#rampIsDue) return;
    this.#rampIsDue = true;
    void AT_ONCE.then(() => {
      if (!this.#rampIsDue) return;
      this.#rampIsDue = false;
      for (const worker of this.#greeted()) this.#parts.send(worker.id, this.#rampFor(worker, null));
    });
  }

  /** The same at once, and acknowledged. */
  async #sendRamp(): Promise<void> {
    this.#rampIsDue = false;
    await Promise.all(
      this.#greeted().map((worker) => this.#acknowledged(worker, (number) => this.#rampFor(worker, number))),
    );
  }

  #rampFor(worker: Worker, number: number | null): ToWorker {
    const alone = this.#workers.size === 1;
    const rise = alone && this.#rise !== null ? { ...this.#rise, seen: worker.seen } : null;
    return { kind: 'ramp', number, thresholds: this.#table?.thresholds ?? [], rise };
  }

  /** The first one comes with the greeting: what a worker reports can be told to nobody before there is a table. */
  #sendTable(worker: Worker, { chain: routes, thresholds, cut }: RoutingTable): Promise<void> {
    if (worker.stage !== 'greeted') this.#parts.send(worker.id, { kind: 'hello' });
    worker.stage = 'greeted';
    return this.#acknowledged(worker, (number) => ({ kind: 'table', number, routes, thresholds, cut }));
  }

  /** Resolves when the worker has acknowledged, or is gone. */
  #acknowledged(worker: Worker, message: (number: number) => ToWorker): Promise<void> {
    this.#number += 1;
    const number = this.#number;
    return new Promise((resolve) => {
      const giveUp = this.#parts.clock.after(ACKNOWLEDGE_MS, () => this.#parts.onHung(worker.id));
      worker.waiting.set(number, () => {
        worker.waiting.delete(number);
        giveUp();
        resolve();
      });
      this.#parts.send(worker.id, message(number));
    });
  }
}
