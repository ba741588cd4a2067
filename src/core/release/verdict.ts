/**
 * What the evidence says of a version on trial. Its failures are hidden from clients by the older version, so there is time to wait
 * for proof: `clean` and the release goes on, `inconclusive` and it is held where it is, `guilty` and it is taken back.
 *
 * The rules, the first that applies decides: `strict`, `consecutive`, `rate` (`rate-test.ts`), and by `judgeServers` `dead`.
 * A version that has failed becomes clean again once it is shown to fail no more often than the older one, give or take the margin;
 * it is judged on, so it may still be found guilty. `docs/verdict.md` tells how often each of this errs.
 */
import type { VerdictRules } from '../config/model.ts';
import { type Baseline, type Evidence, requestsOf, type Tally, WINDOW_REQUESTS } from './evidence.ts';
import { type BaseRate, logAcceptance, logEvidence, type Sample } from './rate-test.ts';

export type Verdict =
  /** Nothing speaks against it, however little was seen; or it is shown to fail no more than the older version. */
  | { readonly kind: 'clean'; readonly reason: string }
  /** It has failed and nothing is decided, or something fails that both versions share: the release is held. */
  | { readonly kind: 'inconclusive'; readonly reason: string }
  | { readonly kind: 'guilty'; readonly rule: GuiltyRule; readonly reason: string };

export type GuiltyRule = 'dead' | 'strict' | 'consecutive' | 'rate' | 'divergence';

/** From this rate on of failures that nobody could hide, the older version's own, such failures in a row say nothing. */
const UNPAIRED_RATE_MAX = 0.05;

/** How a false alarm's chance is shared out; the windows of 10 000 requests have their part together. */
const SHARES = { all: 0.94, unpaired: 0.04, windows: 0.02 };
const RELEASE_REQUESTS = 10_000;
/** So much of it is used where the baseline was measured: the bound is not proved for one that grows meanwhile (`rate-test.ts`). */
const MEASURED_SHARE = 0.83;

/** A version that is worse by the margin is let pass with at most this chance. */
const FALSE_PASS = 0.05;

/** Shared failures hold a release from this evidence on. A hold is cheap: it ends when the failures do. */
const SHARED_EVIDENCE_MIN = Math.log(20);

export const CLEAN: Verdict = { kind: 'clean', reason: 'It has not failed' };

/** Judges by the requests seen so far. Costs the same however many there were, and next to nothing while none has failed. */
export function judge(evidence: Evidence, baseline: Baseline, rules: VerdictRules): Verdict {
  const failed = evidence.blamed + evidence.unpaired > 0;
  if (!failed && evidence.shared === 0) return CLEAN;
  const guilty = failed ? (byFirst(evidence, rules) ?? byRow(evidence, baseline, rules)) : null;
  if (guilty !== null) return guilty;
  const trial: Trial = { evidence, baseline, rules };
  return (failed ? byRate(trial) : null) ?? bySharedFailures(trial) ?? (failed ? byAcceptance(trial) : CLEAN);
}

/** The rule `dead`: guilty when more than half of the version's servers are ejected. */
export function judgeServers({ servers, ejected }: { readonly servers: number; readonly ejected: number }): Verdict {
  if (ejected * 2 <= servers) return CLEAN;
  return guilty('dead', `${ejected} of its ${servers} ${servers === 1 ? 'server is' : 'servers are'} ejected`);
}

interface Trial {
  readonly evidence: Evidence;
  readonly baseline: Baseline;
  readonly rules: VerdictRules;
}

function guilty(rule: GuiltyRule, reason: string): Verdict {
  return { kind: 'guilty', rule, reason };
}

function byFirst({ blamed }: Evidence, { preset }: VerdictRules): Verdict | null {
  if (preset !== 'strict') return null;
  const what = blamed > 0 ? 'an older version answered' : 'no older version could answer';
  return guilty('strict', `It failed a request that ${what}`);
}

function byRow(evidence: Evidence, baseline: Baseline, rules: VerdictRules): Verdict | null {
  const known = baseline.source !== 'assumed' && baseline.requests > 0;
  const unpairedCount = !known || baseline.unpaired / baseline.requests < UNPAIRED_RATE_MAX;
  const row = unpairedCount ? evidence.consecutive : evidence.consecutiveBlamed;
  if (row < rules.consecutive) return null;
  return guilty('consecutive', `It failed ${row} requests in a row`);
}

function byRate({ evidence, baseline, rules }: Trial): Verdict | null {
  if (requestsOf(evidence) < rules.minRequests) return null;
  const all = failuresOf(evidence);
  const unpaired = { requests: all.requests, failures: evidence.unpaired };
  const recent = failuresOf(evidence.recent);
  const bases = baseRates(baseline, rules);
  const of = (sample: Sample, base: BaseRate): number =>
    sample.failures === 0 ? 0 : Math.exp(logEvidence(sample, base, rules.margin));
  const terms = [
    { evidence: SHARES.all * of(all, bases.all), sample: all, what: 'requests', count: baseline.failures },
    {
      evidence: SHARES.unpaired * of(unpaired, bases.unpaired),
      sample: unpaired,
      what: 'requests, not to be hidden,',
      count: baseline.unpaired,
    },
    {
      evidence: ((SHARES.windows * WINDOW_REQUESTS) / RELEASE_REQUESTS) * of(recent, bases.all),
      sample: recent,
      what: 'last requests',
      count: baseline.failures,
    },
  ];
  const used = baseline.source === 'assumed' ? 1 : MEASURED_SHARE;
  if (used * terms.reduce((sum, term) => sum + term.evidence, 0) < 1 / rules.falseAlarm) return null;
  const most = terms.reduce((a, b) => (b.evidence > a.evidence ? b : a));
  return guilty('rate', `It failed ${shareText(most.sample, most.what)}, ${baseText(baseline, most.count, rules)}`);
}

function bySharedFailures({ evidence, baseline, rules }: Trial): Verdict | null {
  const { recent, previous } = evidence;
  const failures = recent.shared + previous.shared;
  if (failures === 0) return null;
  const sample = { requests: requestsOf(recent) + requestsOf(previous), failures };
  const before = baseline.before ?? (baseline.source === 'before' ? baseline : undefined);
  const base: BaseRate =
    before === undefined ? { kind: 'known', rate: rules.assumedRate } : { kind: 'measured', ...sampleOf(before) };
  if (logEvidence(sample, base, rules.margin) < SHARED_EVIDENCE_MIN) return null;
  const text = `Both versions failed ${shareText(sample, 'last requests')}`;
  return { kind: 'inconclusive', reason: `${text}: more than the older one did before the release` };
}

/** Not guilty: held until it is shown that the version is no worse than the margin allows. */
function byAcceptance({ evidence, baseline, rules }: Trial): Verdict {
  const all = failuresOf(evidence);
  const unpaired = { requests: all.requests, failures: evidence.unpaired };
  const bases = baseRates(baseline, rules);
  const passes = (sample: Sample, base: BaseRate) => logAcceptance(sample, base, rules.margin) <= Math.log(FALSE_PASS);
  const pass = passes(all, bases.all) && (unpaired.failures === 0 || passes(unpaired, bases.unpaired));
  const text = `It failed ${shareText(all, 'requests')}, ${baseText(baseline, baseline.failures, rules)}`;
  return pass
    ? { kind: 'clean', reason: `${text}: no more than that and the margin of ${percent(rules.margin)}` }
    : { kind: 'inconclusive', reason: `${text}: nothing is decided yet` };
}

/** Requests that both versions failed say nothing of either, so they are left out. */
function failuresOf(tally: Tally): Sample {
  const failures = tally.blamed + tally.unpaired;
  return { requests: tally.answered + failures, failures };
}

function baseRates(baseline: Baseline, rules: VerdictRules): { readonly all: BaseRate; readonly unpaired: BaseRate } {
  if (baseline.source === 'assumed') {
    const known: BaseRate = { kind: 'known', rate: rules.assumedRate };
    return { all: known, unpaired: known };
  }
  return {
    all: { kind: 'measured', ...sampleOf(baseline) },
    unpaired: { kind: 'measured', requests: baseline.requests, failures: baseline.unpaired },
  };
}

function sampleOf({ requests, failures }: Sample): Sample {
  return { requests, failures };
}

function shareText({ requests, failures }: Sample, what: string): string {
  return `${failures} of its ${requests} ${what} (${percent(failures / requests)})`;
}

function baseText({ requests, source }: Baseline, failures: number, { assumedRate }: VerdictRules): string {
  if (source === 'assumed') return `where ${percent(assumedRate)} is assumed of the older version`;
  const when = source === 'release' ? 'meanwhile' : 'before the release';
  return `the older version ${failures} of ${requests} ${when} (${percent(failures / Math.max(1, requests))})`;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}
