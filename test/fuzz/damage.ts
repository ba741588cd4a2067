/** Messages damaged by chance: what is done to valid ones to see what is read in them. */

import type { Chance } from '../kit/chance.ts';
import { fragments } from '../unit/http/corpus.ts';

/** One to four things are done to the text. @param others what parts are taken from */
export function damaged(text: string, others: readonly string[], chance: Chance): string {
  let result = text;
  for (let changes = 1 + chance.below(4); changes > 0; changes -= 1) result = change(result, others, chance);
  return result;
}

/** Where the text is cut into pieces, in order: at most three places. */
export function cutsOf(text: string, chance: Chance): readonly number[] {
  const cuts = Array.from({ length: 1 + chance.below(3) }, () => chance.below(text.length));
  return cuts.filter((cut) => cut > 0).sort((a, b) => a - b);
}

function change(text: string, others: readonly string[], chance: Chance): string {
  const at = chance.below(text.length + 1);
  const to = Math.min(text.length, at + chance.below(8));
  switch (chance.below(7)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, at) + chance.pick(fragments) + text.slice(to);
    case 2:
      return text.slice(0, at) + String.fromCharCode(chance.below(256)) + text.slice(at + 1);
    case 3:
      return text.slice(0, to) + text.slice(at);
    case 4:
      return text.slice(0, at) + chance.pick(others).slice(chance.below(40));
    default:
      return insertLine(text, chance.pick(fragments), chance);
  }
}

/** Puts a fragment where a line begins, which is where it does most harm. */
function insertLine(text: string, fragment: string, chance: Chance): string {
  const starts = [...text.matchAll(/\n/g)].map(({ index }) => index + 1);
  if (starts.length === 0) return fragment + text;
  const at = chance.pick(starts);
  return text.slice(0, at) + fragment + text.slice(at);
}
