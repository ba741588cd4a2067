/**
 * What a worker tells control. Outcomes are added up and sent in batches: every 100 ms, and within a few milliseconds when they may
 * change a decision, which a failure may and, while a threshold rises, each answer. While no control is there they wait.
 */
import type { Counters } from '../core/counters.ts';
import type { Difference, Finding, Outcome, VersionFigures } from '../core/messages.ts';
import { rampOf } from '../core/routing/ramp.ts';
import type { RoutingTable } from '../core/routing/table.ts';
import type { Clock } from '../system/clock.ts';
import { CounterGrowth } from './counter-growth.ts';
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
  /** An answer may raise the threshold of the table in force. */
  readonly onRise: () => void;
}

const PERIOD_MS = 100;
const SOON_MS = 1;
/** An answer while a threshold rises. */
const RAMP_MS = 4;
/** Failures and differences that wait for a control; further ones are not told. */
const ENTRIES_MAX = 10_000;

/** Answers of one version by one server since the last failure. `counts` by `flagsOf`. */
interface Answers {
  readonly outcome: Outcome;
  readonly counts: [number, number, number, number];
  latencyMs: number;
}

export class Reporter {
  readonly #parts: ReporterParts;
  readonly #stop: () => void;
  #cancelSoon: (() => void) | null = null;
  /** The delay that it was set for. */
  #soonMs = 0;
  #entries: ReportEntry[] = [];
  #answers: Answers[] = [];
  #last: Answers | null = null;
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
      this.#add({ kind: 'outcome', outcome, count: 1, ramp: null });
      if (outcome.kind !== 'abandoned') this.#soon();
      return;
    }
    this.#addAnswer(outcome);
    if (!outcome.direct || !outcome.counts) return;
    const { chain } = this.#parts.table();
    if (rampOf(chain) === null) return;
    if (!chain.some(({ id, epoch }) => id === outcome.versionId && epoch === outcome.epoch)) return;
    this.#untold += 1;
    this.#parts.rise.answered();
    this.#parts.onRise();
    this.#soon(RAMP_MS);
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
    const { versionId, server, epoch } = outcome;
    let answers = this.#last;
    if (answers === null || !isAlike(answers.outcome, outcome)) {
      answers = this.#answers.find((other) => isAlike(other.outcome, outcome)) ?? null;
    }
    if (answers === null) {
      const alike = { versionId, epoch, kind: 'answered', server, latencyMs: 0, direct: true, counts: true } as const;
      answers = { outcome: alike, counts: [0, 0, 0, 0], latencyMs: 0 };
      this.#answers.push(answers);
    }
    this.#last = answers;
    answers.counts[flagsOf(outcome)] += 1;
    answers.latencyMs += outcome.latencyMs;
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
    if (this.#answers.length === 0) return;
    const ramp = rampOf(this.#parts.table().chain)?.epoch ?? null;
    for (const { outcome, counts, latencyMs } of this.#answers) {
      const meanMs = latencyMs / counts.reduce((sum, count) => sum + count, 0);
      for (const [flags, count] of counts.entries()) {
        if (count === 0) continue;
        const entry = { ...outcome, latencyMs: meanMs, direct: (flags & DIRECT) !== 0, counts: (flags & COUNTS) !== 0 };
        this.#entries.push({ kind: 'outcome', outcome: entry, count, ramp });
      }
    }
    this.#answers = [];
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
      const before = this.#told.get(id);
      const growth = growthOf(now, before);
      if (growth === null) continue;
      this.#told.set(id, { ...now });
      grown.push(growth);
    }
    return grown;
  }
}

const DIRECT = 1;
const COUNTS = 2;

function flagsOf(outcome: Outcome): 0 | 1 | 2 | 3 {
  if (outcome.counts) return outcome.direct ? 3 : 2;
  return outcome.direct ? 1 : 0;
}

function isAlike(a: Outcome, b: Outcome): boolean {
  return a.versionId === b.versionId && a.server === b.server && a.epoch === b.epoch;
}

function isSame(a: Outcome, b: Outcome): boolean {
  return isAlike(a, b) && a.kind === b.kind && a.direct === b.direct && a.counts === b.counts;
}

/** Null when nothing has changed. A version that left and came back is counted from zero again. */
function growthOf(now: Readonly<VersionFigures>, before: VersionFigures | undefined): FiguresGrowth | null {
  let changed = before === undefined;
  const growth = { ...now };
  for (const key of Object.keys(now) as (keyof VersionFigures)[]) {
    if (key === 'versionId') continue;
    const last = before?.[key] ?? 0;
    if (now[key] !== last) changed = true;
    if (key === 'inFlight' || key === 'tunnels') continue;
    growth[key] = now[key] < last ? now[key] : now[key] - last;
  }
  return changed ? growth : null;
}
