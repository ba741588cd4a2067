/**
 * Does the version on trial fail more often than the older one? A test that may be looked at after every request, for as
 * long as one likes.
 *
 * **The statistic.** Of n requests the version failed k; the older one fails at a rate p. `logEvidence` is the logarithm
 * of a likelihood ratio,
 *
 *     E = sum of w[i] * L(k, n; p + d[i])  /  null(k, n)       with L(k, n; q) = q^k (1-q)^(n-k)
 *
 * How likely is what was seen if the version fails more often, by one of four differences d (from 1 to 40 points at the
 * default margin of 5, the weights w add up to 1), over how likely it is if it fails as often as the older one does. Several
 * differences rather than one, so that a small one is found in the end and a large one at once: a mixture of Wald's sequential
 * probability ratio tests (A. Wald, "Sequential Tests of Statistical Hypotheses", 1945; the mixture: H. Robbins, "Statistical
 * Methods Related to the Law of the Iterated Logarithm", 1970).
 *
 * **Why one may look all the time.** Where p is known, null(k, n) = L(k, n; p). If the version fails at rate p, each
 * request changes E by a factor whose mean is 1: E is a martingale, positive, and begins at 1. By Ville's inequality
 * (J. Ville, "Étude critique de la notion de collectif", 1939) the chance that it *ever* reaches 1/a is at most a. At a lower
 * rate than p the mean is below 1, and the bound holds all the more. So the rule "guilty once E >= 1/a" errs in at most the
 * share a of releases, whenever and however often it is asked (a survey: A. Ramdas, P. Grünwald, V. Vovk, G. Shafer,
 * "Game-Theoretic Statistics and Safe Anytime-Valid Inference", 2023). A weighted mean of such statistics is one too; that is how
 * `verdict.ts` looks at several things at the price of one.
 *
 * **How the baseline's uncertainty enters.** What is known of p are x failures in m requests of the older version. Before
 * them low rates are held to be somewhat likelier than high ones, p has the distribution Beta(c, 1) with c = 0.7; after them it has
 * Beta(x+c, m-x+1), and null(k, n) is the mean of L(k, n; p) over it, which has a closed form:
 *
 *     null(k, n) = B(x+c+k, m-x+1+n-k) / B(x+c, m-x+1)          (the beta-binomial distribution)
 *
 * so a baseline of few requests explains many failures, and one of many requests few. This is the Bayes factor of two
 * proportions (E. Gunel, J. Dickey, "Bayes Factors for Independence in Contingency Tables", 1974) with the four differences as its
 * alternative; in its numerator p is the mean (x+1)/(m+2). With a baseline that stands still E is a martingale again, if p is drawn
 * from that distribution: the bound a then holds on the average over the rates that the baseline leaves possible. It is not proved
 * for each single rate, nor for a baseline that grows meanwhile, since the numerator's p then moves a little; there it is shown by
 * simulation (`docs/verdict.md`). What works in favour: E passes 1/a with a jump, which leaves a part of a unused.
 *
 * The lean c is a choice between errors. With c = 1 every rate is equally likely, which lets a baseline of few requests without a
 * failure explain away too much; with 0.5 (Jeffreys) there are too many false alarms where two versions without a past both fail 3 %.
 *
 * **The other side.** `logAcceptance` is Wald's test read at its lower boundary: the likelihood of a rate that is worse
 * by the margin over that of the baseline's upper confidence bound. Below `log(b)` a version that is worse by the margin is let
 * pass with a chance of at most b.
 */

export interface Sample {
  readonly requests: number;
  /** Of them, those that failed. */
  readonly failures: number;
}

/** How often the older version fails: a rate that is taken for granted, in (0, 1), or what was measured. */
export type BaseRate = { readonly kind: 'known'; readonly rate: number } | ({ readonly kind: 'measured' } & Sample);

/** The differences that are looked for, in margins, and their weights. Most of it lies a little below the margin: what is to be caught soon. */
const DIFFERENCES: readonly { readonly margins: number; readonly weight: number }[] = [
  { margins: 0.2, weight: 0.03 },
  { margins: 0.7, weight: 0.94 },
  { margins: 2.4, weight: 0.02 },
  { margins: 8, weight: 0.01 },
];

/** The c above. */
const LEAN = 0.7;

/** No likelihood is taken at rates of 0 or 1, where a single request would decide all. */
const RATE_MAX = 0.99;

/**
 * The logarithm of E above: how much more likely the sample is from a version that fails more often than the baseline.
 * @param margin the difference of rates that is to be caught soon, in (0, 1)
 */
export function logEvidence(sample: Sample, base: BaseRate, margin: number): number {
  const rate = meanOf(base);
  const logNull = base.kind === 'known' ? logLikelihood(sample, rate) : logBetaBinomial(sample, base);
  const logRatios = DIFFERENCES.map(
    ({ margins, weight }) =>
      Math.log(weight) + logLikelihood(sample, Math.min(rate + margins * margin, RATE_MAX)) - logNull,
  );
  const most = Math.max(...logRatios);
  return most + Math.log(logRatios.reduce((sum, logRatio) => sum + Math.exp(logRatio - most), 0));
}

/**
 * The logarithm of the likelihood of a rate `margin` above the baseline's upper bound over that of the bound itself. The lower, the
 * surer that the version is no worse than that.
 */
export function logAcceptance(sample: Sample, base: BaseRate, margin: number): number {
  const rate = Math.min(upperBoundOf(base), RATE_MAX - margin);
  return logLikelihood(sample, rate + margin) - logLikelihood(sample, rate);
}

function meanOf(base: BaseRate): number {
  return base.kind === 'known' ? base.rate : (base.failures + 1) / (base.requests + 2);
}

/** One-sided, at 95 %: Wilson's score bound (E. B. Wilson, "Probable Inference", 1927). */
function upperBoundOf(base: BaseRate): number {
  if (base.kind === 'known') return base.rate;
  const { requests, failures } = base;
  const z = 1.645;
  const spread = z * Math.sqrt((failures * (requests - failures)) / Math.max(1, requests) + (z * z) / 4);
  return (failures + (z * z) / 2 + spread) / (requests + z * z);
}

function logLikelihood({ requests, failures }: Sample, rate: number): number {
  return failures * Math.log(rate) + (requests - failures) * Math.log1p(-rate);
}

function logBetaBinomial({ requests, failures }: Sample, base: Sample): number {
  const a = base.failures + LEAN;
  const b = base.requests - base.failures + 1;
  return logBeta(a + failures, b + requests - failures) - logBeta(a, b);
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** The logarithm of the gamma function for x > 0: Stirling's series, from 10 on to the last digit; below by x! = (x+1)!/(x+1). */
function logGamma(x: number): number {
  let product = 1;
  while (x < 10) {
    product *= x;
    x += 1;
  }
  const y = 1 / (x * x);
  const series = (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}
