/**
 * One exchange: a client's request and its answer. This file is control flow only. It admits the request (read the table,
 * decide, claim: one synchronous step), passes the request's body to whoever is asked, and on a failure goes down the
 * plan to the next version, as far as the write policy allows. How versions are asked (`asking.ts`, `fan-out.ts`), what
 * may be repeated (`core/routing/replay.ts`) and how bytes are written (`http1/`) is decided elsewhere.
 */
import type { FieldLines } from '../core/http/fields.ts';
import { acceptsOffer } from '../core/http/header-values.ts';
import { hasBody, type ResponseHead } from '../core/http/message.ts';
import { decide } from '../core/routing/decide.ts';
import { isRepeatable, isServerFailure } from '../core/routing/replay.ts';
import type { Plan, Route, RoutingTable } from '../core/routing/table.ts';
import { Asking, type Question } from './asking.ts';
import { FanOut } from './fan-out.ts';
import { HeldAnswer } from './held-answer.ts';
import { KeptBody } from './kept-body.ts';
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
  #plan: Plan | null = null;
  /** How far down the plan this exchange has come: the version asked now stands just before it. */
  #position = 0;
  #asking: Asking | FanOut | null = null;
  #fanOut: FanOut | null = null;
  /** The first answer that was a failure, to be given when no other version answers. */
  #kept: HeldAnswer | null = null;
  /** Of the failures so far the one that had come furthest: it says what the client may be told. */
  #failure: Failure | null = null;
  #askedAgain = false;
  /** The body is being kept whole before anyone is asked: for a fan-out. */
  #gathering = false;
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
    this.#body = new KeptBody(plane.budget);
    this.#repeatable = isRepeatable(client.request, plane.config.replay.methods);
    this.#counts = !plane.config.ignorePaths.includes(pathOf(client.request.target));
    const { totalMs } = plane.config.timeouts;
    if (totalMs !== null) {
      this.deadlineMs = plane.clock.nowMs() + totalMs;
      plane.sweeper.add(this);
    }
  }

  /** Admits the request: when its head is here, or with its end when it has no body. */
  begin(): void {
    if (!hasBody(this.#client.request)) this.#body.end(null);
    this.#plane.counters.exchanges += 1;
    const table = this.#table;
    if (table.chain.length === 0) {
      this.#giveUp(503);
      return;
    }
    const plan = decide(table, this.#client.facts);
    this.#countOlderSessions(plan);
    this.#plan = plan;
    if (plan.kind === 'single') {
      this.#askNext();
      return;
    }
    this.#beginFanOut();
  }

  /** The bound on a whole exchange (`timeouts.total`) has passed. */
  onDeadline(): void {
    this.#asking?.abandon();
    if (this.#answerBegun) {
      this.#finish();
      this.#client.cutOff();
    } else {
      this.#giveUp(504);
    }
  }

  /** True once the client has been sent the beginning of an answer. */
  get answerBegun(): boolean {
    return this.#answerBegun;
  }

  // ---- ClientListener

  requestBody(bytes: Buffer, from: number, to: number): void {
    if (this.#over) return;
    this.#body.add(bytes, from, to);
    if (this.#gathering) {
      if (!this.#body.whole || this.#body.bytes > this.#plane.config.replay.bodyBytes) this.#askOneInstead();
      return;
    }
    const accepted = this.#asking?.body(bytes, from, to) ?? true;
    this.#trimBody();
    if (!accepted) this.#client.pauseRequest();
  }

  requestEnd(trailers: FieldLines | null): void {
    if (this.#over) return;
    this.#body.end(trailers);
    if (this.#gathering) this.#startFanOut();
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
    if (this.#fanOut !== null && !this.#settled && this.#asking !== this.#fanOut && isServerFailure(head.status)) {
      this.#keepAndAskNext(head, route);
      return;
    }
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
    if (this.#answerBegun) {
      this.#finish();
      this.#client.cutOff();
      return;
    }
    if (this.#failure === null || failure.phase !== 'unsent') this.#failure = failure;
    if (this.#fanOut !== null && this.#asking === this.#fanOut) this.#kept = this.#fanOut.keptAnswer();
    const mayAskAgain = this.#body.whole && (failure.phase === 'unsent' || this.#repeatable);
    if (mayAskAgain) this.#askNext();
    else this.#settle();
  }

  requestDrained(): void {
    this.#client.resumeRequest();
  }

  answerFlush(): void {
    this.#client.flush();
  }

  // ---- going down the plan

  #askNext(): void {
    const plan = this.#plan as Plan;
    const route = plan.order[this.#position];
    if (route !== undefined) {
      if (this.#position > 0) this.#plane.counters.replays += 1;
      this.#position += 1;
      this.#ask(route);
      return;
    }
    const [admitted] = plan.order;
    const mayHaveAnother = this.#failure !== null && this.#failure.phase !== 'unsent' && !this.#askedAgain;
    if (admitted !== undefined && admitted.servers.length > 1 && mayHaveAnother && this.#kept === null) {
      this.#askedAgain = true;
      this.#ask(admitted);
      return;
    }
    this.#settle();
  }

  #ask(route: Route): void {
    const asking = new Asking(this.#plane, route, this.#question());
    this.#asking = asking;
    asking.begin();
    this.#client.resumeRequest();
  }

  /** No version is left to ask, or none may be asked: the first failed answer if there is one, else the proxy's own. */
  #settle(): void {
    this.#settled = true;
    if (this.#kept !== null) {
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
        expect: this.#continued || this.#plan?.kind === 'fan-out' ? 'drop' : 'keep',
      },
      body: this.#body,
      repeatable: this.#repeatable,
      counts: this.#counts,
      direct: this.#failure === null,
      listener: this,
    };
  }

  // ---- fan-out

  #beginFanOut(): void {
    const { request } = this.#client;
    const tooLarge = request.framing === 'length' && request.length > this.#plane.config.replay.bodyBytes;
    const crowded = this.#plane.droppedAnswers >= this.#plane.config.limits.concurrentAttempts;
    if (crowded) this.#plane.counters.fanOutSkipped += 1;
    if (tooLarge || crowded || request.upgrade !== '') {
      this.#askOneInstead();
      return;
    }
    this.#gathering = true;
    if (this.#body.ended) {
      this.#startFanOut();
      return;
    }
    if (request.expectsContinue) {
      this.#continued = true;
      this.#client.continueBody();
    }
  }

  #startFanOut(): void {
    this.#gathering = false;
    const plan = this.#plan as Plan;
    this.#position = plan.legs;
    const fanOut = new FanOut(this.#plane, plan, this.#question());
    this.#fanOut = fanOut;
    this.#asking = fanOut;
    fanOut.begin();
  }

  /** What can't be duplicated goes to the version that admitted it, and down the chain from there. */
  #askOneInstead(): void {
    this.#gathering = false;
    this.#plan = this.#table.single[this.#plan?.admitted ?? 0] ?? null;
    this.#askNext();
  }

  /** After a fan-out, a further version's server error is a failure like those before it. */
  #keepAndAskNext(head: ResponseHead, route: Route): void {
    const asking = this.#asking as Asking;
    const held = new HeldAnswer(asking, { watcher: NOBODY, plane: this.#plane });
    asking.handTo(held);
    held.answerHead(head, route);
    if (this.#kept === null) this.#kept = held;
    else held.drop();
    this.#askNext();
  }

  // ---- the end of it

  #switchProtocols(head: ResponseHead, route: Route): void {
    const asking = this.#asking as Asking;
    const { request } = this.#client;
    if (!acceptsOffer(request.upgrade, head.fields)) {
      asking.refuse(`Malformed answer from ${route.version}: 101 names a protocol that was not offered`);
      return;
    }
    if (this.#client.hasBytesAhead || !this.#client.requestComplete) {
      // What was sent before the switch was sent as HTTP; it must not reach the server as anything else.
      asking.abandon();
      this.#giveUp(400);
      return;
    }
    this.#finish();
    const upstream = asking.upgrade();
    openTunnel(this.#plane, { route, client: this.#client.upgrade(head, this.#setCookies(route)), upstream });
  }

  #giveUp(status: OwnStatus): void {
    this.#finish();
    this.#plane.counters.ownAnswers += 1;
    this.#client.ownAnswer(status);
  }

  #finish(): void {
    this.#over = true;
    if (this.deadlineMs !== Number.POSITIVE_INFINITY) this.#plane.sweeper.delete(this);
    this.#body.drop();
    this.#fanOut?.dropKept();
    this.#kept?.drop();
  }

  /** Lets go of the kept body as soon as no replay could use it. */
  #trimBody(): void {
    if (!this.#body.whole || this.#asking?.connected !== true) return;
    if (this.#body.bytes > this.#plane.config.replay.bodyBytes) {
      this.#body.drop();
      this.#plane.counters.notReplayable += 1;
      this.#plane.log.write('INFO', 'exchange', 'The request is not replayable: its body is larger than what is kept');
    } else if (!this.#repeatable && this.#body.bytes > 0) {
      this.#body.drop();
    }
  }

  #setCookies(route: Route): string {
    const plan = this.#plan as Plan;
    // The way down the chain: from the newest to the admitting version, and on through each older one asked.
    const met = this.#asking === this.#fanOut ? plan.order.indexOf(route) : Math.max(this.#position, 1) - 1;
    const reach = Math.min(plan.admitted + met, this.#table.chain.length - 1);
    return this.#plane.cookies.linesFor(
      { table: this.#table, reach, answered: route, facts: this.#client.facts },
      this.#plane.clock.wallMs(),
    );
  }

  /** What SESSION waits for: requests that a version on its way to release passed on for their older session. */
  #countOlderSessions(plan: Plan): void {
    for (let index = 0; index < plan.admitted; index += 1) {
      const route = this.#table.chain[index] as Route;
      if (route.mode === 'SESSION' && !route.released) this.#plane.register.of(route.id).olderSessions += 1;
    }
  }
}

const NOBODY = { heldInterim(): void {}, heldHead(): void {}, heldFailed(): void {} };

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
