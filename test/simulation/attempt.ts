/** Attempts on simulated servers, in the place of the pool of upstream connections. */
import { FieldLines } from '../../src/core/http/fields.ts';
import type { ResponseHead } from '../../src/core/http/message.ts';
import type { Server } from '../../src/core/routing/table.ts';
import type { Attempt, AttemptListener, Failure, OutgoingRequest, TunnelEnd } from '../../src/proxy/message-level.ts';
import type { Freshness } from '../../src/proxy/upstream-pool.ts';
import type { Clock } from '../../src/system/clock.ts';
import type { Chance } from '../kit/chance.ts';
import { bodyOf, type Manner, type Seen, type Upstreams } from './upstreams.ts';

export interface AttemptParts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly upstreams: Upstreams;
  readonly connectMs: number;
  readonly idleBodyMs: number;
}

interface Call {
  readonly servers: readonly Server[];
  readonly index: number;
  readonly request: OutgoingRequest;
  readonly listener: AttemptListener;
  readonly freshness: Freshness;
  readonly responseTimeoutMs: number;
}

/** How likely a pooled connection turns out to have been closed by its server. */
const STALE = 0.02;
const SLOW_MS = 2000;

/** The answer to a request is as long as its target says: `/ID/BYTES`. */
function answerBytes(target: string): number {
  return Number(target.split('/')[2]);
}

export class SimulatedPool {
  readonly #parts: AttemptParts;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
  }

  attempt(_plane: unknown, call: Call): Attempt {
    return new SimulatedAttempt(this.#parts, (call.servers[call.index] as Server).key, call);
  }
}

class SimulatedAttempt implements Attempt {
  connected = false;
  readonly #parts: AttemptParts;
  readonly #key: string;
  readonly #call: Call;
  readonly #manner: Exclude<Manner, 'mixed' | 'warming'>;
  readonly #seen: Seen;
  #cancel: () => void = () => {};
  /** A pooled connection that its server has closed. */
  readonly #isStale: boolean;
  #requestEnded = false;
  #paused = false;
  #waiting: (() => void) | null = null;

  constructor(parts: AttemptParts, key: string, call: Call) {
    this.#parts = parts;
    this.#key = key;
    this.#call = call;
    this.#manner = parts.upstreams.mannerOf(key);
    this.#seen = { key, reached: false, applied: false, status: 0, result: 'open' };
    parts.upstreams.note(this.#requestId, this.#seen);
    this.#isStale = call.freshness === 'any' && this.#manner === 'well' && parts.chance.hits(STALE);
    if (this.#isStale) this.#breakPooled();
    else if (this.#manner === 'silent') this.#then(parts.connectMs, () => this.#fail('connect-timeout', 'unsent'));
    else this.#then(parts.chance.below(3), () => this.#connect());
  }

  // ---- Attempt

  body(): boolean {
    return true;
  }

  end(): void {
    this.#requestEnded = true;
    if (this.connected && !this.#isStale && this.#seen.result === 'open') this.#serve();
  }

  flush(): void {}

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) this.#then(0, waiting);
  }

  abandon(): void {
    this.#settle('abandoned');
  }

  upgrade(): TunnelEnd {
    throw new Error('No request of the simulation offers an upgrade');
  }

  // ----

  get #requestId(): string {
    return this.#call.request.request.target.split('/')[1] ?? '';
  }

  #breakPooled(): void {
    this.connected = true;
    this.#seen.reached = true;
    this.#then(1, () => {
      this.#settle('stale');
      this.#call.listener.attemptFailed({ kind: 'reset', phase: 'sent', stale: true, text: 'reset' });
    });
  }

  #connect(): void {
    if (this.#manner === 'refuses') {
      this.#fail('refused', 'unsent');
      return;
    }
    this.connected = true;
    this.#seen.reached = true;
    this.#call.listener.attemptConnected();
    if (this.#requestEnded && this.#seen.result === 'open') this.#serve();
  }

  /** The request is there whole. */
  #serve(): void {
    this.#seen.applied = true;
    const { chance } = this.#parts;
    const delayMs = 1 + chance.below(20);
    switch (this.#manner) {
      case 'resets':
        this.#then(delayMs, () => this.#fail('reset', 'sent'));
        return;
      case 'junk':
        this.#then(delayMs, () => this.#fail('malformed', 'sent'));
        return;
      case 'hangs':
        this.#then(this.#call.responseTimeoutMs, () => this.#fail('response-timeout', 'sent'));
        return;
      case 'slow':
        this.#then(SLOW_MS, () => this.#answer(200));
        return;
      case 'fails':
        this.#then(delayMs, () => this.#answer(500));
        return;
      default:
        this.#then(delayMs, () => this.#answer(200));
    }
  }

  /** The head, and with it the first half of the body; a moment later the rest. */
  #answer(status: number): void {
    const { listener } = this.#call;
    const bytes = answerBytes(this.#call.request.request.target);
    const body = Buffer.from(bodyOf(this.#key, this.#requestId, bytes));
    const half = Math.floor(bytes * 0.7);
    this.#seen.status = status;
    listener.attemptHead(headOf(status, this.#key, bytes));
    if (this.#seen.result !== 'open') return;
    listener.attemptBody(body, 0, half);
    if (this.#seen.result !== 'open') return;
    listener.attemptFlush();
    if (this.#seen.result !== 'open') return;
    if (this.#manner === 'cuts') this.#then(5, () => this.#fail('cut', 'answering'));
    else if (this.#manner === 'stalls')
      this.#then(this.#parts.idleBodyMs, () => this.#fail('idle-timeout', 'answering'));
    else this.#then(this.#parts.chance.below(10), () => this.#finish(body, half));
  }

  #finish(body: Buffer, from: number): void {
    const { listener } = this.#call;
    listener.attemptBody(body, from, body.length);
    if (this.#seen.result !== 'open') return;
    const end = (): void => {
      this.#settle('answered');
      listener.attemptEnd(null);
      listener.attemptFlush();
    };
    if (this.#paused) this.#waiting = end;
    else end();
  }

  #fail(kind: Failure['kind'], phase: Failure['phase']): void {
    this.#settle('failed');
    this.#call.listener.attemptFailed({ kind, phase, stale: false, text: `${this.#key}: ${kind}` });
  }

  #settle(result: Seen['result']): void {
    if (this.#seen.result === 'open') this.#seen.result = result;
    this.#cancel();
    this.#waiting = null;
  }

  /** What comes next; while the answer is paused it waits. */
  #then(delayMs: number, act: () => void): void {
    this.#cancel = this.#parts.clock.after(delayMs, () => {
      if (this.#paused) this.#waiting = act;
      else act();
    });
  }
}

/** The server's key stands in the reason phrase, for the client to know who answered. */
function headOf(status: number, key: string, length: number): ResponseHead {
  const fields = new FieldLines();
  return { status, reason: key, minor: 1, fields, framing: 'length', length, keepAlive: true, nominates: false };
}
