/**
 * The failures of one exchange, gathered until it is decided and then told to the control plane: for each version on
 * trial what was proved, and in the figures of each version what was absorbed.
 */
import type { OutcomeKind } from '../core/messages.ts';
import { findingKind, type VersionFailure } from '../core/routing/blame.ts';
import type { Route, RoutingTable } from '../core/routing/table.ts';
import type { Asking } from './asking.ts';
import type { Plane } from './plane.ts';

export class ExchangeFailures {
  readonly #plane: Plane;
  readonly #table: RoutingTable;
  readonly #counts: boolean;
  readonly #failures: VersionFailure[] = [];
  #decided = false;
  #answeredRank: number | null = null;

  /** @param counts false for paths that are no evidence */
  constructor(plane: Plane, table: RoutingTable, counts: boolean) {
    this.#plane = plane;
    this.#table = table;
    this.#counts = counts;
  }

  get count(): number {
    return this.#failures.length;
  }

  /** The server on which a version has failed this exchange, or null. */
  serverOf(route: Route): string | null {
    return this.#failures.find((failure) => failure.route === route)?.server ?? null;
  }

  /** A version has failed this exchange; after the decision this is told at once (a dropped answer that fails late). */
  add(asking: Asking, cause: OutcomeKind, text: string): void {
    const { route, serverKey: server } = asking;
    const failure = { route, rank: this.#table.chain.indexOf(route), cause, server, text };
    this.#failures.push(failure);
    if (this.#decided) this.#tell(failure);
  }

  /** The client has left. Only having waited long for the first byte of a version on trial counts against that version. */
  addAbandoned(asking: Asking): void {
    if (!asking.route.onTrial || asking.waitedMs < this.#plane.config.timeouts.abandonAfterMs) return;
    this.add(asking, 'abandoned', 'the client left before the first byte of an answer');
  }

  /** The client gets this version's answer; null: it gets an error, or nothing. Only the first decision counts. */
  decide(answered: Route | null): void {
    if (this.#decided) return;
    this.#decided = true;
    this.#answeredRank = answered === null ? null : this.#table.chain.indexOf(answered);
    for (const failure of this.#failures) this.#tell(failure);
  }

  #tell(failure: VersionFailure): void {
    const { route, cause, server, text } = failure;
    const absorbed = this.#answeredRank !== null && this.#answeredRank !== failure.rank;
    if (absorbed) this.#plane.register.of(route.id).absorbed += 1;
    if (!route.onTrial || !this.#counts || cause === 'exhausted') return;
    const kind = findingKind(failure, this.#failures, this.#answeredRank);
    this.#plane.sink.finding({ versionId: route.id, epoch: route.epoch, kind, cause, server, absorbed, text });
  }
}
