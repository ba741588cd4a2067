/**
 * Reads what the data plane and the observer have counted, and tells the release machine how much it grew: for a version on
 * trial its answers and figures and what the older version does meanwhile, for the others what they serve.
 */
import type { Served } from '../core/release/baseline.ts';
import type { MeasuredEvent, ServedEvent } from '../core/release/events.ts';
import { type ReleaseState, serves, type VersionState } from '../core/release/state.ts';
import { olderThan } from '../core/release/trial.ts';
import type { Observer } from './observer.ts';
import type { DataPlanePort } from './ports.ts';

/** Everything that is counted of one version; running totals, or how much they grew. */
interface Reading {
  readonly exchanges: number;
  readonly replays: number;
  readonly absorbed: number;
  readonly notReplayable: number;
  readonly budgetRefused: number;
  readonly answered: number;
  readonly failed: number;
  /** These four as in `Tally`. */
  readonly answers: number;
  readonly requests: number;
  readonly failures: number;
  readonly sharedSeen: number;
}

/** What was read last for a version and, while it is on trial, of the older ones. */
interface Mark {
  readonly epoch: number;
  own: Reading;
  readonly older: Map<string, Reading>;
}

export class Meter {
  readonly #dataPlane: DataPlanePort;
  readonly #observer: Observer;
  readonly #marks = new Map<string, Mark>();

  constructor(dataPlane: DataPlanePort, observer: Observer) {
    this.#dataPlane = dataPlane;
    this.#observer = observer;
  }

  /** Where counting begins for versions that are new in this state: called before they can take traffic. */
  begin({ versions }: ReleaseState): void {
    for (const version of versions) {
      if (!isCounted(version)) this.#marks.delete(version.id);
      else if (this.#marks.get(version.id)?.epoch !== version.epoch) this.#mark(versions, version);
    }
    if (this.#marks.size > versions.length) {
      for (const id of this.#marks.keys()) if (!versions.some((version) => version.id === id)) this.#marks.delete(id);
    }
  }

  /** What has grown since the last call, of one version or of all. */
  read({ versions }: ReleaseState, atMs: number, only?: string): readonly (MeasuredEvent | ServedEvent)[] {
    const events: (MeasuredEvent | ServedEvent)[] = [];
    for (const version of versions) {
      const mark = only === undefined || only === version.id ? this.#marks.get(version.id) : undefined;
      if (mark === undefined || mark.epoch !== version.epoch) continue;
      const event =
        version.trial === null && version.exit === null
          ? this.#served(version, mark, atMs)
          : this.#measured(versions, version, { mark, atMs });
      if (event !== null) events.push(event);
    }
    return events;
  }

  #served({ id, epoch }: VersionState, mark: Mark, atMs: number): ServedEvent | null {
    const now = this.#readingOf(id);
    const served = servedIn(growth(now, mark.own), 0);
    mark.own = now;
    return served.requests === 0 ? null : { kind: 'served', id, epoch, atMs, ...served };
  }

  #measured(
    versions: readonly VersionState[],
    version: VersionState,
    { mark, atMs }: { readonly mark: Mark; readonly atMs: number },
  ): MeasuredEvent | null {
    const { id, epoch } = version;
    const now = this.#readingOf(id);
    const grown = growth(now, mark.own);
    mark.own = now;
    const { older, olderAnswers } = this.#readOlder(versions, version, { mark, sharedSeen: grown.sharedSeen });
    const { exchanges: requests, replays, absorbed, notReplayable, budgetRefused } = grown;
    const figures = { requests, replays, absorbed, notReplayable, budgetRefused };
    const waits = version.trial?.verdict.kind === 'guilty';
    if (!waits && older === null && grown.answers === 0 && Object.values(figures).every((count) => count === 0)) {
      return null;
    }
    return { kind: 'measured', id, epoch, atMs, answers: grown.answers, figures, older, olderAnswers };
  }

  /** What the next older version served meanwhile, and whether any older one answered anybody. */
  #readOlder(
    versions: readonly VersionState[],
    version: VersionState,
    { mark, sharedSeen }: { readonly mark: Mark; readonly sharedSeen: number },
  ): Pick<MeasuredEvent, 'older' | 'olderAnswers'> {
    let older: MeasuredEvent['older'] = null;
    let olderAnswers: string | null = null;
    for (const [index, { id }] of olderThan(versions, version).entries()) {
      const now = this.#readingOf(id);
      const grown = growth(now, mark.older.get(id) ?? now);
      mark.older.set(id, now);
      if (grown.answered > 0) olderAnswers ??= id;
      if (index === 0 && grown.requests > 0) older = { id, ...servedIn(grown, sharedSeen) };
    }
    return { older, olderAnswers };
  }

  #mark(versions: readonly VersionState[], version: VersionState): void {
    const older = new Map(olderThan(versions, version).map(({ id }) => [id, this.#readingOf(id)]));
    this.#marks.set(version.id, { epoch: version.epoch, own: this.#readingOf(version.id, version.epoch), older });
  }

  /** @param epoch when given, a tally of another epoch counts for nothing: it is about to be begun anew */
  #readingOf(id: string, epoch?: number): Reading {
    const figures = this.#dataPlane.figures(id) ?? NOTHING;
    const known = this.#observer.tallyOf(id);
    const tally = known !== undefined && (epoch === undefined || known.epoch === epoch) ? known : NOTHING;
    const { exchanges, replays, absorbed, notReplayable, budgetRefused, answered, failed } = figures;
    const { answers, requests, failures, sharedSeen } = tally;
    return {
      exchanges,
      replays,
      absorbed,
      notReplayable,
      budgetRefused,
      answered,
      failed,
      answers,
      requests,
      failures,
      sharedSeen,
    };
  }
}

const NOTHING: Reading = {
  exchanges: 0,
  replays: 0,
  absorbed: 0,
  notReplayable: 0,
  budgetRefused: 0,
  answered: 0,
  failed: 0,
  answers: 0,
  requests: 0,
  failures: 0,
  sharedSeen: 0,
};

/** Versions that serve, and those that have left and still drain. */
function isCounted(version: VersionState): boolean {
  return serves(version) || (version.exit !== null && !version.exit.over);
}

/** Each field by its name, not in a loop: with many releases under way this is asked thousands of times a second. */
function growth(now: Reading, before: Reading): Reading {
  return {
    exchanges: grown(now.exchanges, before.exchanges),
    replays: grown(now.replays, before.replays),
    absorbed: grown(now.absorbed, before.absorbed),
    notReplayable: grown(now.notReplayable, before.notReplayable),
    budgetRefused: grown(now.budgetRefused, before.budgetRefused),
    answered: grown(now.answered, before.answered),
    failed: grown(now.failed, before.failed),
    answers: grown(now.answers, before.answers),
    requests: grown(now.requests, before.requests),
    failures: grown(now.failures, before.failures),
    sharedSeen: grown(now.sharedSeen, before.sharedSeen),
  };
}

/** A total that is smaller than before was begun anew. */
function grown(total: number, before: number): number {
  return total < before ? total : total - before;
}

/**
 * Of the failures that the client saw, those that are shared with a newer version were that one's requests.
 * @param sharedSeen of the newer version
 */
function servedIn({ requests, failures, failed, absorbed }: Reading, sharedSeen: number): Served {
  const seen = Math.max(0, failed - absorbed - sharedSeen);
  return { requests, failures, unpaired: Math.min(failures, seen) };
}
