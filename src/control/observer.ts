/**
 * What the data plane tells of its attempts, sifted: called at the end of each attempt, it counts, and passes on only what
 * moves or endangers a release. What was counted is fetched a few times a second (`meter.ts`).
 */
import type { Answers, Difference, Finding, Outcome } from '../core/messages.ts';
import { rampOf } from '../core/routing/ramp.ts';
import type { RoutingTable } from '../core/routing/table.ts';
import type { DifferenceSink, OutcomeSink } from './ports.ts';

/** The version whose threshold rises. */
interface Ramp {
  readonly id: string;
  readonly epoch: number;
}

export interface ReleaseListener {
  /** So many requests were answered directly while the threshold of `ramp` rises. */
  answered(ramp: Ramp, count: number): void;
  /** An exchange in which a version failed is decided. */
  finding(finding: Finding): void;
  /** Two answers of a CONCURRENT release were not alike. */
  difference(difference: Difference): void;
}

/** Running totals of one version in one epoch, of what counts as evidence; read and never reset. */
export interface Tally {
  readonly epoch: number;
  readonly servers: number;
  /** Answered attempts, replays among them. */
  answers: number;
  /** Attempts of the version's own exchanges (no version had failed before) that ended: and of them, those that failed. */
  requests: number;
  failures: number;
  /** Failures that it shares with an older version and that the client saw. */
  sharedSeen: number;
}

/** Made before the data plane, which reports to it; the controller says with each table what to look out for. */
export class Observer implements OutcomeSink, DifferenceSink {
  #tallies = new Map<string, Tally>();
  /** The version whose threshold rises, or null. */
  #ramp: Ramp | null = null;
  #listener: ReleaseListener | null = null;
  readonly #others: OutcomeSink[] = [];

  /** Whoever else wants to know everything: of findings, when they have been noted here. */
  alsoTell(sink: OutcomeSink): void {
    this.#others.push(sink);
  }

  outcome(outcome: Outcome): void {
    for (const other of this.#others) other.outcome(outcome);
    if (!outcome.counts) return;
    const tally = this.#tallies.get(outcome.versionId);
    if (tally === undefined || tally.epoch !== outcome.epoch) return;
    if (outcome.kind === 'answered') {
      tally.answers += 1;
      if (outcome.direct) this.#answeredDirectly(tally, 1);
    } else if (outcome.kind !== 'abandoned') {
      this.#failed(outcome, tally);
    }
  }

  answers(answers: Answers): void {
    for (const other of this.#others) other.answers(answers);
    const { versionId, epoch, count, direct, ramp } = answers;
    const tally = this.#tallies.get(versionId);
    if (tally === undefined || tally.epoch !== epoch) return;
    tally.answers += count;
    if (direct > 0) this.#answeredDirectly(tally, direct, ramp);
  }

  finding(finding: Finding): void {
    const tally = this.#tallies.get(finding.versionId);
    if (tally?.epoch === finding.epoch && finding.kind === 'shared' && !finding.absorbed) tally.sharedSeen += 1;
    this.#listener?.finding(finding);
    for (const other of this.#others) other.finding(finding);
  }

  difference(difference: Difference): void {
    this.#listener?.difference(difference);
  }

  /** What was counted of a version of the table in force. */
  tallyOf(id: string): Readonly<Tally> | undefined {
    return this.#tallies.get(id);
  }

  /** Looks out for what matters while `table` is in force. A rise of a threshold needs no new call. */
  focusOn({ chain }: RoutingTable, listener: ReleaseListener): void {
    const tallies = new Map<string, Tally>();
    for (const { id, epoch, servers } of chain) {
      const known = this.#tallies.get(id);
      const fresh = { epoch, servers: servers.length, answers: 0, requests: 0, failures: 0, sharedSeen: 0 };
      tallies.set(id, known?.epoch === epoch ? known : fresh);
    }
    this.#tallies = tallies;
    this.#ramp = rampOf(chain);
    this.#listener = listener;
  }

  /** @param ramp the epoch of the version whose threshold was being raised then, or null */
  #answeredDirectly(tally: Tally, count: number, ramp = this.#ramp?.epoch ?? null): void {
    tally.requests += count;
    if (this.#ramp !== null && this.#ramp.epoch === ramp) this.#listener?.answered(this.#ramp, count);
  }

  #failed(outcome: Outcome, tally: Tally): void {
    const unreached = outcome.kind === 'refused' || outcome.kind === 'connect-timeout';
    // Where the version has another server, that one is asked next: the exchange has not failed yet.
    if (outcome.direct && !(unreached && tally.servers > 1)) {
      tally.requests += 1;
      tally.failures += 1;
    }
  }
}
