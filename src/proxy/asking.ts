/**
 * Asking one version: an attempt on one of its servers, and on others of them while nothing has reached a server yet.
 * What came of each attempt is counted, reported upward and logged here; whether another version is asked is not.
 */
import type { FieldLines } from '../core/http/fields.ts';
import type { ResponseHead } from '../core/http/message.ts';
import type { OutcomeKind, VersionFigures } from '../core/messages.ts';
import type { Route, Server } from '../core/routing/table.ts';
import { logAttempt, logFailure } from './attempt-log.ts';
import type { KeptBody } from './kept-body.ts';
import type {
  Answering,
  AnswerListener,
  Attempt,
  AttemptListener,
  Failure,
  OutgoingRequest,
  TunnelEnd,
} from './message-level.ts';
import type { Plane } from './plane.ts';
import type { Freshness } from './upstream-pool.ts';

/** How many further servers of the version are tried when one does not take the connection. */
const OTHER_SERVERS_MAX = 3;

export interface Question {
  readonly outgoing: OutgoingRequest;
  readonly body: KeptBody;
  /** The request may be sent again after it may have reached a server. */
  readonly repeatable: boolean;
  /** False for paths that count neither for thresholds nor as evidence. */
  readonly counts: boolean;
  /** No version has failed this exchange before. */
  readonly direct: boolean;
  /** `host:port` of a server that has failed this exchange, or null. */
  readonly failedServer: string | null;
}

/** Hears what an answer is, whoever it is for. Heads and bytes are lent until the call returns. */
export interface AnswerTap {
  tapHead(head: ResponseHead): void;
  tapBody(bytes: Buffer, from: number, to: number): void;
  /** The answer is whole, and its listener has been told. */
  tapEnd(): void;
  /** There is no whole answer. */
  tapFailed(): void;
}

export class Asking implements Answering, AttemptListener {
  readonly route: Route;
  /** False once nobody waits for this answer: it then raises no threshold. */
  wanted = true;

  readonly #plane: Plane;
  readonly #question: Question;
  #listener: AnswerListener;
  readonly #figures: VersionFigures;
  #tap: AnswerTap | null = null;
  #attempt: Attempt | null = null;
  /** Of the server that is or was asked last, among the route's. */
  #index: number;
  #serversTried = 1;
  #staleRetried = false;
  #status = 0;
  #begunMs = 0;
  #open = true;

  constructor(plane: Plane, route: Route, question: Question & { readonly listener: AnswerListener }) {
    this.#plane = plane;
    this.route = route;
    this.#question = question;
    this.#listener = question.listener;
    this.#figures = plane.register.of(route.id);
    this.#figures.inFlight += 1;
    this.#index = this.#beginAt();
  }

  /** Begins; separate from making it, so that the listener can know what it listens to. */
  begin(): void {
    this.#try(this.#question.repeatable ? 'any' : 'recent');
  }

  /** The server that is or was asked last. */
  get serverKey(): string {
    return this.#server.key;
  }

  get #server(): Server {
    return this.route.servers[this.#index] as Server;
  }

  /** How long the present attempt has lasted. */
  get waitedMs(): number {
    return this.#plane.clock.nowMs() - this.#begunMs;
  }

  /** From here on the answer is told to another listener: to one that holds it, or back to the one that asked. */
  handTo(listener: AnswerListener): void {
    this.#listener = listener;
  }

  /** Lets someone hear the answer beside its listener. */
  tapWith(tap: AnswerTap): void {
    this.#tap = tap;
  }

  /** What this attempt does can't be used, or is wanted no longer: it has failed. */
  refuse(kind: Failure['kind'], text: string): void {
    this.#attempt?.abandon();
    this.attemptFailed({
      kind,
      phase: this.#status === 0 || this.#status === 101 ? 'sent' : 'answering',
      stale: false,
      text,
    });
  }

  get connected(): boolean {
    return this.#attempt?.connected ?? false;
  }

  body(bytes: Buffer, from: number, to: number): boolean {
    return this.#attempt?.body(bytes, from, to) ?? true;
  }

  end(trailers: FieldLines | null): void {
    this.#attempt?.end(trailers);
  }

  flush(): void {
    this.#attempt?.flush();
  }

  pause(): void {
    this.#attempt?.pause();
  }

  resume(): void {
    this.#attempt?.resume();
  }

  abandon(): void {
    if (!this.#open) return;
    this.#attempt?.abandon();
    this.#attempt = null;
    this.#close('abandoned');
  }

  upgrade(): TunnelEnd {
    const attempt = this.#attempt as Attempt;
    this.#attempt = null;
    const end = attempt.upgrade();
    this.#close('answered');
    return end;
  }

  // ---- AttemptListener

  attemptConnected(): void {
    this.#listener.answeringConnected();
  }

  attemptInterim(head: ResponseHead): void {
    this.#listener.answerInterim(head);
  }

  attemptHead(head: ResponseHead): void {
    this.#status = head.status;
    this.#tap?.tapHead(head);
    this.#listener.answerHead(head, this.route);
  }

  attemptBody(bytes: Buffer, from: number, to: number): void {
    this.#tap?.tapBody(bytes, from, to);
    this.#listener.answerBody(bytes, from, to);
  }

  attemptEnd(trailers: FieldLines | null): void {
    this.#attempt = null;
    // Counted before the client sees the end, so that its next request meets the threshold this answer raised.
    this.#close(this.#status >= 500 ? 'server-error' : 'answered');
    this.#listener.answerEnd(trailers);
    this.#tap?.tapEnd();
  }

  attemptFailed(failure: Failure): void {
    this.#attempt = null;
    if (failure.stale && !this.#staleRetried && this.#question.body.whole && this.#question.repeatable) {
      this.#staleRetried = true;
      this.#try('new');
      return;
    }
    logFailure(this.#plane.log, this.route, failure);
    if (failure.phase === 'unsent' && this.#question.body.whole && this.#nextServer()) {
      this.#report(failure.kind);
      this.#try(this.#question.repeatable ? 'any' : 'recent');
      return;
    }
    this.#close(failure.kind);
    this.#listener.answerFailed(failure);
  }

  attemptDrained(): void {
    this.#listener.requestDrained();
  }

  attemptFlush(): void {
    this.#listener.answerFlush();
  }

  #try(freshness: Freshness): void {
    const { outgoing, body } = this.#question;
    const { log, table } = this.#plane;
    if (log.enabled('INFO')) logAttempt(log, this.route, { server: this.#server, figures: this.#figures, table });
    this.#figures.attempts += 1;
    this.#begunMs = this.#plane.clock.nowMs();
    const attempt = this.#plane.pool.attempt(this.#plane, {
      servers: this.route.servers,
      index: this.#index,
      request: outgoing,
      listener: this,
      freshness,
      responseTimeoutMs: this.route.responseTimeoutMs,
    });
    this.#attempt = attempt;
    body.giveTo(attempt);
    attempt.flush();
    if (attempt.connected) this.#listener.answeringConnected();
  }

  /** Where its turn is; past the server that has failed this exchange already. */
  #beginAt(): number {
    const { servers } = this.route;
    const turn = this.#plane.rotation.next(this.route);
    return servers[turn]?.key === this.#question.failedServer ? (turn + 1) % servers.length : turn;
  }

  /** Moves on to a server of the version that was not tried yet, if there is one. */
  #nextServer(): boolean {
    const { servers } = this.route;
    if (this.#serversTried >= Math.min(servers.length, OTHER_SERVERS_MAX + 1)) return false;
    this.#index = (this.#index + 1) % servers.length;
    this.#serversTried += 1;
    return true;
  }

  #close(kind: OutcomeKind): void {
    this.#open = false;
    this.#figures.inFlight -= 1;
    if (kind === 'answered') this.#figures.answered += 1;
    else if (kind !== 'abandoned') this.#figures.failed += 1;
    if (kind !== 'answered' && kind !== 'server-error') this.#tap?.tapFailed();
    this.#report(kind);
  }

  #report(kind: OutcomeKind): void {
    this.#plane.sink.outcome({
      versionId: this.route.id,
      epoch: this.route.epoch,
      kind,
      server: this.#server.key,
      latencyMs: this.#plane.clock.nowMs() - this.#begunMs,
      direct: this.#question.direct && this.wanted,
      counts: this.#question.counts && kind !== 'exhausted',
    });
  }
}
