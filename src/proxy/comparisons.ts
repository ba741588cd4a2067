/**
 * Which exchanges are compared, and for which of them the older version is asked twice. How often a version's answers differ from
 * themselves is the noise: a counter, a time, an order that is left to chance. Without knowing it, no difference says anything.
 */
import { type ReadyRules, readyRules } from '../core/compare/rules.ts';
import type { CompareRules } from '../core/config/model.ts';
import type { Asking, Question } from './asking.ts';
import { Comparison } from './comparison.ts';
import type { Plane } from './plane.ts';

/** Spreads a share evenly and in step with nothing, which a fixed interval would not (Weyl's sequence). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** These change nothing, so one more of them is harmless; a second DELETE is answered differently, and rightly so. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

interface Ready {
  readonly rules: ReadyRules;
  readonly epoch: number;
  askedTwice: number;
  phase: number;
}

export class Comparisons {
  readonly #ready = new WeakMap<CompareRules, Ready>();

  /** @param askings newest first. Null: there is nothing to compare. */
  begin(plane: Plane, askings: readonly Asking[], question: Question): Comparison | null {
    const [newest, older] = askings;
    const compare = newest?.route.compare ?? null;
    if (newest === undefined || older === undefined || compare === null || !question.counts) return null;
    const ready = this.#readyFor(compare, newest.route.epoch);
    const asksTwice = isSampled(plane, ready, { compare, method: question.outgoing.request.method });
    return new Comparison(plane, { rules: ready.rules, askings, question, asksTwice });
  }

  #readyFor(compare: CompareRules, epoch: number): Ready {
    const known = this.#ready.get(compare);
    if (known?.epoch === epoch) return known;
    const fresh = { rules: readyRules(compare), epoch, askedTwice: 0, phase: 0 };
    this.#ready.set(compare, fresh);
    return fresh;
  }
}

function isSampled(
  plane: Plane,
  ready: Ready,
  { compare, method }: { readonly compare: CompareRules; readonly method: string },
): boolean {
  if (compare.sample === 0 || !SAFE_METHODS.includes(method)) return false;
  ready.phase = (ready.phase + GOLDEN) % 1;
  const isDue = ready.askedTwice < compare.sampleFirst || ready.phase < compare.sample;
  if (!isDue || plane.droppedAnswers >= plane.config.limits.concurrentAttempts) return false;
  ready.askedTwice += 1;
  return true;
}
