/**
 * Asking several versions at once (mode CONCURRENT). The newest version that behaves answers: its head has come in time
 * and its status is not 5xx. While it is on trial its answer is held, so that it has also come whole, or grown over
 * `holdBytes`, or not broken for `holdMs`. An older answer that stands ready waits for a newer one at most `patience`. What
 * the others answer is read and dropped.
 *
 * To the exchange this looks like asking one version: it hears of one answer, or that all have failed.
 */
import type { FieldLines } from '../core/http/fields.ts';
import { copyRequest, type ResponseHead } from '../core/http/message.ts';
import { isServerFailure } from '../core/routing/replay.ts';
import type { Plan } from '../core/routing/table.ts';
import { Asking, type Question } from './asking.ts';
import type { Comparison } from './comparison.ts';
import type { ExchangeFailures } from './exchange-failures.ts';
import { HeldAnswer, type HeldWatcher } from './held-answer.ts';
import type { Answering, AnswerListener, Failure, TunnelEnd } from './message-level.ts';
import type { Plane } from './plane.ts';
import type { Timed } from './sweeper.ts';

interface FanOutQuestion extends Question {
  readonly listener: AnswerListener;
  readonly failures: ExchangeFailures;
}

export class FanOut implements Answering, HeldWatcher, Timed {
  /** When there is something to decide without anything having happened. */
  deadlineMs = NEVER;
  /** A fan-out begins when the request is complete and kept: nothing is left to wait for. */
  readonly connected = true;

  readonly #plane: Plane;
  readonly #listener: AnswerListener;
  readonly #failures: ExchangeFailures;
  readonly #patienceMs: number;
  /** When an older answer that stands ready has waited long enough. */
  #patienceEndsMs = NEVER;
  /** Newest first. */
  readonly #legs: readonly HeldAnswer[];
  /** Null: nothing is compared. */
  readonly #comparison: Comparison | null;
  #winner: HeldAnswer | null = null;
  #over = false;
  #lastFailure: Failure | null = null;

  constructor(plane: Plane, plan: Plan, asked: FanOutQuestion) {
    // A version may be reached after the client has its answer, and has asked for something else.
    const request = copyRequest(asked.outgoing.request);
    const question = { ...asked, outgoing: { ...asked.outgoing, request } };
    this.#plane = plane;
    this.#listener = question.listener;
    this.#failures = question.failures;
    this.#patienceMs = plan.order[0]?.patienceMs ?? 0;
    this.#legs = plan.order.slice(0, plan.legs).map((route) => {
      const asking = new Asking(plane, route, question);
      const held = new HeldAnswer(asking, {
        watcher: this,
        plane,
        ...(route.onTrial ? { bytesMax: route.holdBytes } : {}),
      });
      asking.handTo(held);
      return held;
    });
    const askings = this.#legs.map((leg) => leg.asking);
    this.#comparison = plane.comparisons.begin(plane, askings, question);
    plane.sweeper.add(this);
  }

  begin(): void {
    for (const leg of this.#legs) leg.asking.begin();
    this.#comparison?.begin();
  }

  /** The version whose answer is given, once that is decided. */
  get winner(): Asking | null {
    return this.#winner?.asking ?? null;
  }

  /** After all have failed: the answer to give when no further version answers, the newest first. */
  keptAnswer(): HeldAnswer | null {
    return this.#legs.find((leg) => leg.status !== 0 && !leg.failed) ?? null;
  }

  /** Lets go of every answer that was not given to the client. */
  dropKept(): void {
    for (const leg of this.#legs) {
      if (leg !== this.#winner) leg.drop();
    }
  }

  // ---- Answering

  body(): boolean {
    return true;
  }

  end(_trailers: FieldLines | null): void {}

  flush(): void {}

  pause(): void {
    this.#winner?.asking.pause();
  }

  resume(): void {
    this.#winner?.asking.resume();
  }

  abandon(): void {
    this.#close();
    for (const leg of this.#legs) leg.abandon();
    this.#comparison?.abandon();
  }

  upgrade(): TunnelEnd {
    throw new Error('A request that offers an upgrade is never sent to several versions');
  }

  onDeadline(): void {
    this.#decide();
  }

  // ---- HeldWatcher

  heldInterim(held: HeldAnswer, head: ResponseHead): void {
    if (!this.#over && this.#winner === null && held === this.#legs[0]) this.#listener.answerInterim(head);
  }

  heldHead(held: HeldAnswer): void {
    if (isServerFailure(held.status)) this.#failures.add(held.asking, 'server-error', `status ${held.status}`);
    this.#decide();
  }

  heldFailed(held: HeldAnswer, failure: Failure): void {
    this.#lastFailure = worse(this.#lastFailure, failure);
    if (!isServerFailure(held.status)) this.#failures.add(held.asking, failure.kind, failure.text);
    if (held !== this.#winner) this.#decide();
  }

  heldFull(): void {
    this.#decide();
  }

  heldEnded(): void {
    this.#decide();
  }

  /** The newest leg that is not out of the running decides, once it has shown what it is. */
  #decide(): void {
    if (this.#winner !== null || this.#over) return;
    const nowMs = this.#plane.clock.nowMs();
    const newest = this.#legs.find((leg) => !isOut(leg));
    if (newest === undefined) {
      this.#close();
      this.#listener.answerFailed(this.#lastFailure ?? SERVER_ERRORS);
      return;
    }
    const ready = this.#legs.find((leg) => nowMs >= readyMs(leg));
    if (ready !== undefined && this.#patienceEndsMs === NEVER) this.#patienceEndsMs = nowMs + this.#patienceMs;
    if (ready !== undefined && (ready === newest || nowMs >= this.#patienceEndsMs)) this.#win(ready);
    else this.deadlineMs = Math.min(this.#patienceEndsMs, ...this.#legs.map(readyMs).filter((atMs) => atMs > nowMs));
  }

  #win(winner: HeldAnswer): void {
    this.#close();
    this.#winner = winner;
    this.dropKept();
    winner.releaseTo(this.#listener);
  }

  #close(): void {
    this.#over = true;
    this.#plane.sweeper.delete(this);
  }
}

const NEVER = Number.POSITIVE_INFINITY;

const SERVER_ERRORS: Failure = {
  kind: 'malformed',
  phase: 'sent',
  stale: false,
  text: 'Every version asked answered with a server error',
};

/** From when on this leg's answer may be given, as far as is known: a version on trial has its answer held. */
function readyMs(leg: HeldAnswer): number {
  if (isOut(leg) || leg.status === 0) return NEVER;
  const { onTrial, holdMs } = leg.asking.route;
  return onTrial && !leg.complete ? leg.headMs + holdMs : leg.headMs;
}

function isOut(leg: HeldAnswer): boolean {
  return leg.failed || (leg.status !== 0 && isServerFailure(leg.status));
}

/** Of two failures the one that had come further: it says more about what the client may be told. */
function worse(known: Failure | null, failure: Failure): Failure {
  if (known === null || known.phase === 'unsent') return failure;
  return known.kind === 'response-timeout' ? known : failure.phase === 'unsent' ? known : failure;
}
