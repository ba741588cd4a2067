/**
 * Holding back the answer of a version on trial, so that a crash in the middle of an ordinary answer is absorbed too. The
 * answer is released when it is whole, when it has grown over `holdBytes`, or `holdMs` after its head, whichever is first.
 * Until then its failure is one that the client never saw.
 */
import type { ResponseHead } from '../core/http/message.ts';
import type { Asking } from './asking.ts';
import { HeldAnswer, type HeldWatcher } from './held-answer.ts';
import type { AnswerListener, Failure } from './message-level.ts';
import type { Plane } from './plane.ts';
import type { Timed } from './sweeper.ts';

/** Begins to hold the answer whose head has just come; `listener` hears of it when it is released, or that it failed. */
export function holdAnswer(
  plane: Plane,
  held: { readonly asking: Asking; readonly head: ResponseHead },
  listener: AnswerListener,
): Hold {
  const hold = new Hold(plane, held.asking, listener);
  held.asking.handTo(hold.answer);
  hold.answer.answerHead(held.head, held.asking.route);
  return hold;
}

export class Hold implements HeldWatcher, Timed {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly answer: HeldAnswer;
  readonly #plane: Plane;
  readonly #listener: AnswerListener;
  #timed = false;
  #over = false;

  constructor(plane: Plane, asking: Asking, listener: AnswerListener) {
    this.#plane = plane;
    this.#listener = listener;
    this.answer = new HeldAnswer(asking, { watcher: this, plane, bytesMax: asking.route.holdBytes });
  }

  /** Nobody waits for the answer any more: it is never released, and the room it takes is given back. */
  letGo(): void {
    if (this.#over) return;
    this.#stop();
    this.answer.abandon();
  }

  onDeadline(): void {
    this.#release();
  }

  heldInterim(_held: HeldAnswer, head: ResponseHead): void {
    this.#listener.answerInterim(head);
  }

  heldHead(): void {}

  heldFull(): void {
    this.#release();
  }

  heldEnded(): void {
    this.#release();
  }

  /** A read is over and the answer is not whole: from here the clock runs. Most answers never come here. */
  heldFlush(): void {
    // The read in which an answer failed, or ended, is over only after that.
    if (this.#timed || this.#over) return;
    this.#timed = true;
    this.deadlineMs = this.#plane.clock.nowMs() + this.answer.asking.route.holdMs;
    this.#plane.sweeper.add(this);
  }

  heldFailed(_held: HeldAnswer, failure: Failure): void {
    this.#stop();
    // The client has seen nothing of it, so it is as if the answer had not begun.
    this.#listener.answerFailed({ ...failure, phase: 'sent' });
  }

  #release(): void {
    this.#stop();
    this.answer.releaseTo(this.#listener);
  }

  #stop(): void {
    this.#over = true;
    if (this.#timed) this.#plane.sweeper.delete(this);
  }
}
