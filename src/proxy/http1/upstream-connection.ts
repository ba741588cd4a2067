/**
 * One HTTP/1.1 connection to a server, and the attempt that is using it. A connection lives through many attempts, one at
 * a time: connecting, then busy and idle in turn, then closed for good.
 */
import type { FieldLines } from '../../core/http/fields.ts';
import type { ProtocolError, ResponseHead, ResponseSink } from '../../core/http/message.ts';
import type { ResponseParser } from '../../core/http/response-parser.ts';
import type { Server } from '../../core/routing/table.ts';
import { causeOf, connectFailureText, isExhaustion, lostConnectionText } from '../failure-text.ts';
import type { Attempt, AttemptListener, Failure, OutgoingRequest, TunnelEnd } from '../message-level.ts';
import type { Plane } from '../plane.ts';
import type { Timed } from '../sweeper.ts';
import type { ConnectingOwner, TcpSocket } from '../tcp/socket.ts';
import type { IdleList } from '../upstream-pool.ts';
import { Outbox } from './outbox.ts';
import { RequestWriter } from './request-writer.ts';
import { SocketTunnelEnd } from './socket-tunnel-end.ts';

type Stage = 'resolving' | 'connecting' | 'busy' | 'idle' | 'tunnel' | 'closed';

export class UpstreamConnection implements Attempt, ResponseSink, ConnectingOwner, Timed {
  readonly server: Server;
  /** Where it waits while it is idle. */
  readonly home: IdleList;
  deadlineMs = Number.POSITIVE_INFINITY;
  idleSinceMs = 0;

  readonly #plane: Plane;
  /** Lent while an attempt is under way. */
  #parser: ResponseParser | null = null;
  #socket: TcpSocket | null = null;
  #outbox: Outbox | null = null;
  #writer: RequestWriter | null = null;
  /** What is to be sent once the connection stands. */
  #waiting: (() => void)[] = [];
  #stage: Stage = 'resolving';
  #listener: AttemptListener | null = null;
  #tunnel: SocketTunnelEnd | null = null;
  #addresses: readonly string[] = [];
  #addressIndex = 0;

  // The attempt under way.
  #reused = false;
  #requestEnded = false;
  /** The client waits to be told to continue: if the server says nothing, nobody will. */
  #awaitsContinue = false;
  #anyByte = false;
  #answerBegun = false;
  #answerEnded = false;
  #mayReuse = false;
  #paused = false;
  #responseTimeoutMs = 0;

  constructor(plane: Plane, server: Server, home: IdleList) {
    this.#plane = plane;
    this.server = server;
    this.home = home;
    plane.sweeper.add(this);
  }

  get connected(): boolean {
    return this.#stage === 'busy';
  }

  /** Begins an attempt: on an idle connection at once, else as soon as it stands. */
  begin(request: OutgoingRequest, listener: AttemptListener, responseTimeoutMs: number): void {
    this.#listener = listener;
    this.#reused = this.#stage === 'idle';
    this.#requestEnded = false;
    this.#anyByte = false;
    this.#answerBegun = false;
    this.#answerEnded = false;
    this.#mayReuse = false;
    this.#responseTimeoutMs = responseTimeoutMs;
    this.#parser = this.#plane.parsers.take();
    this.#parser.expect(request.request.method, this);
    if (this.#stage === 'idle') {
      this.#stage = 'busy';
      this.#begun(request);
      this.#awaitAnswer();
      return;
    }
    this.#waiting.push(() => this.#begun(request));
    this.deadlineMs = this.#plane.sweeper.nowMs + this.#plane.config.timeouts.connectMs;
    this.#plane.names.whenKnown(this.server.host, (addresses) => this.#connect(addresses));
  }

  // ---- Attempt: what the exchange does

  body(bytes: Buffer, from: number, to: number): boolean {
    if (this.#outbox === null || this.#writer === null || this.#stage !== 'busy') {
      const copy = Buffer.from(bytes.subarray(from, to));
      this.#waiting.push(() => this.body(copy, 0, copy.length));
      return false;
    }
    if (this.#awaitsContinue) {
      this.#awaitsContinue = false;
      this.#awaitAnswer();
    }
    this.#writer.body(bytes, from, to);
    if (!this.#outbox.full) return true;
    // A server that does not read its request is as stalled as one that does not write its answer.
    if (!this.#answerBegun) this.deadlineMs = this.#plane.sweeper.nowMs + this.#plane.config.timeouts.idleBodyMs;
    return false;
  }

  end(trailers: FieldLines | null): void {
    this.#requestEnded = true;
    if (this.#stage !== 'busy') {
      this.#waiting.push(() => this.#writer?.end(trailers));
      return;
    }
    this.#writer?.end(trailers);
    this.#awaitAnswer();
  }

  flush(): void {
    if (this.#stage === 'busy') this.#outbox?.flush();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#awaitAnswer();
    this.#socket?.resume();
  }

  abandon(): void {
    this.#listener = null;
    this.close();
  }

  upgrade(): TunnelEnd {
    this.#listener = null;
    this.#stage = 'tunnel';
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#tunnel = new SocketTunnelEnd(this.#socket as TcpSocket);
    return this.#tunnel;
  }

  close(): void {
    if (this.#stage === 'closed') return;
    this.#stage = 'closed';
    // Not given back: it may be at work further down the stack.
    this.#parser?.stop();
    this.#parser = null;
    this.#plane.sweeper.delete(this);
    this.#plane.pool.forget(this);
    this.#waiting = [];
    this.#socket?.close();
  }

  onDeadline(): void {
    const { counters } = this.#plane;
    switch (this.#stage) {
      case 'resolving':
      case 'connecting':
        counters.connectTimeouts += 1;
        this.#fail('connect-timeout', connectFailureText(this.#where(), 'i/o timeout'));
        return;
      case 'busy':
        if (this.#answerBegun) {
          counters.answerTimeouts += 1;
          this.#fail('idle-timeout', lostConnectionText(this.#where(), 'the answer stalled'));
        } else {
          counters.responseTimeouts += 1;
          this.#fail('response-timeout', lostConnectionText(this.#where(), 'no answer in time'));
        }
        return;
      default:
        counters.upstreamsIdle += 1;
        this.close();
    }
  }

  // ---- ResponseSink: what the parser found

  responseInterim(head: ResponseHead): void {
    if (head.status === 100 && this.#awaitsContinue) {
      this.#awaitsContinue = false;
      this.#awaitAnswer();
    }
    this.#listener?.attemptInterim(head);
  }

  responseHead(head: ResponseHead): void {
    this.#answerBegun = true;
    this.#mayReuse = head.keepAlive;
    this.#listener?.attemptHead(head);
  }

  responseBody(bytes: Buffer, from: number, to: number): void {
    this.#listener?.attemptBody(bytes, from, to);
  }

  responseEnd(trailers: FieldLines | null): void {
    this.#answerEnded = true;
    const listener = this.#listener;
    this.#listener = null;
    listener?.attemptEnd(trailers);
  }

  responseError(error: ProtocolError): void {
    if (error.code === 'premature-close') this.#lost('unexpected EOF');
    else this.#fail('malformed', `Malformed answer from ${this.#where()}: ${error.reason}`);
  }

  // ---- connecting

  #connect(addresses: readonly string[]): void {
    if (this.#stage !== 'resolving') return;
    const [address] = addresses;
    if (address === undefined) {
      // Deferred: an attempt never fails while it is being begun.
      queueMicrotask(() => this.#fail('refused', connectFailureText(this.server.key, 'no such host')));
      return;
    }
    this.#addresses = addresses;
    this.#stage = 'connecting';
    this.#dial(address);
  }

  #dial(address: string): void {
    this.#socket = this.#plane.sockets.connect({ address, port: this.server.port }, this);
  }

  // ---- SocketOwner

  socketConnected(): void {
    const socket = this.#socket;
    if (socket === null || this.#stage !== 'connecting') return;
    this.#stage = 'busy';
    this.#outbox = new Outbox(socket, this.#plane);
    this.#writer = new RequestWriter(this.#plane, this.#outbox);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#listener?.attemptConnected();
    for (const send of waiting) send();
    this.#outbox.flush();
    this.#awaitAnswer();
    if (!this.#requestEnded && !this.#outbox.full) this.#listener?.attemptDrained();
  }

  socketDrained(): void {
    if (this.#tunnel !== null) this.#tunnel.drained();
    else if (this.#listener !== null) {
      this.#awaitAnswer();
      this.#listener.attemptDrained();
    }
  }

  socketBytes(bytes: Buffer, count: number): void {
    if (this.#tunnel !== null) {
      this.#tunnel.arrived(Buffer.from(bytes.subarray(0, count)));
      return;
    }
    const listener = this.#listener;
    const parser = this.#parser;
    if (this.#stage !== 'busy' || listener === null || parser === null) {
      // Nobody asked for these bytes: never pair them with a request (RFC 9112 section 9.2).
      this.close();
      return;
    }
    this.#anyByte = true;
    const taken = parser.push(bytes, 0, count);
    const tunnel = this.#tunnel as SocketTunnelEnd | null;
    if (tunnel !== null) {
      // Bytes of the tunnel that came in the same read as the 101.
      if (taken < count) tunnel.arrived(Buffer.from(bytes.subarray(taken, count)));
      return;
    }
    // A head that comes in drops does not come later for that: only what follows it moves the deadline.
    if (this.#answerBegun && !this.#paused) this.#awaitAnswer();
    listener.attemptFlush();
    if (this.#answerEnded) this.#finish(parser, taken === count);
  }

  socketEnded(): void {
    if (this.#tunnel !== null) {
      this.#tunnel.ended();
      return;
    }
    if (this.#listener !== null && this.#stage === 'busy') {
      const listener = this.#listener;
      this.#parser?.finish();
      if (this.#answerEnded) listener.attemptFlush();
      else if (this.#listener !== null) this.#lost('EOF');
    }
    this.close();
  }

  socketFinished(): void {}

  socketClosed(error: NodeJS.ErrnoException | null): void {
    if (this.#stage === 'connecting' && error !== null) {
      this.#unconnected(error);
      return;
    }
    if (this.#tunnel !== null) this.#tunnel.closed();
    else if (this.#listener !== null) this.#lost(error === null ? 'connection closed' : causeOf(error));
    this.close();
  }

  // ---- the end of an attempt

  /** The attempt is over: back into the pool, when both messages ended where they should. */
  #finish(parser: ResponseParser, clean: boolean): void {
    if (this.#stage !== 'busy') return;
    this.#parser = null;
    this.#plane.parsers.give(parser);
    if (!clean || !this.#mayReuse || !this.#requestEnded) {
      this.close();
      return;
    }
    if (this.#paused) {
      this.#paused = false;
      this.#socket?.resume();
    }
    this.#stage = 'idle';
    this.idleSinceMs = this.#plane.sweeper.nowMs;
    this.deadlineMs = this.idleSinceMs + this.#plane.config.timeouts.upstreamIdleMs;
    this.#plane.pool.putBack(this);
  }

  /** This address does not take the connection: the next one of the name is tried, if there is one. */
  #unconnected(error: NodeJS.ErrnoException): void {
    this.#plane.names.refresh(this.server.host);
    this.#addressIndex += 1;
    const next = this.#addresses[this.#addressIndex];
    if (next !== undefined) {
      this.#dial(next);
      return;
    }
    const isOurs = isExhaustion(error);
    if (isOurs) this.#plane.counters.exhausted += 1;
    this.#fail(isOurs ? 'exhausted' : 'refused', connectFailureText(this.#where(), causeOf(error)));
  }

  #lost(cause: string): void {
    this.#fail(this.#answerBegun ? 'cut' : 'reset', lostConnectionText(this.#where(), cause));
  }

  #fail(kind: Failure['kind'], text: string): void {
    const listener = this.#listener;
    const stage = this.#stage;
    this.#listener = null;
    this.close();
    if (listener === null) return;
    const phase = stage !== 'busy' ? 'unsent' : this.#answerBegun ? 'answering' : 'sent';
    listener.attemptFailed({ kind, phase, stale: this.#reused && !this.#anyByte && kind === 'reset', text });
  }

  /** Sets the deadline that holds from here: for the answer's head once the request is sent, for its next byte later. */
  #awaitAnswer(): void {
    const { timeouts } = this.#plane.config;
    if (this.#answerBegun) this.deadlineMs = this.#plane.sweeper.nowMs + timeouts.idleBodyMs;
    else if (this.#requestEnded || this.#awaitsContinue)
      this.deadlineMs = this.#plane.sweeper.nowMs + this.#responseTimeoutMs;
    else this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  #begun(request: OutgoingRequest): void {
    this.#writer?.head(request);
    this.#awaitsContinue = request.expect === 'keep' && request.request.expectsContinue;
  }

  #where(): string {
    const address = this.#addresses[Math.min(this.#addressIndex, this.#addresses.length - 1)];
    return address === undefined
      ? this.server.key
      : `${address.includes(':') ? `[${address}]` : address}:${this.server.port}`;
  }
}
