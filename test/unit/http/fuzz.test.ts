/**
 * Messages damaged at random, held against Node's parser. `SEED` repeats a run, `FUZZ_SECONDS` makes it
 * longer.
 */
import { expect, it } from 'vitest';
import { fragments, requests, responses } from './corpus.ts';
import { requestsAgree, responseAgrees } from './node-agrees.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const totalMs = Number(process.env.FUZZ_SECONDS ?? 4) * 1000;
/** Enough that a machine that is busy with other things still fuzzes. */
const casesMin = 500;

it('reads requests as Node does', { timeout: totalMs + 60_000 }, async () => {
  await fuzz(requests, (text, random) => requestsAgree(text, cutsOf(text, random)));
});

it('reads responses as Node does', { timeout: totalMs + 60_000 }, async () => {
  await fuzz(responses, (text, random) => {
    const method = random() < 0.2 ? 'HEAD' : 'GET';
    return responseAgrees(text, method, cutsOf(text, random));
  });
});

type Random = () => number;

async function fuzz(corpus: readonly string[], agree: (text: string, random: Random) => Promise<void>): Promise<void> {
  const random = randomOf(seed);
  const end = performance.now() + totalMs / 2;
  let cases = 0;
  while (cases < casesMin || performance.now() < end) {
    const text = damaged(corpus, random);
    try {
      await agree(text, random);
    } catch (error) {
      throw new Error(`SEED=${seed}, case ${cases}: ${JSON.stringify(text)}`, { cause: error });
    }
    cases += 1;
  }
  console.info(`fuzz: ${cases} cases from SEED=${seed}`);
  expect(cases).toBeGreaterThanOrEqual(casesMin);
}

/** One to three messages in a row, with one to four things done to them. */
function damaged(corpus: readonly string[], random: Random): string {
  let text = pick(corpus, random);
  while (random() < 0.3) text += pick(corpus, random);
  for (let changes = 1 + random() * 4; changes >= 1; changes -= 1) text = change(text, corpus, random);
  return text;
}

function change(text: string, corpus: readonly string[], random: Random): string {
  const at = Math.floor(random() * (text.length + 1));
  const to = Math.min(text.length, at + Math.floor(random() * 8));
  switch (Math.floor(random() * 7)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, at) + pick(fragments, random) + text.slice(to);
    case 2:
      return text.slice(0, at) + String.fromCharCode(random() * 256) + text.slice(at + 1);
    case 3:
      return text.slice(0, to) + text.slice(at);
    case 4:
      return text.slice(0, at) + pick(corpus, random).slice(Math.floor(random() * 40));
    default:
      return insertLine(text, pick(fragments, random), random);
  }
}

/** Puts a fragment where a line begins, which is where it does most harm. */
function insertLine(text: string, fragment: string, random: Random): string {
  const starts = [...text.matchAll(/\n/g)].map(({ index }) => index + 1);
  if (starts.length === 0) return fragment + text;
  const at = starts[Math.floor(random() * starts.length)] ?? 0;
  return text.slice(0, at) + fragment + text.slice(at);
}

function cutsOf(text: string, random: Random): readonly number[] {
  const cuts = Array.from({ length: 1 + random() * 3 }, () => Math.floor(random() * text.length));
  return cuts.filter((cut) => cut > 0).sort((a, b) => a - b);
}

function pick(from: readonly string[], random: Random): string {
  return from[Math.floor(random() * from.length)] ?? '';
}

/** The generator mulberry32: small, and the same everywhere for the same seed. */
function randomOf(start: number): Random {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
