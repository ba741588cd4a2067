import { describe, expect, test } from 'vitest';
import type { VerdictRules } from '../../../src/core/config/model.ts';
import { chooseBaseline, type Served } from '../../../src/core/release/baseline.ts';
import {
  type Baseline,
  type Evidence,
  NO_EVIDENCE,
  withAnswers,
  withFinding,
} from '../../../src/core/release/evidence.ts';
import { judge, judgeServers, type Verdict } from '../../../src/core/release/verdict.ts';
import { PATIENT } from './specs.ts';

const BEFORE: Baseline = { requests: 1000, failures: 1, unpaired: 0, source: 'before' };
const ASSUMED: Baseline = { requests: 0, failures: 0, unpaired: 0, source: 'assumed' };

type Step = number | 'blamed' | 'shared' | 'unpaired';

/** Numbers are answers. */
function seen(...steps: readonly Step[]): Evidence {
  return steps.reduce<Evidence>(
    (evidence, step) => (typeof step === 'number' ? withAnswers(evidence, step) : withFinding(evidence, step)),
    NO_EVIDENCE,
  );
}

/** `failures` in every `of` requests, `rounds` times over. */
function spread(kind: 'blamed' | 'shared' | 'unpaired', [failures, of]: readonly [number, number], rounds: number) {
  let evidence = NO_EVIDENCE;
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < failures; i += 1) evidence = withFinding(withAnswers(evidence, of / failures - 1), kind);
  }
  return evidence;
}

function verdict(evidence: Evidence, baseline: Baseline = BEFORE, rules: Partial<VerdictRules> = {}): Verdict {
  return judge(evidence, baseline, { ...PATIENT, ...rules });
}

const guiltyBy = (rule: string, reason: string | RegExp) => ({
  kind: 'guilty',
  rule,
  reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
});

test('clean while nothing has failed, however little was seen', () => {
  for (const evidence of [NO_EVIDENCE, seen(1), seen(100_000)]) {
    expect(verdict(evidence)).toEqual({ kind: 'clean', reason: 'It has not failed' });
    expect(verdict(evidence, ASSUMED, { preset: 'strict' }).kind).toBe('clean');
  }
});

test('a rate that was measured needs more proof than the same rate that is assumed', () => {
  const measured: Baseline = { requests: 1e9, failures: 5e6, unpaired: 0, source: 'before' };
  const evidence = seen(19, 'blamed', 19, 'blamed', 19, 'blamed');
  const at = (falseAlarm: number) => [ASSUMED, measured].map((base) => verdict(evidence, base, { falseAlarm }).kind);
  expect(at(0.016)).toEqual(['inconclusive', 'inconclusive']);
  expect(at(0.0185)).toEqual(['guilty', 'inconclusive']);
  expect(at(0.021)).toEqual(['guilty', 'guilty']);
});

test('the first failure makes it inconclusive, not guilty', () => {
  expect(verdict(seen('blamed'))).toEqual({
    kind: 'inconclusive',
    reason:
      'It failed 1 of its 1 requests (100 %), the older version 1 of 1000 before the release (0.1 %): nothing is decided yet',
  });
  expect(verdict(seen(20, 'unpaired')).kind).toBe('inconclusive');
  expect(verdict(seen('blamed'), ASSUMED)).toMatchObject({
    reason: expect.stringContaining('where 0.5 % is assumed of the older version'),
  });
  expect(verdict(seen('blamed'), { ...BEFORE, source: 'release' })).toMatchObject({
    reason: expect.stringContaining('the older version 1 of 1000 meanwhile (0.1 %)'),
  });
});

describe('strict', () => {
  const strict = (evidence: Evidence, baseline = BEFORE) => verdict(evidence, baseline, { preset: 'strict' });

  test('the first blamed or unpaired failure decides', () => {
    expect(strict(seen(5000, 'blamed'))).toEqual(guiltyBy('strict', /older version answered/));
    expect(strict(seen('unpaired'))).toEqual(guiltyBy('strict', /no older version could answer/));
    const seesMany = { ...BEFORE, failures: 100, unpaired: 100 };
    expect(strict(seen('unpaired'), seesMany).kind).toBe('guilty');
  });

  test('a shared failure is nobody’s', () => {
    expect(strict(seen(50, 'shared', 50)).kind).toBe('clean');
  });
});

describe('failures in a row', () => {
  const five: Step[] = ['blamed', 'unpaired', 'blamed', 'blamed', 'unpaired'];

  test('five are enough', () => {
    expect(verdict(seen(...five.slice(1)))).toMatchObject({ kind: 'inconclusive' });
    expect(verdict(seen(...five))).toEqual(guiltyBy('consecutive', 'It failed 5 requests in a row'));
    expect(verdict(seen(100_000, ...five)).kind).toBe('guilty');
  });

  test('an answer or a shared failure between them starts anew', () => {
    for (const between of [1, 'shared'] as const) {
      const [first, ...others] = five;
      expect(verdict(seen(first as Step, between, ...others)).kind).toBe('inconclusive');
    }
  });

  test('as many as are configured', () => {
    expect(verdict(seen('blamed', 'blamed'), BEFORE, { consecutive: 2 })).toMatchObject({ rule: 'consecutive' });
    expect(verdict(seen(...five), BEFORE, { consecutive: 6 }).kind).toBe('inconclusive');
  });

  test.each([
    [49, 'guilty'],
    [50, 'inconclusive'],
  ])('unpaired ones count only while few of the older version’s are: %d of 1000, %s', (unpaired, kind) => {
    const baseline = { ...BEFORE, failures: 60, unpaired };
    expect(verdict(seen(...five), baseline).kind).toBe(kind);
    expect(verdict(seen('blamed', 'blamed', 'unpaired', 'blamed', 'blamed', 'blamed'), baseline).kind).toBe('guilty');
  });

  test('unpaired ones count where nothing is known of the older version', () => {
    expect(verdict(seen(...five), { ...ASSUMED, requests: 10, unpaired: 10 }).kind).toBe('guilty');
    expect(verdict(seen(...five), { ...ASSUMED, source: 'release' }).kind).toBe('guilty');
  });
});

describe('the rate', () => {
  test('of failures far above the older version’s is guilty, with both rates in the reason', () => {
    expect(verdict(spread('blamed', [1, 10], 10))).toEqual(
      guiltyBy(
        'rate',
        'It failed 10 of its 100 requests (10 %), the older version 1 of 1000 before the release (0.1 %)',
      ),
    );
    expect(verdict(spread('unpaired', [1, 10], 10))).toMatchObject({ rule: 'rate' });
    expect(verdict(spread('blamed', [1, 10], 10), ASSUMED)).toEqual(guiltyBy('rate', /where 0.5 % is assumed/));
  });

  test('like the older version’s is not', () => {
    const fails = (failures: number): Baseline => ({ ...BEFORE, failures, unpaired: failures });
    expect(verdict(spread('blamed', [1, 10], 1000), fails(100)).kind).toBe('clean');
    expect(verdict(spread('unpaired', [1, 100], 1000), fails(10)).kind).toBe('clean');
  });

  test('is judged against less certain baselines with more patience', () => {
    const evidence = spread('blamed', [1, 20], 8);
    const few: Baseline = { ...BEFORE, requests: 100, failures: 0, source: 'release' };
    expect(verdict(evidence, BEFORE).kind).toBe('guilty');
    expect(verdict(evidence, few).kind).toBe('inconclusive');
  });

  test('is not looked at before the version has had its first requests', () => {
    const early = spread('blamed', [1, 2], 14);
    expect(verdict(early).kind).toBe('inconclusive');
    expect(verdict(withAnswers(early, 1)).kind).toBe('inconclusive');
    expect(verdict(withAnswers(early, 2))).toMatchObject({ rule: 'rate' });
    expect(verdict(early, BEFORE, { minRequests: 28 })).toMatchObject({ rule: 'rate' });
  });

  test('shared failures are left out of it', () => {
    let evidence = NO_EVIDENCE;
    for (let i = 0; i < 50; i += 1) evidence = withFinding(withAnswers(evidence, 9), 'shared');
    const failsTenth = { ...BEFORE, failures: 100 };
    expect(verdict(evidence, failsTenth).kind).toBe('clean');
    // 3 of 100 without them; with them as answers it would be 3 of 600.
    const alone = spread('blamed', [1, 33], 9);
    let among = alone;
    for (let i = 0; i < 3000; i += 1) among = withFinding(among, 'shared');
    expect(verdict(alone).kind).toBe('guilty');
    expect(verdict(among).kind).toBe('guilty');
  });

  test('unpaired failures are held against the older version’s own', () => {
    const base: Baseline = { requests: 10_000, failures: 400, unpaired: 10, source: 'release' };
    expect(verdict(spread('blamed', [1, 33], 20), base).kind).not.toBe('guilty');
    expect(verdict(spread('unpaired', [1, 33], 20), base)).toEqual(
      guiltyBy('rate', /not to be hidden, \(3 %\), the older version 10 of 10000 meanwhile \(0.1 %\)/),
    );
    expect(verdict(spread('unpaired', [1, 33], 20), { ...base, unpaired: 300 }).kind).not.toBe('guilty');
  });

  test('of its last requests counts too, when it was good for long', () => {
    let evidence = seen(100_000);
    for (let i = 0; i < 8; i += 1) evidence = withFinding(withAnswers(evidence, 4), 'blamed');
    expect(verdict(evidence)).toEqual(guiltyBy('rate', /^It failed 8 of its 40 last requests \(20 %\)/));
    expect(verdict(withAnswers(evidence, 250)).kind).toBe('clean');
  });

  test('is looked at as sharply as is configured', () => {
    const evidence = spread('blamed', [1, 25], 5);
    expect(verdict(evidence, BEFORE, { falseAlarm: 0.05 }).kind).toBe('guilty');
    expect(verdict(evidence, BEFORE, { falseAlarm: 0.0001 }).kind).toBe('inconclusive');
    const assumed = spread('blamed', [1, 25], 10);
    expect(verdict(assumed, ASSUMED).kind).toBe('guilty');
    expect(verdict(assumed, ASSUMED, { assumedRate: 0.04 }).kind).not.toBe('guilty');
  });
});

describe('a version that has failed', () => {
  test('is clean again once it is shown to fail no more than the older one and the margin', () => {
    const once = seen('blamed');
    expect(verdict(withAnswers(once, 90)).kind).toBe('inconclusive');
    expect(verdict(withAnswers(once, 120))).toEqual({
      kind: 'clean',
      reason: expect.stringMatching(/^It failed 1 of its 121 requests .* no more than that and the margin of 5 %$/),
    });
  });

  test('waits longer where the margin is narrow', () => {
    const evidence = seen('blamed', 200);
    expect(verdict(evidence, BEFORE, { margin: 0.05 }).kind).toBe('clean');
    expect(verdict(evidence, BEFORE, { margin: 0.02 }).kind).toBe('inconclusive');
  });

  test('is held again when it fails again, and found guilty when it goes on', () => {
    let evidence = seen('blamed', 120);
    const kinds: string[] = [];
    for (let i = 0; i < 40 && kinds.at(-1) !== 'guilty'; i += 1) {
      evidence = withFinding(withAnswers(evidence, 3), 'blamed');
      kinds.push(verdict(evidence).kind);
    }
    expect(kinds[0]).toBe('inconclusive');
    expect(kinds.at(-1)).toBe('guilty');
  });

  test('must pass by its unpaired failures as well', () => {
    const base: Baseline = { requests: 1000, failures: 50, unpaired: 0, source: 'before' };
    const evidence = (kind: 'blamed' | 'unpaired') => spread(kind, [1, 60], 4);
    expect(verdict(evidence('blamed'), base).kind).toBe('clean');
    expect(verdict(evidence('unpaired'), base).kind).toBe('inconclusive');
  });
});

describe('shared failures', () => {
  test('as many as before are nothing', () => {
    expect(verdict(spread('shared', [1, 100], 5), { ...BEFORE, failures: 10 })).toEqual({
      kind: 'clean',
      reason: 'It has not failed',
    });
    expect(verdict(seen(30, 'shared')).kind).toBe('clean');
  });

  test('well above what was before hold the release, and let it go when they end', () => {
    const outage = withFinding(spread('shared', [1, 4], 10), 'shared');
    expect(verdict(outage)).toEqual({
      kind: 'inconclusive',
      reason: 'Both versions failed 11 of its 41 last requests (27 %): more than the older one did before the release',
    });
    expect(verdict(withAnswers(outage, 150)).kind).toBe('inconclusive');
    // Into the next window, but not out of both.
    expect(verdict(withAnswers(outage, 230)).kind).toBe('inconclusive');
    expect(verdict(withAnswers(outage, 600)).kind).toBe('clean');
  });

  test('are held against the time before the release, not the time since', () => {
    const outage = spread('shared', [1, 4], 10);
    const during: Baseline = { requests: 1000, failures: 250, unpaired: 250, source: 'release' };
    expect(verdict(outage, during).kind).toBe('inconclusive');
    expect(verdict(outage, { ...during, before: { requests: 1000, failures: 1 } }).kind).toBe('inconclusive');
    expect(verdict(outage, { ...during, before: { requests: 1000, failures: 250 } }).kind).toBe('clean');
    expect(verdict(outage, { ...during, source: 'before' }).kind).toBe('clean');
    expect(verdict(outage, ASSUMED, { assumedRate: 0.3 }).kind).toBe('clean');
  });

  test('hold a version that would pass otherwise, and save none that is guilty', () => {
    let evidence = seen('blamed', 400);
    for (let i = 0; i < 20; i += 1) evidence = withFinding(withAnswers(evidence, 2), 'shared');
    expect(verdict(evidence)).toMatchObject({ kind: 'inconclusive', reason: expect.stringMatching(/^Both versions/) });
    for (let i = 0; i < 5; i += 1) evidence = withFinding(evidence, 'blamed');
    expect(verdict(evidence)).toMatchObject({ rule: 'consecutive' });
  });
});

describe('dead', () => {
  test.each([
    [1, 0, 'clean'],
    [1, 1, 'guilty'],
    [2, 1, 'clean'],
    [3, 1, 'clean'],
    [3, 2, 'guilty'],
    [4, 2, 'clean'],
  ])('of %d servers %d ejected: %s', (servers, ejected, kind) => {
    expect(judgeServers({ servers, ejected }).kind).toBe(kind);
  });

  test('says how many', () => {
    expect(judgeServers({ servers: 3, ejected: 2 })).toEqual(guiltyBy('dead', '2 of its 3 servers are ejected'));
    expect(judgeServers({ servers: 1, ejected: 1 })).toEqual(guiltyBy('dead', '1 of its 1 server is ejected'));
  });
});

describe('the baseline', () => {
  const served = (requests: number, failures = 0, unpaired = 0): Served => ({ requests, failures, unpaired });

  test.each([
    ['nothing known', served(0), served(0), ASSUMED],
    ['too little known', served(14, 5), served(15, 5), ASSUMED],
    ['before alone', served(0), served(1000, 3, 1), { ...served(1000, 3, 1), source: 'before' }],
    ['before with a little since', served(299, 5), served(1000, 3, 1), { ...served(1299, 8, 1), source: 'before' }],
    ['hardly anything before', served(300, 2), served(29, 1), { ...served(329, 3), source: 'release' }],
    ['since alone', served(50, 2, 1), served(0), { ...served(50, 2, 1), source: 'release' }],
    ['worse since', served(300, 1), served(1000, 3), { ...served(300, 1), source: 'release' }],
    ['as good since', served(500, 1), served(1000, 2), { ...served(1500, 3), source: 'before' }],
    ['long since', served(1000, 0), served(1000, 2), { ...served(1000, 0), source: 'release' }],
  ] as const)('%s', (_what, during, before, baseline) => {
    const past = before.requests >= 30 ? { before } : {};
    expect(chooseBaseline(during, before)).toEqual({ ...baseline, ...past });
  });
});
