/**
 * The answers of several versions to one request, compared (thesis section 4.1) while they pass: the newest version's with that of
 * the next older one that answered, once both are whole. An answer that failed, was cut off or is a server's error is not compared: that
 * is evidence of another kind. Where the exchange is in the sample, the older version is asked a second time and compared with itself.
 */
import { compareAnswers, shownTarget } from '../core/compare/difference.ts';
import { AnswerDigest, type AnswerPrint } from '../core/compare/digest.ts';
import type { ReadyRules } from '../core/compare/rules.ts';
import type { ResponseHead } from '../core/http/message.ts';
import { isServerFailure } from '../core/routing/replay.ts';
import type { Route } from '../core/routing/table.ts';
import { type AnswerTap, Asking, type Question } from './asking.ts';
import type { AnswerListener } from './message-level.ts';
import type { Plane } from './plane.ts';

interface Compares {
  readonly rules: ReadyRules;
  /** Newest first. */
  readonly askings: readonly Asking[];
  readonly question: Question;
  readonly asksTwice: boolean;
}

export class Comparison {
  readonly #plane: Plane;
  readonly #routes: readonly Route[];
  readonly #method: string;
  readonly #path: string;
  /** In the order of the versions asked. */
  readonly #answers: readonly TappedAnswer[];
  /** The older version asked again, or null. */
  readonly #again: Asking | null = null;
  readonly #answerAgain: TappedAnswer | null = null;
  #decided = false;
  #noiseDecided = true;

  constructor(plane: Plane, { rules, askings, question, asksTwice }: Compares) {
    const { request } = question.outgoing;
    this.#plane = plane;
    this.#routes = askings.map(({ route }) => route);
    this.#method = request.method;
    this.#path = shownTarget(request.forwardTarget);
    this.#answers = askings.map((asking) => this.#tap(asking, rules));
    if (!asksTwice) return;
    const listener = NOBODY;
    this.#again = new Asking(plane, this.#routes[1] as Route, { ...question, counts: false, direct: false, listener });
    this.#again.wanted = false;
    this.#answerAgain = this.#tap(this.#again, rules);
    this.#noiseDecided = false;
    plane.droppedAnswers += 1;
  }

  begin(): void {
    this.#again?.begin();
  }

  /** The exchange is given up. Its versions' attempts are not this one's to end. */
  abandon(): void {
    this.#again?.abandon();
  }

  #tap(asking: Asking, rules: ReadyRules): TappedAnswer {
    const answer = new TappedAnswer(new AnswerDigest(rules, this.#plane.budget), () => this.#settled(answer));
    asking.tapWith(answer);
    return answer;
  }

  #settled(answer: TappedAnswer): void {
    if (answer === this.#answerAgain && answer.over) this.#plane.droppedAnswers -= 1;
    if (!this.#decided) this.#decide();
    if (!this.#noiseDecided) this.#decideNoise();
    if (!this.#decided || !this.#noiseDecided) return;
    for (const unneeded of [...this.#answers, this.#answerAgain]) unneeded?.drop();
  }

  #decide(): void {
    const [newest, ...older] = this.#answers;
    const other = older.find(({ state }) => state !== 'failed');
    if (newest?.state !== 'failed' && other !== undefined) {
      if (newest?.print == null || other.print === null) return;
      const figures = this.#plane.register.of(this.#newest.id);
      const { differing, unread } = compareAnswers(other.print, newest.print);
      figures.compared += 1;
      if (unread !== null) figures.bodiesUnread += 1;
      if (differing.length > 0) {
        figures.different += 1;
        this.#report(this.#routes[this.#answers.indexOf(other)] as Route, { differing, noise: false });
      }
    }
    this.#decided = true;
  }

  #decideNoise(): void {
    const [, first] = this.#answers;
    const second = this.#answerAgain;
    if (first?.state !== 'failed' && second?.state !== 'failed') {
      if (first?.print == null || second?.print == null) return;
      const figures = this.#plane.register.of(this.#newest.id);
      const { differing } = compareAnswers(first.print, second.print);
      figures.noiseCompared += 1;
      if (differing.length > 0) {
        figures.noiseDifferent += 1;
        this.#report(this.#routes[1] as Route, { differing, noise: true });
      }
    }
    this.#noiseDecided = true;
  }

  get #newest(): Route {
    return this.#routes[0] as Route;
  }

  #report(against: Route, found: Pick<Parameters<Plane['sink']['difference']>[0], 'differing' | 'noise'>): void {
    this.#plane.sink.difference({
      versionId: this.#newest.id,
      epoch: this.#newest.epoch,
      against: against.version,
      method: this.#method,
      path: this.#path,
      ...found,
    });
  }
}

/** One answer on its way, and what there is to compare of it once it is whole. */
class TappedAnswer implements AnswerTap {
  state: 'coming' | 'whole' | 'failed' = 'coming';
  print: AnswerPrint | null = null;
  /** The attempt has ended. */
  over = false;
  #digest: AnswerDigest | null;
  readonly #onSettled: () => void;

  constructor(digest: AnswerDigest, onSettled: () => void) {
    this.#digest = digest;
    this.#onSettled = onSettled;
  }

  tapHead(head: ResponseHead): void {
    if (!isServerFailure(head.status)) this.#digest?.head(head);
    else this.#fail();
  }

  tapBody(bytes: Buffer, from: number, to: number): void {
    this.#digest?.body(bytes, from, to);
  }

  tapEnd(): void {
    this.over = true;
    if (this.#digest !== null) {
      this.print = this.#digest.end();
      this.#digest = null;
      this.state = 'whole';
    }
    this.#onSettled();
  }

  tapFailed(): void {
    this.over = true;
    this.#fail();
  }

  /** It is not needed any more. */
  drop(): void {
    this.#digest?.drop();
    this.#digest = null;
  }

  #fail(): void {
    this.drop();
    this.state = 'failed';
    this.#onSettled();
  }
}

/** Whom the second answer is for. */
const NOBODY: AnswerListener = {
  answeringConnected(): void {},
  answerInterim(): void {},
  answerHead(): void {},
  answerBody(): void {},
  answerEnd(): void {},
  answerFailed(): void {},
  requestDrained(): void {},
  answerFlush(): void {},
};
