/**
 * How often the verdict errs: releases by the thousand, played with a seeded chance, and chances that can be worked out
 * exactly. Requests fail independently at given rates.
 */
import { chooseBaseline, type Served } from '../../../src/core/release/baseline.ts';
import {
  type Baseline,
  type Evidence,
  NO_EVIDENCE,
  withAnswers,
  withFinding,
} from '../../../src/core/release/evidence.ts';
import { judge } from '../../../src/core/release/verdict.ts';
import { PATIENT } from './specs.ts';

/** What is known of the older version. */
export type Known =
  /** A thousand requests before the release, none during it. */
  | 'before'
  /** The same, and one request during it for each of the version on trial. */
  | 'before and during'
  /** One request during the release for each of the version on trial, none before. */
  | 'during'
  /** Nothing. */
  | 'assumed';

export interface Release {
  readonly candidateRate: number;
  readonly olderRate: number;
  readonly known: Known;
  /** `hidden`: all failures are replayed on the older version. `seen`: none can be. */
  readonly failures: 'hidden' | 'seen';
  /** Of the version on trial. */
  readonly requests: number;
}

export type Chance = () => number;

/** Numbers in [0, 1), the same for the same seed (the generator is mulberry32). */
export function seeded(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Plays one release: after how many requests of its own the version was found guilty, or null. It is judged at each failure and every
 * now and then between.
 */
export function guiltyAfter(release: Release, chance: Chance): number | null {
  const { candidateRate, olderRate, known, failures, requests } = release;
  const serve = (to: { requests: number; failures: number; unpaired: number }) => {
    to.requests += 1;
    if (chance() >= olderRate) return;
    to.failures += 1;
    if (failures === 'seen') to.unpaired += 1;
  };
  const before = { requests: 0, failures: 0, unpaired: 0 };
  const during = { requests: 0, failures: 0, unpaired: 0 };
  for (let i = known === 'before' || known === 'before and during' ? 1000 : 0; i > 0; i -= 1) serve(before);
  let evidence = NO_EVIDENCE;
  let answers = 0;
  for (let n = 1; n <= requests; n += 1) {
    if (known === 'during' || known === 'before and during') serve(during);
    const failed = chance() < candidateRate;
    if (!failed) answers += 1;
    if (!failed && n % 250 !== 0 && n !== PATIENT.minRequests) continue;
    evidence = withAnswers(evidence, answers);
    answers = 0;
    if (failed) evidence = withFinding(evidence, kindOf(failures, chance() < olderRate));
    if (judge(evidence, chooseBaseline(during, before), PATIENT).kind === 'guilty') return n;
  }
  return null;
}

function kindOf(failures: Release['failures'], olderFails: boolean): 'blamed' | 'shared' | 'unpaired' {
  if (failures === 'seen') return 'unpaired';
  return olderFails ? 'shared' : 'blamed';
}

/** Share of releases in which the version was found guilty. */
export function shareFoundGuilty(release: Release, runs: number, seed = 1): number {
  const chance = seeded(seed);
  let count = 0;
  for (let run = 0; run < runs; run += 1) if (guiltyAfter(release, chance) !== null) count += 1;
  return count / runs;
}

/**
 * Plays a GRADUAL release by 1 % a request in which both versions fail alike and a thousand requests of the older one are known: how
 * many requests there were until the ramp was through, or null when it was not after half a million.
 */
export function requestsToTheEnd(rate: number, chance: Chance): number | null {
  const baseline: Baseline = { requests: 1000, failures: Math.round(1000 * rate), unpaired: 0, source: 'before' };
  let evidence = NO_EVIDENCE;
  let verdict = judge(evidence, baseline, PATIENT);
  let threshold = 1;
  for (let n = 1; n <= 500_000; n += 1) {
    const answered = chance() >= rate;
    if (chance() * 100 < threshold) {
      const kind = chance() < rate ? 'shared' : 'blamed';
      evidence = answered ? withAnswers(evidence, 1) : withFinding(evidence, kind);
      verdict = judge(evidence, baseline, PATIENT);
    }
    if (verdict.kind === 'guilty') return null;
    if (answered && verdict.kind === 'clean') threshold += 1;
    if (threshold >= 100) return n;
  }
  return null;
}

/**
 * The chance that the rate rule alone finds the version guilty within its first requests, worked out over all ways in which it may
 * go. For baselines that stand still; failures are hidden.
 */
export function chanceOfGuilt({ candidateRate, olderRate, known, requests }: Release): number {
  const blamedRate = candidateRate * (1 - olderRate);
  if (known === 'assumed') return chanceAgainst(chooseBaseline(NONE, NONE), blamedRate, requests);
  let chance = 0;
  let weight = (1 - olderRate) ** 1000;
  for (let failures = 0; failures <= 60; failures += 1) {
    const before: Served = { requests: 1000, failures, unpaired: 0 };
    if (weight > 1e-9) chance += weight * chanceAgainst(chooseBaseline(NONE, before), blamedRate, requests);
    weight *= ((1000 - failures) / (failures + 1)) * (olderRate / (1 - olderRate));
  }
  return chance;
}

const NONE: Served = { requests: 0, failures: 0, unpaired: 0 };

/** `alive[k]`: the chance of k failures so far and no verdict yet. */
function chanceAgainst(baseline: Baseline, rate: number, requests: number): number {
  let alive = [1];
  let guilty = 0;
  let least = 1;
  for (let n = 1; n <= requests; n += 1) {
    const next = [...alive, 0].map((chance, k) => chance * (1 - rate) + (alive[k - 1] ?? 0) * rate);
    least = Math.max(1, least - 1);
    while (least <= n && judge(evidenceOf(n, least), baseline, PATIENT).kind !== 'guilty') least += 1;
    guilty += next.slice(least).reduce((sum, chance) => sum + chance, 0);
    alive = next.slice(0, least);
  }
  return guilty;
}

/** Failures so far apart that the consecutive rule is idle. */
function evidenceOf(requests: number, blamed: number): Evidence {
  const tally = { answered: requests - blamed, blamed, shared: 0, unpaired: 0 };
  return { ...NO_EVIDENCE, ...tally, recent: tally };
}
