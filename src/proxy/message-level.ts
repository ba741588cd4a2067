/**
 * The borders inside the data plane, at the level of messages. An exchange knows these interfaces only; how a message is
 * written, delimited or cut off is known to their implementations alone (`http1/`).
 *
 *   client ─▶ ClientSide ─▶ Exchange ─▶ Answering (one version, or several at once) ─▶ Attempt ─▶ server
 */
import type { FieldLines } from '../core/http/fields.ts';
import type { RequestHead, ResponseHead } from '../core/http/message.ts';
import type { OutcomeKind } from '../core/messages.ts';
import type { RequestFacts } from '../core/routing/request-facts.ts';
import type { Route } from '../core/routing/table.ts';

/** Why an attempt failed. */
export interface Failure {
  readonly kind: Exclude<OutcomeKind, 'answered' | 'server-error' | 'abandoned'>;
  /**
   * How far the attempt had come. `unsent`: no byte of the request reached the server. `sent`: some may have, and no
   * final answer had begun. `answering`: the final answer had begun.
   */
  readonly phase: 'unsent' | 'sent' | 'answering';
  /** A reused connection that broke before any byte of an answer: the keep-alive race, no evidence against the server. */
  readonly stale: boolean;
  /** For the log, in the form `dial tcp 127.0.0.1:80: connection refused`. */
  readonly text: string;
}

/** One end of a tunnel, after both sides have switched protocols. */
export interface TunnelEnd {
  /** Connects this end to its tunnel; bytes that were read ahead come at once. */
  tunnelTo(tunnel: TunnelSide): void;
  /** Sends bytes, which are then this end's own. False: full, wait for `tunnelDrained`. */
  tunnelWrite(bytes: Buffer): boolean;
  /** Sends the end (a half-close) after what was written. */
  tunnelEnd(): void;
  /** Closes this end once what was written has been taken. */
  tunnelClose(): void;
  /** Closes this end at once. */
  tunnelCut(): void;
  tunnelPause(): void;
  tunnelResume(): void;
}

/** What one end tells its tunnel. */
export interface TunnelSide {
  /** Bytes arrived; the tunnel owns them. */
  bytes(bytes: Buffer): void;
  ended(): void;
  closed(): void;
  drained(): void;
}

/** The client's side of one exchange. */
export interface ClientSide {
  /** The request; stays as it is until the exchange is over. */
  readonly request: RequestHead;
  /** What routing may ask of the request. */
  readonly facts: RequestFacts;
  /** True once the whole request has arrived. */
  readonly requestComplete: boolean;
  /** Bytes of a further request have arrived behind this one. */
  readonly hasBytesAhead: boolean;
  readonly clientIp: string;
  interim(head: ResponseHead): void;
  /** `100 Continue` of the proxy's own, for a body it wants to keep before it asks. */
  continueBody(): void;
  /** Begins the answer. `setCookies` holds whole lines, or ''. */
  head(head: ResponseHead, setCookies: string): void;
  /** Bytes of the answer, lent until the call returns. False: full, hold back until `Exchange.clientDrained`. */
  body(bytes: Buffer, from: number, to: number): boolean;
  /** Ends the answer, and with it the exchange as the client sees it. */
  end(trailers: FieldLines | null): void;
  /** The proxy's own answer, whole. Only before `head`. */
  ownAnswer(status: OwnStatus): void;
  /** Gives the answer up in the middle, so that the client can't take it for whole. Only after `head`. */
  cutOff(): void;
  /** Sends what was gathered since the last call. */
  flush(): void;
  /** Stops and goes on reading the request's body. */
  pauseRequest(): void;
  resumeRequest(): void;
  /** Switches protocols with this 101; from here the connection belongs to the tunnel. */
  upgrade(head: ResponseHead, setCookies: string): TunnelEnd;
}

export type OwnStatus = 200 | 400 | 413 | 500 | 501 | 502 | 503 | 504 | 508;

/** What the client's side tells an exchange. */
export interface ClientListener {
  /** Bytes of the request's body, lent until the call returns. */
  requestBody(bytes: Buffer, from: number, to: number): void;
  requestEnd(trailers: FieldLines | null): void;
  /** A read is over: pass on what was gathered. */
  requestFlush(): void;
  clientDrained(): void;
  /** The client is gone; nothing more can be sent to it. */
  clientGone(): void;
}

/** The request as it is sent to a server. */
export interface OutgoingRequest {
  readonly request: RequestHead;
  readonly clientIp: string;
  /** `drop`: the client has been told to continue already. */
  readonly expect: 'keep' | 'drop';
}

/** One try of an exchange on one server. */
export interface Attempt {
  /** True once the connection stands: from then on bytes of the request may have reached the server. */
  readonly connected: boolean;
  /** Bytes of the request's body, lent. False: full, hold back until `attemptDrained`. */
  body(bytes: Buffer, from: number, to: number): boolean;
  end(trailers: FieldLines | null): void;
  flush(): void;
  /** Stops and goes on reading the answer. */
  pause(): void;
  resume(): void;
  /** Gives the attempt up; no further callback comes. */
  abandon(): void;
  /** After `attemptHead` with status 101: hands the connection over. */
  upgrade(): TunnelEnd;
}

/** What an attempt tells. Heads and bytes are lent until the read is over in which they came. */
export interface AttemptListener {
  attemptConnected(): void;
  attemptInterim(head: ResponseHead): void;
  attemptHead(head: ResponseHead): void;
  attemptBody(bytes: Buffer, from: number, to: number): void;
  attemptEnd(trailers: FieldLines | null): void;
  attemptFailed(failure: Failure): void;
  attemptDrained(): void;
  /** A read is over: pass on what was gathered. */
  attemptFlush(): void;
}

/** An answer in the making: one version asked (`Asking`), or several at once (`FanOut`). It is handled like one attempt. */
export type Answering = Attempt;

/** What an answer in the making tells. Heads and bytes are lent until the read is over (`answerFlush`), as an attempt's are. */
export interface AnswerListener {
  /** The request is on its way on a standing connection: from now on only what is kept can be sent again. */
  answeringConnected(): void;
  answerInterim(head: ResponseHead): void;
  answerHead(head: ResponseHead, route: Route): void;
  answerBody(bytes: Buffer, from: number, to: number): void;
  answerEnd(trailers: FieldLines | null): void;
  answerFailed(failure: Failure): void;
  requestDrained(): void;
  answerFlush(): void;
}
