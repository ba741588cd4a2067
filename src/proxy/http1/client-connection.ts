/**
 * One HTTP/1.1 connection of a client, and the exchange that is under way on it. Requests are answered in the order in
 * which they came: bytes behind a request wait until its answer is complete.
 *
 * The socket is read while an answer is awaited (a paused one would see neither RST nor FIN), up to a bound. A reset, a
 * write error, or the client's FIN inside a request is an abort; FIN after a whole request is a half-close, and the
 * answer is still sent.
 */
import type { FieldLines } from '../../core/http/fields.ts';
import {
  hasBody,
  type ProtocolError,
  type RequestHead,
  type RequestSink,
  type ResponseHead,
} from '../../core/http/message.ts';
import { RequestParser } from '../../core/http/request-parser.ts';
import { Exchange } from '../exchange.ts';
import type { ClientSide, OwnStatus, TunnelEnd } from '../message-level.ts';
import type { Plane } from '../plane.ts';
import type { Timed } from '../sweeper.ts';
import type { SocketOwner, TcpSocket } from '../tcp/socket.ts';
import type { Accepted } from '../tcp/sockets.ts';
import { AnswerWriter } from './answer-writer.ts';
import { Outbox } from './outbox.ts';
import { plainAddress } from './plain-address.ts';
import { ReadAhead } from './read-ahead.ts';
import { Http1RequestFacts } from './request-facts.ts';
import { SocketTunnelEnd } from './socket-tunnel-end.ts';

/** After so much silence a client that has closed its half is asked whether it is still there. */
const PRESENCE_MS = 10_000;
/** How long a closing connection is read on, so that the client can read the answer before a reset (RFC 9112 section 9.6). */
const LINGER_MS = 2_000;

type Stage = 'open' | 'lingering' | 'tunnel' | 'closed';

export class ClientConnection implements ClientSide, RequestSink, SocketOwner, Timed {
  deadlineMs: number;
  /** When the last answer ended, or the connection came; on the plane's clock. */
  idleSinceMs: number;
  readonly clientIp: string;
  readonly facts: Http1RequestFacts;
  requestComplete = false;

  readonly #plane: Plane;
  readonly #socket: TcpSocket;
  readonly #outbox: Outbox;
  readonly #answer: AnswerWriter;
  readonly #parser: RequestParser;
  readonly #onClosed: (connection: ClientConnection) => void;
  #stage: Stage = 'open';
  #exchange: Exchange | null = null;
  #request: RequestHead | null = null;
  readonly #ahead = new ReadAhead();
  #feeding = false;
  #halfClosed = false;
  #requestPaused = false;
  /** The client has not taken the answers it was given: no further request of it is begun. */
  #choked = false;
  #tunnelEnd: SocketTunnelEnd | null = null;
  /** The connection ends with the answer under way. */
  #closeAfter = false;

  constructor(plane: Plane, accepted: Accepted, onClosed: (connection: ClientConnection) => void) {
    this.#plane = plane;
    this.#socket = plane.sockets.own(accepted, this);
    this.#onClosed = onClosed;
    this.clientIp = plainAddress(this.#socket.remoteAddress);
    this.#outbox = new Outbox(this.#socket, plane);
    this.#answer = new AnswerWriter(plane, this.#outbox);
    this.#parser = new RequestParser(this, plane.messageLimits);
    this.facts = new Http1RequestFacts(plane, this.clientIp);
    this.idleSinceMs = plane.sweeper.nowMs;
    this.deadlineMs = this.idleSinceMs + plane.config.timeouts.clientIdleMs;
    plane.sweeper.add(this);
  }

  /** No exchange is under way and no byte of one has come. */
  get idle(): boolean {
    return this.#stage === 'open' && this.#exchange === null && this.#ahead.length === 0 && !this.#parser.inMessage;
  }

  get tunnelling(): boolean {
    return this.#stage === 'tunnel';
  }

  /** Beyond what is served: says so, and ends. */
  turnAway(): void {
    this.#refuse('', 503, 'More connections are open than are taken here');
  }

  /** Half-closes an idle connection; a request that crosses it on the wire is still answered by nobody, so wait first. */
  closeIdle(): void {
    if (this.idle) this.#linger();
  }

  cutExchange(versionId: string): void {
    this.#exchange?.cutOn(versionId);
  }

  /** Ends it as it stands; complete answers are sent, and a reset tells a reader that its answer is cut (RFC 9112 section 8). */
  destroy(): void {
    this.#outbox.flushNow();
    const isCut = this.#exchange !== null || this.#socket.queuedBytes > 0;
    if (isCut && this.#answer.untilClose) this.#socket.reset();
    else this.#socket.close();
    this.socketClosed();
  }

  // ---- ClientSide

  get request(): RequestHead {
    return this.#request as RequestHead;
  }

  get hasBytesAhead(): boolean {
    return this.#ahead.length > 0;
  }

  interim(head: ResponseHead): void {
    const isTaken = this.#stage === 'open' && !this.#outbox.full;
    if (isTaken && this.request.minor === 1) this.#answer.interim(this.request, head);
  }

  continueBody(): void {
    this.#outbox.text('HTTP/1.1 100 Continue\r\n\r\n');
    this.#outbox.flush();
  }

  head(head: ResponseHead, setCookies: string): void {
    this.#closeAfter = !this.#mayKeepAlive() || AnswerWriter.framingFor(this.request, head) === 'until-close';
    this.#answer.head(this.request, head, { connection: this.#closeAfter ? 'close' : 'keep-alive', setCookies });
  }

  body(bytes: Buffer, from: number, to: number): boolean {
    this.#answer.body(bytes, from, to);
    if (!this.#outbox.full) return true;
    this.deadlineMs = this.#plane.sweeper.nowMs + this.#plane.config.timeouts.idleBodyMs;
    return false;
  }

  end(trailers: FieldLines | null): void {
    this.#answer.end(trailers);
    this.#answered();
  }

  ownAnswer(status: OwnStatus): void {
    this.#closeAfter = !this.#mayKeepAlive();
    this.#answer.own(this.request.method, status, { connection: this.#closeAfter ? 'close' : 'keep-alive' });
    this.#answered();
  }

  cutOff(): void {
    this.#exchange = null;
    this.#outbox.flushNow();
    if (this.#answer.untilClose) this.#socket.reset();
    else this.#socket.closeSoon();
    this.#stage = 'lingering';
    this.deadlineMs = this.#plane.sweeper.nowMs + LINGER_MS;
  }

  flush(): void {
    this.#outbox.flush();
  }

  pauseRequest(): void {
    if (this.#requestPaused || this.requestComplete) return;
    this.#requestPaused = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#socket.pause();
  }

  resumeRequest(): void {
    if (!this.#requestPaused) return;
    this.#requestPaused = false;
    this.#awaitRequest();
    this.#socket.resume();
  }

  upgrade(head: ResponseHead, setCookies: string): TunnelEnd {
    this.#answer.switching(this.request, head, setCookies);
    this.#outbox.flushNow();
    this.#stage = 'tunnel';
    this.#exchange = null;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#tunnelEnd = new SocketTunnelEnd(this.#socket);
    return this.#tunnelEnd;
  }

  // ---- RequestSink

  requestHead(head: RequestHead): void {
    this.#request = head;
    this.requestComplete = false;
    this.facts.of(head);
    this.#awaitRequest();
    this.#exchange = new Exchange(this.#plane, this);
    // A request without a body begins with its end, so that an answer given at once finds it complete.
    if (hasBody(head)) this.#exchange.begin();
  }

  requestBody(bytes: Buffer, from: number, to: number): void {
    this.#awaitRequest();
    this.#exchange?.requestBody(bytes, from, to);
  }

  requestEnd(trailers: FieldLines | null): void {
    this.resumeRequest();
    this.requestComplete = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    if (this.#request !== null && !hasBody(this.#request)) this.#exchange?.begin();
    else this.#exchange?.requestEnd(trailers);
  }

  requestError(error: ProtocolError, method: 'HEAD' | ''): void {
    this.#refuse(method, error.status, error.reason);
  }

  // ---- Timed

  onDeadline(nowMs: number): void {
    const { counters } = this.#plane;
    const isUnread = this.#socket.queuedBytes > 0;
    if (isUnread) counters.readerTimeouts += 1;
    if (isUnread || this.#stage !== 'open') {
      this.destroy();
    } else if (this.idle) {
      counters.clientsIdle += 1;
      this.#linger();
    } else {
      if (this.#exchange === null) counters.headerTimeouts += 1;
      else counters.bodyTimeouts += 1;
      this.#refuse(this.#request?.method ?? '', 408);
      this.deadlineMs = nowMs + LINGER_MS;
    }
  }

  // ---- SocketOwner

  socketBytes(bytes: Buffer, count: number): void {
    if (this.#stage === 'tunnel') {
      this.#tunnelEnd?.arrived(Buffer.from(bytes.subarray(0, count)));
      return;
    }
    if (this.#stage !== 'open') return;
    if (this.#ahead.length > 0 || this.#choked) this.#keepAhead(bytes.subarray(0, count));
    else this.#feed(bytes, count);
  }

  /** Gives bytes to the parser: request after request, for as long as each is answered within the call. */
  #feed(bytes: Buffer, count: number): void {
    const wasIdle = this.idle;
    this.#feeding = true;
    let from = 0;
    while (from < count && this.#stage === 'open') {
      const taken = this.#parser.push(bytes, from, count);
      this.#exchange?.requestFlush();
      if (taken === from && this.#exchange === null) break;
      from = taken;
      if (this.#exchange !== null || this.#choked) break;
    }
    this.#feeding = false;
    if (from < count && this.#stage === 'open') this.#keepAhead(bytes.subarray(from, count));
    this.#outbox.flush();
    if (wasIdle && this.#parser.inMessage && this.#exchange === null && this.#stage === 'open') {
      this.deadlineMs = this.#plane.sweeper.nowMs + this.#plane.config.timeouts.clientHeaderMs;
    }
  }

  /** Lent bytes. */
  #keepAhead(bytes: Buffer): void {
    this.#ahead.add(bytes);
    if (this.#ahead.isFull) this.#socket.pause();
  }

  socketDrained(): void {
    if (this.#stage === 'tunnel') {
      this.#tunnelEnd?.drained();
      return;
    }
    if (this.#choked) this.#awaitNext();
    if (this.#exchange === null) return;
    if (this.requestComplete) this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#exchange.clientDrained();
  }

  socketEnded(): void {
    if (this.#stage === 'tunnel') {
      this.#tunnelEnd?.ended();
      return;
    }
    this.#halfClosed = true;
    if (this.#stage !== 'open' || this.#choked) return;
    // A FIN does not tell whether the client is still there to read.
    if (this.#exchange !== null && this.requestComplete) this.#socket.keepAlive(PRESENCE_MS);
    else if (this.#exchange === null && !this.#parser.inMessage) this.#linger();
    else this.destroy();
  }

  socketFinished(): void {
    if (this.#stage === 'lingering') this.deadlineMs = this.#plane.sweeper.nowMs + LINGER_MS;
  }

  socketClosed(): void {
    if (this.#stage === 'closed') return;
    const wasTunnel = this.#stage === 'tunnel';
    this.#stage = 'closed';
    this.#plane.sweeper.delete(this);
    this.#parser.stop();
    this.#ahead.take();
    const exchange = this.#exchange;
    this.#exchange = null;
    exchange?.clientGone();
    if (wasTunnel) this.#tunnelEnd?.closed();
    this.#onClosed(this);
  }

  // ---- the end of an exchange

  #answered(): void {
    const request = this.#request;
    this.#exchange = null;
    this.#request = null;
    if (this.#stage !== 'open') return;
    if (this.#closeAfter) {
      // A client that wanted no more than this answer, and has sent nothing else, is not waited for.
      if (request?.keepAlive !== false || !this.requestComplete || this.hasBytesAhead) this.#linger();
      else {
        this.#leave();
        this.#outbox.flushAndClose();
      }
      return;
    }
    this.#outbox.flush();
    this.#parser.next();
    this.#awaitNext();
  }

  #awaitNext(): void {
    const { clientIdleMs, idleBodyMs } = this.#plane.config.timeouts;
    this.#choked = this.#outbox.full;
    this.idleSinceMs = this.#plane.sweeper.nowMs;
    this.deadlineMs = this.idleSinceMs + (this.#choked ? idleBodyMs : clientIdleMs);
    if (!this.#feeding && !this.#choked) this.#goOn();
  }

  /** The bytes that came behind the request that was just answered. */
  #goOn(): void {
    if (this.#ahead.length > 0) {
      const ahead = this.#ahead.take();
      this.#socket.resume();
      this.#feed(ahead, ahead.length);
    }
    if (!this.#halfClosed || this.#stage !== 'open') return;
    if (this.#exchange === null) this.#linger();
    // The client had ended inside this request, which was not begun then.
    else if (!this.requestComplete) this.destroy();
  }

  /** Sends what is to be sent, then the end, and reads on for a while so that no reset destroys the answer on its way. */
  #linger(): void {
    this.#outbox.flushNow();
    this.#leave();
    this.#parser.stop();
    this.#ahead.take();
    this.#socket.end();
    this.#socket.resume();
  }

  /** No request is taken any more; the client has a while to take what it was sent. */
  #leave(): void {
    this.#stage = 'lingering';
    this.deadlineMs = this.#plane.sweeper.nowMs + this.#plane.config.timeouts.idleBodyMs;
  }

  #mayKeepAlive(): boolean {
    return this.request.keepAlive && this.requestComplete && !this.#plane.draining;
  }

  /** Ends the exchange under way, if there is one, and says why; an answer that has begun is cut off. So is the connection. */
  #refuse(method: string, status: Parameters<AnswerWriter['own']>[1], reason?: string): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    exchange?.clientGone();
    if (exchange?.answerBegun === true) {
      this.cutOff();
      return;
    }
    this.#answer.own(method, status, { connection: 'close', ...(reason === undefined ? {} : { reason }) });
    this.#linger();
  }

  /** The deadline for the next bytes of the request's body. */
  #awaitRequest(): void {
    if (!this.requestComplete) this.deadlineMs = this.#plane.sweeper.nowMs + this.#plane.config.timeouts.idleBodyMs;
  }
}
