/**
 * Messages damaged at random, held against Node's parser. What our parser reads in a new way joins the messages that are damaged
 * further, so that the damage goes deeper. `SEED` repeats a run, `FUZZ_SECONDS` makes it longer, `FUZZ_KEEP` adds what was found to
 * `test/fixtures/corpus/codec.json`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cutsOf, damaged } from '../../fuzz/damage.ts';
import { Chance } from '../../kit/chance.ts';
import { requests, responses } from './corpus.ts';
import { requestsAgree, responseAgrees } from './node-agrees.ts';
import { type Played, playRequests, playResponses } from './replay.ts';

const CORPUS = join(import.meta.dirname, '../../fixtures/corpus/codec.json');
const corpus = JSON.parse(readFileSync(CORPUS, 'utf8')) as Record<'requests' | 'responses', string[]>;
/** The same in each ordinary run, so that what is found is found at once by who made it; a long run looks for what is new. */
const seed = Number(process.env.SEED ?? (process.env.FUZZ_SECONDS === undefined ? 1 : Date.now() % 2 ** 31));
const totalMs = Number(process.env.FUZZ_SECONDS ?? 4) * 1000;
/** Enough that a machine that is busy with other things still fuzzes. */
const casesMin = 500;
/** Longer messages are found again from shorter ones. */
const KEPT_BYTES = 300;
const KEPT_MAX = 80;

it('reads requests as Node does', { timeout: totalMs + 60_000 }, async () => {
  await fuzz('requests', requests, {
    agree: (text, chance) => requestsAgree(text, cutsOf(text, chance)),
    play: (text) => playRequests(text),
  });
});

it('reads responses as Node does', { timeout: totalMs + 60_000 }, async () => {
  await fuzz('responses', responses, {
    agree: (text, chance) => responseAgrees(text, chance.hits(0.2) ? 'HEAD' : 'GET', cutsOf(text, chance)),
    play: (text) => playResponses(text, { end: 'closes' }),
  });
});

interface Reading {
  agree(text: string, chance: Chance): Promise<void>;
  play(
    text: string,
  ): Played<{ framing: string; whole: boolean; keepAlive: boolean; fields: string[]; trailers: string[] }>;
}

async function fuzz(name: keyof typeof corpus, valid: readonly string[], { agree, play }: Reading): Promise<void> {
  const chance = new Chance(seed);
  const check = async (text: string, which: string): Promise<void> => {
    try {
      await agree(text, chance);
    } catch (error) {
      throw new Error(`SEED=${seed}, ${which}: ${JSON.stringify(text)}`, { cause: error });
    }
  };
  const known = new Map<string, string>();
  for (const text of [...valid, ...corpus[name]]) {
    await check(text, 'of the corpus');
    known.set(readingOf(play(text)), text);
  }
  const texts = [...valid, ...corpus[name]];
  const endMs = performance.now() + totalMs / 2;
  let cases = 0;
  for (; cases < casesMin || performance.now() < endMs; cases += 1) {
    let text = chance.pick(texts);
    while (chance.hits(0.3)) text += chance.pick(texts);
    text = damaged(text, texts, chance);
    await check(text, `case ${cases}`);
    const reading = readingOf(play(text));
    if (known.has(reading) || text.length > KEPT_BYTES || texts.length > KEPT_MAX) continue;
    known.set(reading, text);
    texts.push(text);
  }
  console.info(`fuzz: ${cases} ${name} from SEED=${seed}, ${known.size} kinds of reading`);
  expect(cases).toBeGreaterThanOrEqual(casesMin);
  if (process.env.FUZZ_KEEP !== undefined) keep(name, texts.slice(valid.length));
}

/** What a message was taken for, without its contents. */
function readingOf({ messages, error, left }: ReturnType<Reading['play']>): string {
  const kinds = messages.map(({ framing, whole, keepAlive, fields, trailers }) =>
    [framing, whole, keepAlive, Math.min(fields.length, 3), Math.min(trailers.length, 2)].join(),
  );
  return `${kinds.slice(0, 3).join(' ')} ${error} ${left > 0}`;
}

function keep(name: keyof typeof corpus, texts: string[]): void {
  corpus[name] = texts;
  writeFileSync(CORPUS, `${JSON.stringify(corpus, null, 1)}\n`);
}
