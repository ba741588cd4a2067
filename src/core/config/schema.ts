/**
 * Every key of a configuration, with its kind and its default (`docs/configuration.md` says what each means).
 *
 * The shapes are the file's: seconds and bytes under the thesis's names. What two keys say together is checked in
 * `rules.ts`; what the code works with is made in `parse.ts`.
 */
import type { z } from 'zod';
import { containerSchema, dockerHost } from './containers.ts';
import { MODES } from './model.ts';
import * as is from './values.ts';

const MiB = 1024 * 1024;
/** Parts of a body that can be ignored: each costs time on every body. */
const IGNORED_MAX = 50;

const replay = {
  bodyBytes: is.whole(0, 1024 * MiB),
  holdBytes: is.whole(0, 1024 * MiB),
  holdTime: is.seconds(),
  methods: is.methods(),
  budget: is.fraction(),
};

const server = is.object({
  hostname: is.host().optional(),
  ip: is.host().optional(),
  port: is.port(),
});

const STATUS_ALLOWED = 'a status from 100 to 599 or a list of them';

const healthCheck = is.object({
  path: is.path(),
  interval: is.timeout().default(5),
  timeout: is.timeout().default(2),
  expect: is.orList(is.whole(100, 599, STATUS_ALLOWED), STATUS_ALLOWED).optional(),
  host: is.fieldValue().optional(),
});

const verdict = is.object({
  preset: is.word(['patient', 'strict']).default('patient'),
  consecutive: is.whole(1, 1000).default(5),
  falseAlarm: is.between(0.0001, 0.5).default(0.0075),
  margin: is.between(0.001, 0.5).default(0.05),
  assumedRate: is.between(0.0001, 0.5).default(0.005),
  minRequests: is.whole(1, 1_000_000).default(30),
  divergence: is.shareOrOff().default(null),
});

/** What applies to a version that says nothing of its verdict. */
export const VERDICT_DEFAULTS = verdict.parse({});

const compare = is.object({
  headers: is.headersOrAll().default(['cache-control', 'content-encoding', 'content-type', 'location']),
  ignoreHeaders: is.list(is.headerName()).default([]),
  ignoreJson: is
    .list(is.jsonPath())
    .max(IGNORED_MAX, { error: `a list of at most ${IGNORED_MAX} entries` })
    .default([]),
  ignoreBody: is
    .list(is.pattern())
    .max(IGNORED_MAX, { error: `a list of at most ${IGNORED_MAX} entries` })
    .default([]),
  sample: is.fraction().default(0.01),
});

/** What applies to a CONCURRENT version that says nothing of it. */
export const COMPARE_DEFAULTS = compare.parse({});

const upgradeTransition = is.object({
  mode: is
    .word(MODES, '"upgradeTransition.mode" should be "INSTANT", "SESSION", "GRADUAL" or "CONCURRENT"')
    .default('SESSION'),
  // The ranges of these two hold only with their own mode: the thesis's template shows both as 0.
  sessionTimeout: is.wholeOrZero(2_147_483_647).optional(),
  percentageTransitionPerRequest: is.percentOrZero().optional(),
  key: is.token('"cookie", "ip" or the name of a header').default('cookie'),
  versions: is.whole(2).default(2),
  patience: is.seconds().default(1),
  methods: is.methods().optional(),
  promoteAfter: is
    .orWord((error) => is.whole(1, undefined, error), 'never', 'a whole number of at least 1')
    .default('never'),
  responseTimeout: is.timeout().optional(),
  readyTimeout: is.timeout().default(30),
  regretWindow: is.seconds().default(600),
  replay: is.object(replay).partial().optional(),
  verdict: verdict.optional(),
  compare: compare.optional(),
});

const cluster = is.object({
  servers: is.list(server).min(1, { error: '"servers" list must contain at least one entry' }).optional(),
  containers: is
    .list(containerSchema)
    .min(1, { error: '"containers" list must contain at least one entry' })
    .optional(),
  dockerHost: dockerHost.optional(),
  uuid: is.uuid().optional(),
  version: is.versionName().default('0.0'),
  healthCheck: healthCheck.optional(),
  upgradeTransition: upgradeTransition.optional(),
});

/** The body of a PUT. */
export const bodySchema = is.object({ cluster });

/** The configuration file. */
export const fileSchema = is.object({
  // The defaults of these two are empty so that, where they are missing, the error names the port that is needed.
  proxy: is
    .object({
      hostname: is.host().default('0.0.0.0'),
      port: is.port(0),
      via: is.tokenOrFalse('a name of letters, digits, "-", "." and the like, or false').default('cutover'),
    })
    .prefault({} as never),
  configService: is
    .object({
      hostname: is.host().default('127.0.0.1'),
      port: is.port(0),
      token: is.bearer().optional(),
      tokenFile: is.text().optional(),
      allowedHosts: is.list(is.host()).default([]),
      allowPrivileged: is.flag().default(false),
    })
    .prefault({} as never),
  workers: is.orWord((error) => is.whole(0, 1024, error), 'auto', 'a whole number from 0 to 1024').default(1),
  dockerHost: dockerHost.optional(),
  state: is.object({ file: is.text() }).nullable().optional(),
  log: is.object({ level: is.logLevel().optional(), format: is.word(['text', 'json']).optional() }).prefault({}),
  cookies: is
    .object({
      version: is.token('a cookie name').default('dynsoftup'),
      transition: is.token('a cookie name').default('transition'),
      sameSite: is.word(['Strict', 'Lax', 'None']).default('Lax'),
      secret: is.text().optional(),
    })
    .prefault({}),
  putWait: is.seconds().default(1),
  ignorePaths: is.list(is.path()).default([]),
  timeouts: is
    .object({
      connect: is.timeout().default(1),
      response: is.timeout().default(30),
      idleBody: is.timeout().default(60),
      clientHeader: is.timeout().default(10),
      clientIdle: is.timeout().default(75),
      upstreamIdle: is.timeout().default(4),
      total: is.orWord(is.timeout, 'off', is.TIMEOUT_ALLOWED).default('off'),
      drain: is.seconds().default(30),
      tunnelDrain: is.seconds().default(300),
      abandonAfter: is.seconds().default(5),
    })
    .prefault({}),
  limits: is
    .object({
      requestLine: is.whole(64, MiB).default(8192),
      headers: is.whole(256, 16 * MiB).default(32_768),
      fields: is.whole(1, 10_000).default(100),
      connections: is.whole(1, 1_000_000).default(20_000),
      bufferBytes: is.whole(0).default(64 * MiB),
      concurrentAttempts: is.whole(0, 1_000_000).default(256),
    })
    .prefault({}),
  replay: is
    .object({
      ...replay,
      bodyBytes: replay.bodyBytes.default(MiB),
      holdBytes: replay.holdBytes.default(64 * 1024),
      holdTime: replay.holdTime.default(0.25),
      methods: replay.methods.default([]),
      budget: replay.budget.default(0.2),
    })
    .prefault({}),
  cluster,
});

export type FileValues = z.output<typeof fileSchema>;
export type ClusterValues = z.output<typeof cluster>;
export type TransitionValues = z.output<typeof upgradeTransition>;
