/**
 * What a worker tells control. Answers are added up and sent in batches: every 100 ms, and within a few milliseconds when they may
 * change a decision, which a failure may and, while a threshold rises, answers may. While no control is there they wait.
 */
import type { Counters } from '../core/counters.ts';
import type { Difference, Finding, Outcome, VersionFigures } from '../core/messages.ts';
import { mayShow } from '../core/release/ramp.ts';
import { rampOf } from '../core/routing/ramp.ts';
import type { Route, RoutingTable } from '../core/routing/table.ts';
import type { Clock } from '../system/clock.ts';
import { CounterGrowth } from './counter-growth.ts';
import { growthOf } from './figures-growth.ts';
import type { FiguresGrowth, Report, ReportEntry } from './messages.ts';
import type { OwnRise } from './own-rise.ts';

export interface ReporterParts {
  readonly clock: Clock;
  readonly rise: OwnRise;
  /** The table in force. */
  readonly table: () => RoutingTable;
  readonly figures: (versionId: string) => Readonly<VersionFigures> | undefined;
  readonly counters: () => Readonly<Counters>;
  readonly send: (report: Report) => void;
  /** An answer may raise the threshold of this version of the table in force. */
  readonly onRise: (ramp: Route) => void;
}

const PERIOD_MS = 100;
const SOON_MS = 1;
/** Answers while a threshold rises. */
const RAMP_MS = 4;
/** Failures and differences that wait for a control; further ones are not told. */
const ENTRIES_MAX = 10_000;

/** Answers of one version since the last failure. */
interface Answered {
  readonly versionId: string;
  readonly epoch: number;
  count: number;
  direct: number;
  latencyMs: number;
  readonly servers: Set<string>;
  lastServer: string;
}

export class Reporter {
  readonly #parts: ReporterParts;
  readonly #stop: () => void;
  #cancelSoon: (() => void) | null = null;
  /** The delay that it was set for. */
  #soonMs = 0;
  #entries: ReportEntry[] = [];
  /** By version id. */
  readonly #answered = new Map<string, Answered>();
  #last: Answered | null = null;
  /** What was told of each version. */
  readonly #told = new Map<string, VersionFigures>();
  readonly #counters = new CounterGrowth();
  /** Of the events since the last report, those that `OwnRise` counts. */
  #untold = 0;
  #quiet = true;

  constructor(parts: ReporterParts) {
    this.#parts = parts;
    this.#stop = parts.clock.every(PERIOD_MS, () => this.flush());
  }

  // ---- what the data plane tells

  outcome(outcome: Outcome): void {
    if (outcome.kind !== 'answered') {
      this.#add({ kind: 'outcome', outcome, count: 1 });
      if (outcome.kind !== 'abandoned') this.#soon();
      return;
    }
    if (!outcome.counts) return;
    this.#addAnswer(outcome);
    if (!outcome.direct) return;
    const table = this.#parts.table();
    const ramp = rampOf(table.chain);
    if (ramp === null || !isIn(table, outcome)) return;
    this.#untold += 1;
    this.#parts.rise.answered();
    this.#parts.onRise(ramp);
    if (mayShow(ramp.percentagePerRequest, this.#untold)) this.#soon(RAMP_MS);
  }

  finding(finding: Finding): void {
    this.#untold += 1;
    this.#parts.rise.found();
    this.#add({ kind: 'finding', finding });
    this.#soon();
  }

  difference(difference: Difference): void {
    this.#add({ kind: 'difference', difference });
    this.#soon();
  }

  // ---- when it is sent

  /** A control is there that knows nothing of what was told before. */
  begin(): void {
    this.#quiet = false;
    this.#parts.rise.restart(this.#untold);
  }

  /** Nothing is sent until the next control begins. */
  hush(): void {
    this.flush();
    this.#quiet = true;
  }

  /** Sends what there is. Called before the table changes: what has happened by then belongs to the table before. */
  flush(): void {
    this.#settle();
    if (this.#quiet) return;
    this.#cancelSoon?.();
    this.#cancelSoon = null;
    const figures = this.#growth();
    const counters = this.#counters.take(this.#parts.counters());
    if (figures.length === 0 && this.#entries.length === 0 && counters === null) return;
    const entries = this.#entries;
    this.#entries = [];
    this.#untold = 0;
    const { events } = this.#parts.rise;
    this.#parts.send({ kind: 'report', figures, counters: counters ?? {}, entries, events });
  }

  close(): void {
    this.flush();
    this.#stop();
    this.#cancelSoon?.();
  }

  #soon(delayMs: number = SOON_MS): void {
    if (this.#cancelSoon !== null && delayMs >= this.#soonMs) return;
    this.#cancelSoon?.();
    this.#soonMs = delayMs;
    this.#cancelSoon = this.#parts.clock.after(delayMs, () => this.flush());
  }

  // ---- adding up

  #addAnswer(outcome: Outcome): void {
    let answered = this.#last;
    if (answered === null || !isOf(answered, outcome)) answered = this.#answeredBy(outcome);
    answered.count += 1;
    if (outcome.direct) answered.direct += 1;
    answered.latencyMs += outcome.latencyMs;
    if (answered.lastServer === outcome.server) return;
    answered.lastServer = outcome.server;
    answered.servers.add(outcome.server);
  }

  #answeredBy(outcome: Outcome): Answered {
    const { versionId, epoch } = outcome;
    let answered = this.#answered.get(versionId);
    if (answered === undefined || !isOf(answered, outcome)) {
      if (answered !== undefined) this.#settle();
      answered = { versionId, epoch, count: 0, direct: 0, latencyMs: 0, servers: new Set(), lastServer: '' };
      this.#answered.set(versionId, answered);
    }
    this.#last = answered;
    return answered;
  }

  #add(entry: ReportEntry): void {
    this.#settle();
    const last = this.#entries.at(-1);
    if (entry.kind === 'outcome' && last?.kind === 'outcome' && isSame(last.outcome, entry.outcome)) {
      this.#entries[this.#entries.length - 1] = { ...last, count: last.count + 1 };
    } else if (this.#entries.length < ENTRIES_MAX) {
      this.#entries.push(entry);
    }
  }

  /** What comes from now on does not come before what has come until now. */
  #settle(): void {
    if (this.#answered.size === 0) return;
    const ramp = rampOf(this.#parts.table().chain)?.epoch ?? null;
    for (const { versionId, epoch, count, direct, latencyMs: sumMs, servers } of this.#answered.values()) {
      const answers = { versionId, epoch, count, direct, servers: [...servers], latencyMs: sumMs / count, ramp };
      this.#entries.push({ kind: 'answers', answers });
    }
    this.#answered.clear();
    this.#last = null;
  }

  /** Of the versions of the table, and of those that have left and still have something in flight. */
  #growth(): FiguresGrowth[] {
    const grown: FiguresGrowth[] = [];
    const ids = new Set([...this.#told.keys(), ...this.#parts.table().chain.map(({ id }) => id)]);
    for (const id of ids) {
      const now = this.#parts.figures(id);
      if (now === undefined) {
        this.#told.delete(id);
        continue;
      }
      const growth = growthOf(now, this.#told.get(id));
      if (growth === null) continue;
      this.#told.set(id, { ...now });
      grown.push(growth);
    }
    return grown;
  }
}

function isOf(answered: Answered, outcome: Outcome): boolean {
  return answered.versionId === outcome.versionId && answered.epoch === outcome.epoch;
}

function isSame(a: Outcome, b: Outcome): boolean {
  const sameServer = a.versionId === b.versionId && a.server === b.server && a.epoch === b.epoch;
  return sameServer && a.kind === b.kind && a.direct === b.direct && a.counts === b.counts;
}

function isIn({ places, chain }: RoutingTable, { versionId, epoch }: Outcome): boolean {
  return chain[places.get(versionId) ?? -1]?.epoch === epoch;
}
