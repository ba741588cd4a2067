/**
 * Breaks each rule of evidence, verdict and rollback on purpose, one at a time, in a copy of the project, and sees whether a unit test fails.
 * Prints what survived; then the exit code is 1. `make mutate` breaks everything else, and takes an hour. With `--check` it only sees
 * whether each rule is still written as it stands here.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Break = readonly [what: string, file: string, right: string, wrong: string];

const BREAKS: readonly Break[] = [
  [
    'consecutive one later',
    'src/core/release/verdict.ts',
    'if (row < rules.consecutive) return null;',
    'if (row <= rules.consecutive) return null;',
  ],
  [
    'consecutive counts unpaired always',
    'src/core/release/verdict.ts',
    'const row = unpairedCount ?',
    'const row = true ?',
  ],
  [
    'consecutive never counts unpaired',
    'src/core/release/verdict.ts',
    'const row = unpairedCount ?',
    'const row = false ?',
  ],
  [
    'unpaired rate bound inclusive',
    'src/core/release/verdict.ts',
    'baseline.requests < UNPAIRED_RATE_MAX',
    'baseline.requests <= UNPAIRED_RATE_MAX',
  ],
  [
    'shared does not reset the row',
    'src/core/release/evidence.ts',
    "consecutive: kind === 'shared' ? 0 : evidence",
    "consecutive: kind === 'shared' ? evidence.consecutive : evidence",
  ],
  [
    'shared does not reset blamed row',
    'src/core/release/evidence.ts',
    "consecutiveBlamed: kind === 'shared' ? 0 :",
    "consecutiveBlamed: kind === 'shared' ? evidence.consecutiveBlamed :",
  ],
  [
    'answers do not reset the row',
    'src/core/release/evidence.ts',
    '    answered: evidence.answered + count,\n    consecutive: 0,',
    '    answered: evidence.answered + count,\n',
  ],
  [
    'shared counts as failure',
    'src/core/release/verdict.ts',
    'const failures = tally.blamed + tally.unpaired;\n',
    'const failures = tally.blamed + tally.unpaired + tally.shared;\n',
  ],
  ['no rate rule', 'src/core/release/verdict.ts', '(failed ? byRate(trial) : null)', 'null'],
  [
    'rate rule before 30',
    'src/core/release/verdict.ts',
    'if (requestsOf(evidence) < rules.minRequests) return null;',
    '',
  ],
  ['measured share left out', 'src/core/release/verdict.ts', "baseline.source === 'assumed' ? 1 : MEASURED_SHARE", '1'],
  [
    'unpaired not judged apart',
    'src/core/release/verdict.ts',
    'SHARES.unpaired * of(unpaired, bases.unpaired)',
    '0 * of(unpaired, bases.unpaired)',
  ],
  [
    'no windows',
    'src/core/release/verdict.ts',
    '/ RELEASE_REQUESTS) * of(recent, bases.all)',
    '/ RELEASE_REQUESTS) * 0 * of(recent, bases.all)',
  ],
  ['dead at half', 'src/core/release/verdict.ts', 'if (ejected * 2 <= servers)', 'if (ejected * 2 < servers)'],
  ['dead never', 'src/core/release/verdict.ts', 'if (ejected * 2 <= servers)', 'if (true)'],
  ['strict never', 'src/core/release/verdict.ts', "if (preset !== 'strict') return null;", 'return null;'],
  ['never inconclusive', 'src/core/release/verdict.ts', 'return pass\n', 'return true\n'],
  [
    'acceptance ignores unpaired',
    'src/core/release/verdict.ts',
    'passes(all, bases.all) && (unpaired.failures === 0 || passes(unpaired, bases.unpaired))',
    'passes(all, bases.all)',
  ],
  [
    'shared never holds',
    'src/core/release/verdict.ts',
    '(failed ? byRate(trial) : null) ?? bySharedFailures(trial) ??',
    '(failed ? byRate(trial) : null) ??',
  ],
  [
    'shared held against assumed only',
    'src/core/release/verdict.ts',
    "const before = baseline.before ?? (baseline.source === 'before' ? baseline : undefined);",
    'const before = undefined as typeof baseline.before;',
  ],
  ['a held release moves on', 'src/core/release/trial.ts', "trial.verdict.kind !== 'clean'", 'false'],
  ['a paused release moves on', 'src/core/release/trial.ts', '(trial.paused || ', '('],
  [
    'forgiven failures stay',
    'src/core/release/evidence.ts',
    'if (gone === undefined) return evidence;',
    'return evidence;',
  ],
  [
    'no own traffic in the baseline',
    'src/core/release/trial.ts',
    'during && during.id === older[0]?.id ? servedOf(during) : NOTHING_SERVED',
    'NOTHING_SERVED',
  ],
  ['no traffic before in the baseline', 'src/core/release/trial.ts', 'before ?? NOTHING_SERVED,', 'NOTHING_SERVED,'],
  [
    'baseline of two requests',
    'src/core/release/baseline.ts',
    'if (known.requests < KNOWN_MIN)',
    'if (known.requests < 2)',
  ],
  [
    'before counts for ever',
    'src/core/release/baseline.ts',
    'if (during.requests >= (isWorse ? DURING_WORSE : DURING_ENOUGH))',
    'if (false)',
  ],
  [
    'removed with nothing that answers',
    'src/core/release/handlers-trial.ts',
    "if (older === 'answers') fail(",
    'if (true) fail(',
  ],
  [
    'probe with nothing older fails it',
    'src/core/release/handlers-trial.ts',
    'if (event.olderAnswers === null) return nowhereToGo(draft, version, version.trial);',
    '',
  ],
  [
    'blamed does not count as an answer',
    'src/core/release/handlers-trial.ts',
    "event.finding === 'blamed' ? 'answers' : 'unknown'",
    "'unknown'",
  ],
  ['stale epochs count', 'src/core/release/transition.ts', 'event.epoch !== version.epoch', 'false'],
  [
    'regret window ends while held',
    'src/core/release/handlers.ts',
    'if (version === undefined || isHeld(version)) return standsStill(event.id);\n  const reason = `Its regret',
    'if (version === undefined) return standsStill(event.id);\n  const reason = `Its regret',
  ],
  ['last version may go', 'src/core/release/handlers.ts', 'other.id !== event.id && serves(other)', 'true'],
  ['no gate', 'src/core/release/transition.ts', "unready: { does: health.unready, to: ['failed'] },", ''],
  ['ejected after four', 'src/core/health/server-health.ts', 'FAILURES_MAX = 3', 'FAILURES_MAX = 4'],
  [
    'back-off does not double',
    'src/core/health/server-health.ts',
    'Math.min(2 * backoffMs, BACKOFF_MAX_MS)',
    'backoffMs',
  ],
  [
    'back-off unbounded',
    'src/core/health/server-health.ts',
    'Math.min(2 * backoffMs, BACKOFF_MAX_MS)',
    '2 * backoffMs',
  ],
  [
    'all ejected: nobody asked',
    'src/core/health/version-health.ts',
    'if (weights.every((weight) => weight === largest)) return servers;',
    '',
  ],
  [
    'only the newest failed is blamed',
    'src/core/routing/blame.ts',
    'answeredRank > failure.rank',
    'answeredRank === failure.rank + 1',
  ],
  [
    'no shared',
    'src/core/routing/blame.ts',
    "if (failures.some((other) => other.rank > failure.rank)) return 'shared';",
    '',
  ],
  ['overtaken moves on', 'src/core/release/handlers.ts', '&& !isOvertaken(draft.versions, version)', ''],
  [
    'late comparisons lost',
    'src/core/release/handlers-exit.ts',
    'const comparison = edit(entry.comparison);',
    'const comparison = entry.comparison;',
  ],
  [
    'replaced one stays stable',
    'src/core/release/settle.ts',
    'if (isLate || isBelow) stepBack(draft, version, stable);',
    'if (isLate) stepBack(draft, version, stable);',
  ],
  [
    'one that was not ready first goes on starting',
    'src/core/release/settle.ts',
    'if (isLate || isBelow) stepBack(draft, version, stable);',
    'if (isBelow) stepBack(draft, version, stable);',
  ],
  [
    'what comes up alone passes no gate',
    'src/core/release/handlers-containers.ts',
    "const isUnproven = version.phase === 'starting' || comesUpAlone(draft, event, version);",
    "const isUnproven = version.phase === 'starting';",
  ],
  [
    'newest standby gets no release',
    'src/core/release/settle.ts',
    "if (newest?.phase === 'standby') beginRelease(draft, newest);",
    '',
  ],
  [
    'two failures of five windows',
    'src/core/release/evidence.ts',
    'const isFull = requestsOf(evidence.recent) >= WINDOW_REQUESTS;',
    'const isFull = false;',
  ],
];

const TESTS = ['release', 'control', 'routing', 'health'].map((folder) => `test/unit/${folder}`);

const ROOT = join(import.meta.dirname, '..');
const gone = BREAKS.filter(([, file, right]) => !readFileSync(join(ROOT, file), 'utf8').includes(right));
for (const [what, file, right] of gone) console.error(`${what}: ${file} has no longer ${JSON.stringify(right)}`);
if (gone.length > 0 || process.argv.includes('--check')) process.exit(gone.length > 0 ? 1 : 0);
const copy = mkdtempSync(join(tmpdir(), 'cutover-broken-'));
let survived = 0;
try {
  for (const name of ['src', 'test', 'docs', 'scripts', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  if (!passes()) throw new Error('A test fails before anything is broken');
  for (const [what, file, right, wrong] of BREAKS) {
    const path = join(copy, file);
    const code = readFileSync(path, 'utf8');
    writeFileSync(path, code.replace(right, wrong));
    const isSeen = !passes();
    writeFileSync(path, code);
    if (!isSeen) survived += 1;
    console.log(`${isSeen ? 'seen    ' : 'SURVIVED'} ${what}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`${BREAKS.length - survived} of ${BREAKS.length} were seen`);
process.exitCode = survived === 0 ? 0 : 1;

function passes(): boolean {
  const vitest = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    'unit',
    '--bail',
    '1',
    '--reporter',
    'dot',
    '--testTimeout',
    '60000',
  ];
  const options = [...vitest, ...TESTS, '--exclude', '**/error-rates*'];
  return spawnSync(process.execPath, options, { cwd: copy, stdio: 'ignore' }).status === 0;
}
