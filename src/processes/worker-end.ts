/**
 * A worker's end of what goes between the planes: puts control's tables in force and acknowledges them, reports what the data plane
 * shows, and raises a threshold by itself as far as it may.
 */
import type { Counters } from '../core/counters.ts';
import type { Difference, Finding, Outcome, VersionFigures } from '../core/messages.ts';
import { hundredthOf } from '../core/release/ramp.ts';
import { rampOf } from '../core/routing/ramp.ts';
import type { Route, RoutingTable } from '../core/routing/table.ts';
import type { Clock } from '../system/clock.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { OwnRise } from './own-rise.ts';
import { Reporter } from './reporter.ts';
import { TableReader } from './table-reader.ts';

export interface WorkerEndParts {
  readonly clock: Clock;
  readonly publish: (table: RoutingTable) => void;
  readonly figures: (versionId: string) => Readonly<VersionFigures> | undefined;
  readonly counters: () => Readonly<Counters>;
  readonly send: (message: FromWorker) => void;
  /** A table is in force for the first time; control is in charge then, and knows of nothing else that would serve. */
  readonly onReady: () => void;
}

export class WorkerEnd {
  readonly #parts: WorkerEndParts;
  readonly #tables = new TableReader();
  readonly #rise = new OwnRise();
  readonly #reporter: Reporter;
  #isReady = false;

  constructor(parts: WorkerEndParts) {
    this.#parts = parts;
    this.#reporter = new Reporter({
      clock: parts.clock,
      rise: this.#rise,
      table: () => this.#tables.table,
      figures: parts.figures,
      counters: parts.counters,
      send: parts.send,
      onRise: (ramp) => this.#raise(ramp),
    });
  }

  // ---- from the data plane

  outcome(outcome: Outcome): void {
    this.#reporter.outcome(outcome);
  }

  finding(finding: Finding): void {
    this.#reporter.finding(finding);
  }

  difference(difference: Difference): void {
    this.#reporter.difference(difference);
  }

  // ---- from control

  take(message: ToWorker): void {
    switch (message.kind) {
      case 'hello':
        this.#reporter.begin();
        break;
      case 'table':
        // What the plane forgets with the table has to be told before.
        this.#reporter.flush();
        this.#parts.publish(this.#tables.read(message));
        this.#acknowledge(message.number);
        break;
      case 'ramp':
        this.#rise.grant(message.rise);
        this.#parts.publish(this.#tables.raise(message.thresholds));
        this.#raise(rampOf(this.#tables.table.chain));
        if (message.number !== null) this.#acknowledge(message.number);
        break;
    }
  }

  // ---- from main

  /** Reports wait for the next control; all until now have been sent. */
  hush(): void {
    this.#reporter.hush();
  }

  /** Sends what was counted last. */
  close(): void {
    this.#reporter.close();
  }

  /** What is in flight is told before: after the acknowledgement nothing is added to a version that has left. */
  #acknowledge(number: number): void {
    this.#reporter.flush();
    this.#parts.send({ kind: 'acknowledged', number });
    if (this.#isReady) return;
    this.#isReady = true;
    this.#parts.onReady();
  }

  /** Puts the threshold in force that the answers until now make, if this worker may and it makes a difference to anybody. */
  #raise(ramp: Route | null): void {
    const threshold = ramp === null ? null : this.#rise.thresholdOf(ramp);
    if (threshold === null || hundredthOf(threshold) <= hundredthOf(this.#tables.table.thresholds[0] ?? 0)) return;
    this.#parts.publish(this.#tables.raise([threshold]));
  }
}
