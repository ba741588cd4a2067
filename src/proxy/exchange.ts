/**
 * One exchange: a client's request and its answer. This file is control flow only. It admits the request (read the table,
 * decide, claim: one synchronous step), passes the request's body to whoever is asked, and on a failure goes down the
 * plan to the next version, as far as the write policy allows. How versions are asked (`asking.ts`, `fan-out.ts`), what
 * may be repeated (`core/routing/replay.ts`) and how bytes are written (`http1/`) is decided elsewhere.
 */
import { endsHere } from '../core/http/ends-here.ts';
import type { FieldLines } from '../core/http/fields.ts';
import { acceptsOffer, isEventStream } from '../core/http/header-values.ts';
import { hasBody, type ResponseHead } from '../core/http/message.ts';
import { decide } from '../core/routing/decide.ts';
import { isIgnored } from '../core/routing/ignored.ts';
import { isRepeatable, isServerFailure } from '../core/routing/replay.ts';
import type { Plan, Route, RoutingTable } from '../core/routing/table.ts';
import { Asking, type Question } from './asking.ts';
import { Course } from './course.ts';
import { ExchangeFailures } from './exchange-failures.ts';
import { FanOut } from './fan-out.ts';
import { HeldAnswer } from './held-answer.ts';
import { type Hold, holdAnswer } from './hold.ts';
import { KeptBody, NO_BODY } from './kept-body.ts';
import type { AnswerListener, ClientListener, ClientSide, Failure, OwnStatus } from './message-level.ts';
import type { Plane } from './plane.ts';
import type { Timed } from './sweeper.ts';
import { openTunnel } from './tunnel.ts';

export class Exchange implements ClientListener, AnswerListener, Timed {
  readonly #plane: Plane;
  readonly #client: ClientSide;
  readonly #table: RoutingTable;
  readonly #body: KeptBody;
  readonly #repeatable: boolean;
  readonly #counts: boolean;
  #course: Course | null = null;
  #asking: Asking | FanOut | null = null;
  #fanOut: FanOut | null = null;
  /** The first answer that was a failure, to be given when no other version answers. */
  #kept: HeldAnswer | null = null;
  /** The answer under way has been held back: it still is, or it is released. */
  #hold: Hold | null = null;
  readonly #failures: ExchangeFailures;
  /** Of the failures so far the one that had come furthest: it says what the client may be told. */
  #failure: Failure | null = null;
  /** The fan-out for which the body is being kept whole before anyone is asked. */
  #gathering: Plan | null = null;
  #fanningOut = false;
  #continued = false;
  #answerBegun = false;
  /** Nobody is asked any more: the answer under way is given whatever it is. */
  #settled = false;
  #over = false;
  deadlineMs = Number.POSITIVE_INFINITY;

  constructor(plane: Plane, client: ClientSide) {
    this.#plane = plane;
    this.#client = client;
    this.#table = plane.table;
    this.#body = hasBody(client.request) ? new KeptBody(plane.budget, plane.buffers) : NO_BODY;
    this.#repeatable = isRepeatable(client.request, plane.config.replay.methods);
    this.#counts = !isIgnored(client.request.target, plane.config.ignorePaths);
    this.#failures = new ExchangeFailures(plane, plane.table, this.#counts);
    const { totalMs } = plane.config.timeouts;
    if (totalMs !== null) {
      this.deadlineMs = plane.clock.nowMs() + totalMs;
      plane.sweeper.add(this);
    }
  }

  /** Admits the request: when its head is here, or with its end when it has no body. */
  begin(): void {
    this.#plane.counters.exchanges += 1;
    const own = endsHere(this.#client.request, this.#plane.config.proxy.via);
    const table = this.#table;
    if (own !== null || table.chain.length === 0) {
      this.#giveUp(own ?? 503);
      return;
    }
    const plan = decide(table, this.#client.facts);
    this.#plane.register.admit(table, plan);
    if (plan.kind === 'single') this.#askOne(plan);
    else this.#beginFanOut(plan);
  }

  /** The bound on a whole exchange (`timeouts.total`) has passed. */
  onDeadline(): void {
    this.#plane.counters.totalTimeouts += 1;
    this.#asking?.abandon();
    if (this.#answerBegun) {
      this.#finish();
      this.#client.cutOff();
    } else {
      this.#giveUp(504);
    }
  }

  /** The time that this version had to drain is over: an attempt on it has failed. */
  cutOn(versionId: string): void {
    const asking = this.#asking;
    if (asking instanceof Asking && asking.route.id === versionId && !this.#over) {
      asking.refuse('cut', `Version ${asking.route.version} has had its time to drain`);
    }
  }

  /** True once the client has been sent the beginning of an answer. */
  get answerBegun(): boolean {
    return this.#answerBegun;
  }

  // ---- ClientListener

  requestBody(bytes: Buffer, from: number, to: number): void {
    if (this.#over) return;
    const wasWhole = this.#body.whole;
    this.#body.add(bytes, from, to);
    if (wasWhole && !this.#body.whole) this.#noteNotReplayable('there is no room to keep its body');
    if (this.#gathering !== null) {
      const isTooLarge = !this.#body.whole || this.#body.bytes > this.#plane.config.replay.bodyBytes;
      if (isTooLarge) this.#askOneInstead(this.#gathering);
      return;
    }
    const accepted = this.#asking?.body(bytes, from, to) ?? true;
    this.#trimBody();
    if (!accepted) this.#client.pauseRequest();
  }

  requestEnd(trailers: FieldLines | null): void {
    if (this.#over) return;
    this.#body.end(trailers);
    if (this.#gathering !== null) this.#startFanOut(this.#gathering);
    else this.#asking?.end(trailers);
  }

  requestFlush(): void {
    this.#asking?.flush();
  }

  clientDrained(): void {
    this.#asking?.resume();
  }

  clientGone(): void {
    if (this.#over) return;
    if (!this.#answerBegun && this.#asking instanceof Asking) this.#failures.addAbandoned(this.#asking);
    this.#asking?.abandon();
    this.#finish();
  }

  // ---- AnswerListener

  answeringConnected(): void {
    this.#trimBody();
  }

  answerInterim(head: ResponseHead): void {
    if (head.status === 100) {
      if (this.#continued || this.#client.requestComplete) return;
      this.#continued = true;
    }
    this.#client.interim(head);
  }

  answerHead(head: ResponseHead, route: Route): void {
    if (head.status === 101) {
      this.#switchProtocols(head, route);
      return;
    }
    if (isServerFailure(head.status) && this.#triesElsewhere(head, route)) return;
    if (this.#shouldHold(head, route)) {
      this.#hold = holdAnswer(this.#plane, { asking: this.#asking as Asking, head }, this);
      return;
    }
    this.#failures.decide(isServerFailure(head.status) ? null : route);
    this.#answerBegun = true;
    this.#body.drop();
    this.#client.head(head, this.#setCookies(route));
  }

  answerBody(bytes: Buffer, from: number, to: number): void {
    if (!this.#client.body(bytes, from, to)) this.#asking?.pause();
  }

  answerEnd(trailers: FieldLines | null): void {
    this.#finish();
    this.#client.end(trailers);
  }

  answerFailed(failure: Failure): void {
    if (this.#failure === null || failure.phase !== 'unsent') this.#failure = failure;
    const asking = this.#asking;
    const answering = asking instanceof FanOut ? asking.winner : asking;
    if (answering !== null) this.#failures.add(answering, failure.kind, failure.text);
    else if (this.#fanOut !== null) this.#kept = this.#fanOut.keptAnswer();
    if (this.#answerBegun) {
      this.#finish();
      this.#client.cutOff();
      return;
    }
    const from = answering?.route ?? this.#course?.admitted;
    if (from !== undefined && this.#mayAskAgain(failure.phase)) this.#askNext(from, failure.phase);
    else this.#settle();
  }

  requestDrained(): void {
    this.#client.resumeRequest();
  }

  answerFlush(): void {
    this.#client.flush();
  }

  // ---- going down the plan

  /** Asks the version that the course names next, after the failure of `from`. */
  #askNext(from: Route, phase: Failure['phase']): void {
    const failures = this.#failures.count;
    const route = this.#course?.next({ from, phase, failures, hasKept: this.#kept !== null }) ?? null;
    if (route === null) this.#settle();
    else this.#ask(route);
  }

  /** True when the request may be sent to another version after it came this far. */
  #mayAskAgain(phase: Failure['phase']): boolean {
    return this.#body.whole && (phase === 'unsent' || this.#repeatable);
  }

  /**
   * A server error of a version on trial, or of an older one after such a failure, is kept while another version is
   * asked. A trusted version's own errors are the service's, and go to the client.
   */
  #triesElsewhere(head: ResponseHead, route: Route): boolean {
    if (this.#settled || this.#asking === this.#fanOut) return false;
    if (!route.onTrial && this.#failures.count === 0) return false;
    const asking = this.#asking as Asking;
    this.#failures.add(asking, 'server-error', `status ${head.status}`);
    if (!this.#mayAskAgain('sent')) return false;
    this.#failure = { kind: 'malformed', phase: 'sent', stale: false, text: `status ${head.status}` };
    const held = new HeldAnswer(asking, { watcher: NOBODY, plane: this.#plane });
    asking.handTo(held);
    held.answerHead(head, route);
    if (this.#kept === null) this.#kept = held;
    else held.drop();
    this.#askNext(route, 'sent');
    return true;
  }

  /** An answer of a version on trial that could still be replayed if it broke; streams of events are not kept waiting. */
  #shouldHold(head: ResponseHead, route: Route): boolean {
    if (!route.onTrial || this.#hold !== null || this.#settled || this.#asking === this.#fanOut) return false;
    if (!this.#mayAskAgain('sent') || this.#course?.hasNext !== true) return false;
    return !isEventStream(head.fields);
  }

  #ask(route: Route): void {
    this.#hold = null;
    const asking = new Asking(this.#plane, route, this.#question());
    this.#asking = asking;
    asking.begin();
    this.#client.resumeRequest();
  }

  /** No version is left to ask, or none may be asked: the first failed answer if there is one, else the proxy's own. */
  #settle(): void {
    this.#settled = true;
    this.#failures.decide(null);
    // A kept answer may have broken off since.
    if (this.#kept !== null && !this.#kept.failed) {
      this.#asking = this.#kept.asking;
      this.#kept.releaseTo(this);
      return;
    }
    const failure = this.#failure;
    const allUnsent = failure === null || failure.phase === 'unsent';
    const why =
      allUnsent || this.#repeatable ? 'No version is available for this request' : 'The request may not be sent twice';
    this.#plane.log.write('ERROR', 'exchange', `${why} - ${failure?.text ?? 'none is configured'}`);
    if (allUnsent) this.#giveUp(503);
    else this.#giveUp(failure.kind === 'response-timeout' ? 504 : 502);
  }

  #question(): Question & { readonly listener: AnswerListener } {
    return {
      outgoing: {
        request: this.#client.request,
        clientIp: this.#client.clientIp,
        expect: this.#continued || this.#fanningOut ? 'drop' : 'keep',
      },
      body: this.#body,
      repeatable: this.#repeatable,
      counts: this.#counts,
      direct: this.#failure === null,
      failedServer: this.#course === null ? null : this.#failures.serverOf(this.#course.admitted),
      listener: this,
    };
  }

  // ---- fan-out

  #beginFanOut(plan: Plan): void {
    const { request } = this.#client;
    const tooLarge = request.framing === 'length' && request.length > this.#plane.config.replay.bodyBytes;
    const crowded = this.#plane.droppedAnswers >= this.#plane.config.limits.concurrentAttempts;
    if (crowded) this.#plane.counters.fanOutSkipped += 1;
    if (tooLarge || crowded || request.upgrade !== '') {
      this.#askOneInstead(plan);
      return;
    }
    this.#gathering = plan;
    if (this.#body.ended) {
      this.#startFanOut(plan);
      return;
    }
    if (request.expectsContinue) {
      this.#continued = true;
      this.#client.continueBody();
    }
  }

  #startFanOut(plan: Plan): void {
    this.#gathering = null;
    this.#fanningOut = true;
    this.#course = new Course(this.#plane, { table: this.#table, plan, position: plan.legs });
    const fanOut = new FanOut(this.#plane, plan, { ...this.#question(), failures: this.#failures });
    this.#fanOut = fanOut;
    this.#asking = fanOut;
    fanOut.begin();
  }

  /** What can't be duplicated goes to the version that admitted it, and down the chain from there. */
  #askOneInstead(plan: Plan): void {
    this.#gathering = null;
    this.#askOne(this.#table.single[plan.admitted] as Plan);
  }

  #askOne(plan: Plan): void {
    this.#course = new Course(this.#plane, { table: this.#table, plan, position: 1 });
    this.#ask(this.#course.admitted);
  }

  // ---- the end of it

  #switchProtocols(head: ResponseHead, route: Route): void {
    const asking = this.#asking as Asking;
    const { request } = this.#client;
    if (!acceptsOffer(request.upgrade, head.fields)) {
      asking.refuse('malformed', `Malformed answer from ${route.version}: 101 names a protocol that was not offered`);
      return;
    }
    if (this.#client.hasBytesAhead || !this.#client.requestComplete) {
      // What was sent before the switch was sent as HTTP; it must not reach the server as anything else.
      asking.abandon();
      this.#giveUp(400);
      return;
    }
    this.#failures.decide(route);
    this.#finish();
    const upstream = asking.upgrade();
    openTunnel(this.#plane, { route, client: this.#client.upgrade(head, this.#setCookies(route)), upstream });
  }

  #giveUp(status: OwnStatus): void {
    this.#finish();
    this.#client.ownAnswer(status);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#failures.decide(null);
    this.#course?.close();
    if (this.deadlineMs !== Number.POSITIVE_INFINITY) this.#plane.sweeper.delete(this);
    this.#body.drop();
    this.#fanOut?.dropKept();
    this.#kept?.drop();
    this.#hold?.letGo();
  }

  /** Lets go of the kept body as soon as no replay could use it. */
  #trimBody(): void {
    if (!this.#body.whole || this.#asking?.connected !== true) return;
    if (this.#body.bytes > this.#plane.config.replay.bodyBytes)
      this.#noteNotReplayable('its body is larger than what is kept');
    else if (!this.#repeatable && this.#body.bytes > 0) this.#body.drop();
  }

  #noteNotReplayable(why: string): void {
    this.#body.drop();
    if (this.#course !== null) this.#plane.register.of(this.#course.admitted.id).notReplayable += 1;
    this.#plane.log.write('INFO', 'exchange', `The request is not replayable: ${why}`);
  }

  #setCookies(route: Route): string {
    const reach = this.#course?.reach(route, this.#asking === this.#fanOut ? 'several' : 'one') ?? 0;
    const answered = { table: this.#table, reach, answered: route, facts: this.#client.facts };
    return this.#plane.cookies.linesFor(answered, this.#plane.clock);
  }
}

const NOBODY = { heldInterim(): void {}, heldHead(): void {}, heldFailed(): void {} };
