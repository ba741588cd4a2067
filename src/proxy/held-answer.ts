/**
 * An answer that is held back: its head and the first of its body are kept, and when that is as much as may be kept, the
 * attempt is paused where it stands. Later it is released to a listener as if it had just arrived, or let go.
 *
 * What is lent is kept as it is while the read lasts in which it came: most answers come whole in one, and are released in it.
 */
import type { FieldLines } from '../core/http/fields.ts';
import { isEventStream } from '../core/http/header-values.ts';
import type { ResponseHead } from '../core/http/message.ts';
import type { Route } from '../core/routing/table.ts';
import type { Asking } from './asking.ts';
import { KeptBytes } from './kept-bytes.ts';
import type { AnswerListener, Failure } from './message-level.ts';
import type { Plane } from './plane.ts';

/** What is kept of a held answer's body before its attempt is paused. */
const HELD_BYTES_MAX = 64 * 1024;

/** Is told when there is something to decide. */
export interface HeldWatcher {
  heldInterim(held: HeldAnswer, head: ResponseHead): void;
  /** The head is here (`held.status`). */
  heldHead(held: HeldAnswer): void;
  /** As much is held as may be, or there is no room for more. Unless it is released now, the attempt is paused. */
  heldFull?(held: HeldAnswer): void;
  /** The answer is whole. */
  heldEnded?(held: HeldAnswer): void;
  /** A read is over. */
  heldFlush?(held: HeldAnswer): void;
  heldFailed(held: HeldAnswer, failure: Failure): void;
}

export class HeldAnswer implements AnswerListener {
  readonly asking: Asking;
  /** 0 until the head has come. */
  status = 0;
  /** When the head came, on the plane's clock. */
  headMs = Number.POSITIVE_INFINITY;
  /** True once the attempt has failed, in whatever phase. */
  failed = false;
  readonly #watcher: HeldWatcher;
  readonly #plane: Plane;
  readonly #bytesMax: number;
  #head: ResponseHead | null = null;
  /** The first piece of the body, lent until this read is over; null: none, or it is among what is kept. */
  #lent: Buffer | null = null;
  #lentFrom = 0;
  #lentTo = 0;
  /** What of the body was copied; null: nothing. */
  #kept: KeptBytes | null = null;
  /** What of it the budget has given room for. */
  #bytes = 0;
  #trailers: FieldLines | null = null;
  #ended = false;
  #full = false;
  #dropped = false;
  #released = false;

  constructor(
    asking: Asking,
    options: { readonly watcher: HeldWatcher; readonly plane: Plane; readonly bytesMax?: number },
  ) {
    this.asking = asking;
    this.#watcher = options.watcher;
    this.#plane = options.plane;
    this.#bytesMax = options.bytesMax ?? HELD_BYTES_MAX;
  }

  /** The attempt is over, in whatever way. */
  get settled(): boolean {
    return this.#ended || this.failed;
  }

  /** Holding it longer would gain nothing: it is whole, as much is held as may be, or it is a stream of events. */
  get complete(): boolean {
    return this.#ended || this.#full || (this.#head !== null && isEventStream(this.#head.fields));
  }

  /** Tells everything to `listener`, and everything that is still to come. */
  releaseTo(listener: AnswerListener): void {
    const { asking } = this;
    this.#released = true;
    asking.handTo(listener);
    if (!this.#ended) asking.resume();
    if (this.#head !== null) listener.answerHead(this.#head, asking.route);
    this.#kept?.giveTo((bytes, from, to) => listener.answerBody(bytes, from, to));
    if (this.#lent !== null) listener.answerBody(this.#lent, this.#lentFrom, this.#lentTo);
    this.#letGo();
    if (this.#ended) listener.answerEnd(this.#trailers);
    listener.answerFlush();
  }

  /** Nobody wants this answer: what is still to come is read and dropped, so that the connection can be used again. */
  drop(): void {
    if (this.#dropped || this.#released) return;
    this.#dropped = true;
    if (this.settled) {
      this.#letGo();
      return;
    }
    this.#plane.droppedAnswers += 1;
    this.asking.wanted = false;
    this.#letGo();
    this.asking.resume();
  }

  abandon(): void {
    this.#countDropped();
    this.#dropped = true;
    this.#letGo();
    this.asking.abandon();
  }

  // ---- AnswerListener

  answeringConnected(): void {}

  requestDrained(): void {}

  answerFlush(): void {
    if (this.#lent !== null) this.#keepLent();
    if (!this.#dropped) this.#watcher.heldFlush?.(this);
  }

  answerInterim(head: ResponseHead): void {
    if (!this.#dropped) this.#watcher.heldInterim(this, head);
  }

  answerHead(head: ResponseHead, _route: Route): void {
    this.status = head.status;
    this.#head = head;
    this.headMs = this.#plane.clock.nowMs();
    this.#watcher.heldHead(this);
  }

  answerBody(bytes: Buffer, from: number, to: number): void {
    if (this.#dropped) return;
    this.#keep(bytes, from, to);
    const hasRoom = this.#plane.budget.take(to - from);
    if (hasRoom) this.#bytes += to - from;
    if (hasRoom && this.#bytes < this.#bytesMax) return;
    this.#full = true;
    this.#watcher.heldFull?.(this);
    // Without room the attempt stops after this one read, which is all that the bound is overstepped by.
    if (!this.#released) this.asking.pause();
  }

  answerEnd(trailers: FieldLines | null): void {
    this.#countDropped();
    this.#ended = true;
    this.#trailers = trailers;
    this.#watcher.heldEnded?.(this);
    if (this.#released || this.#dropped) return;
    // Held beyond its end: the parser's head and trailers are lent no longer, its connection serves others.
    this.#trailers = trailers?.copy() ?? null;
    if (this.#head !== null) this.#head = copyHead(this.#head);
  }

  answerFailed(failure: Failure): void {
    this.#countDropped();
    this.failed = true;
    this.#letGo();
    this.#watcher.heldFailed(this, failure);
  }

  /** A dropped answer that settles no longer counts as running. */
  #countDropped(): void {
    if (this.#dropped && !this.settled) this.#plane.droppedAnswers -= 1;
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    if (this.#lent !== null) this.#keepLent();
    if (this.#kept !== null) {
      this.#kept.add(bytes, from, to);
      return;
    }
    this.#lent = bytes;
    this.#lentFrom = from;
    this.#lentTo = to;
  }

  #keepLent(): void {
    this.#kept ??= new KeptBytes(this.#plane.buffers);
    this.#kept.add(this.#lent as Buffer, this.#lentFrom, this.#lentTo);
    this.#lent = null;
  }

  #letGo(): void {
    this.#plane.budget.give(this.#bytes);
    this.#bytes = 0;
    this.#lent = null;
    this.#kept?.clear();
  }
}

/** A head of one's own: the parser's is lent until its message has ended. */
function copyHead(head: ResponseHead): ResponseHead {
  return {
    status: head.status,
    reason: head.reason,
    minor: head.minor,
    fields: head.fields.copy(),
    framing: head.framing,
    length: head.length,
    keepAlive: head.keepAlive,
    nominates: head.nominates,
  };
}
