/**
 * From text to the configuration that the code works with: read, checked against the schema, checked by the rules, then
 * put into the code's own names and units. Either all of it is right, or every fault is told.
 */
import type { z } from 'zod';
import { privilegedErrors } from './container-rules.ts';
import { maskedContainers, toContainer, toEngine } from './container-spec.ts';
import { notYetWarnings } from './in-force.ts';
import { issueLines, LINES_MAX, valueAt } from './issues.ts';
import type {
  ClusterDefaults,
  ClusterSpec,
  CompareRules,
  Config,
  HealthCheck,
  Parsed,
  ServerAddress,
  Transition,
} from './model.ts';
import { clusterErrors, clusterWarnings, fileErrors, modeOf, OPTIONS_OF } from './rules.ts';
import {
  bodySchema,
  type ClusterValues,
  COMPARE_DEFAULTS,
  type FileValues,
  fileSchema,
  type TransitionValues,
  VERDICT_DEFAULTS,
} from './schema.ts';
import { readJson } from './source.ts';

const BUILT_IN: ClusterDefaults = {
  responseTimeoutMs: 30_000,
  holdBytes: 64 * 1024,
  holdMs: 250,
  engine: null,
  privileged: 'forbidden',
};

/** Parses a configuration file's text. Each error is one line: the path, what is allowed, the value (secrets masked). */
export function parseConfig(text: string): Parsed<Config> {
  if (isBlank(text)) return { ok: false, errors: ['The configuration is empty: it must be a JSON object'] };
  const mayBePrivileged = (root: unknown): boolean => valueAt(root, ['configService', 'allowPrivileged']) === true;
  return parse(text, {
    schema: fileSchema,
    rules: fileErrors,
    mayBePrivileged,
    build: toConfig,
  });
}

/** Parses the body of a PUT, `{"cluster": {...}}` (thesis appendix I); errors as those of `parseConfig`. */
export function parseCluster(body: string, defaults: ClusterDefaults = BUILT_IN): Parsed<ClusterSpec> {
  if (isBlank(body)) return { ok: false, errors: ['The body is empty: it must be a JSON object with "cluster"'] };
  return parse(body, {
    schema: bodySchema,
    rules: () => [],
    mayBePrivileged: () => defaults.privileged === 'allowed',
    build: (values, root) => toCluster(values.cluster, root, defaults),
  });
}

interface Kind<Schema extends z.ZodType, T> {
  readonly schema: Schema;
  readonly rules: (root: unknown) => string[];
  readonly mayBePrivileged: (root: unknown) => boolean;
  readonly build: (values: z.output<Schema>, root: unknown) => T;
}

function parse<Schema extends z.ZodType, T>(text: string, kind: Kind<Schema, T>): Parsed<T> {
  const read = readJson(text, ['cluster', 'version']);
  if (!read.ok) return read;
  const root = read.value;
  const result = kind.schema.safeParse(root);
  const errors = [...read.duplicates];
  if (!result.success) errors.push(...issueLines(result.error.issues, root));
  errors.push(...kind.rules(root), ...clusterErrors(root));
  if (!result.success || errors.length > 0) return { ok: false, errors: errors.slice(0, LINES_MAX) };
  const forbidden = kind.mayBePrivileged(root) ? [] : privilegedErrors(root);
  if (forbidden.length > 0) return { ok: false, errors: forbidden, because: 'forbidden' };
  const warnings = [...clusterWarnings(root), ...notYetWarnings(root)];
  return { ok: true, value: kind.build(result.data, root), warnings };
}

function toConfig(values: FileValues, root: unknown): Config {
  const { proxy, configService, log, cookies, timeouts, limits, replay } = values;
  const responseMs = toMs(timeouts.response);
  const defaults: ClusterDefaults = {
    responseTimeoutMs: responseMs,
    holdBytes: replay.holdBytes,
    holdMs: toMs(replay.holdTime),
    engine: toEngine(values.dockerHost),
    privileged: configService.allowPrivileged ? 'allowed' : 'forbidden',
  };
  return {
    proxy: { hostname: proxy.hostname, port: proxy.port, via: proxy.via === false ? null : proxy.via },
    configService: {
      hostname: configService.hostname,
      port: configService.port,
      token: configService.token ?? null,
      tokenFile: configService.tokenFile ?? null,
      allowedHosts: configService.allowedHosts,
    },
    workers: values.workers,
    log: { level: log.level ?? null, format: log.format ?? null },
    cookies: { version: cookies.version, transition: cookies.transition, sameSite: cookies.sameSite },
    putWaitMs: toMs(values.putWait),
    ignorePaths: values.ignorePaths,
    timeouts: {
      connectMs: toMs(timeouts.connect),
      responseMs,
      idleBodyMs: toMs(timeouts.idleBody),
      clientHeaderMs: toMs(timeouts.clientHeader),
      clientIdleMs: toMs(timeouts.clientIdle),
      upstreamIdleMs: toMs(timeouts.upstreamIdle),
      totalMs: timeouts.total === 'off' ? null : toMs(timeouts.total),
      drainMs: toMs(timeouts.drain),
      tunnelDrainMs: toMs(timeouts.tunnelDrain),
      abandonAfterMs: toMs(timeouts.abandonAfter),
    },
    limits: {
      requestLineBytes: limits.requestLine,
      headerBytes: limits.headers,
      fieldCount: limits.fields,
      connections: limits.connections,
      bufferBytes: limits.bufferBytes,
      concurrentAttempts: limits.concurrentAttempts,
    },
    replay: { bodyBytes: replay.bodyBytes, methods: replay.methods, budget: replay.budget },
    state: values.state === null ? null : { file: values.state?.file ?? null },
    clusterDefaults: defaults,
    cluster: toCluster(values.cluster, root, defaults),
    clusterAsWritten: valueAt(root, ['cluster']),
  };
}

function toCluster(values: ClusterValues, root: unknown, defaults: ClusterDefaults): ClusterSpec {
  const given = valueAt(root, ['cluster', 'upgradeTransition']);
  const givenCheck = valueAt(root, ['cluster', 'healthCheck']);
  const givenContainers = valueAt(root, ['cluster', 'containers']);
  const transition = toTransition(values.upgradeTransition, defaults);
  const engine = toEngine(values.dockerHost) ?? defaults.engine;
  return {
    uuid: values.uuid ?? null,
    version: values.version,
    servers: (values.servers ?? []).map(toServer),
    containers: (values.containers ?? []).map((container) => toContainer(container, engine)),
    healthCheck: values.healthCheck === undefined ? null : toHealthCheck(values.healthCheck),
    transition,
    shownContainers: Array.isArray(givenContainers) ? maskedContainers(givenContainers) : null,
    shownHealthCheck: givenCheck === undefined ? null : (givenCheck as Record<string, unknown>),
    shownTransition: shown(transition, given),
  };
}

function toServer(server: NonNullable<ClusterValues['servers']>[number]): ServerAddress {
  return { host: server.hostname ?? server.ip ?? '', port: server.port };
}

function toHealthCheck(values: NonNullable<ClusterValues['healthCheck']>): HealthCheck {
  const { path, interval, timeout, expect, host } = values;
  return {
    path,
    intervalMs: toMs(interval),
    timeoutMs: toMs(timeout),
    expect: typeof expect === 'number' ? [expect] : (expect ?? null),
    host: host ?? null,
  };
}

function toTransition(values: TransitionValues | undefined, defaults: ClusterDefaults): Transition {
  const mode = modeOf(values);
  const own = <T>(owner: Transition['mode'], value: T | undefined, otherwise: T): T =>
    mode === owner ? (value ?? otherwise) : otherwise;
  const key = own('GRADUAL', values?.key, 'cookie');
  const promoteAfter = own('CONCURRENT', values?.promoteAfter, 'never');
  return {
    mode,
    sessionTimeoutS: own('SESSION', values?.sessionTimeout, 1800),
    percentagePerRequest: own('GRADUAL', values?.percentageTransitionPerRequest, 1),
    bucketKey: key.toLowerCase(),
    versions: own('CONCURRENT', values?.versions, 2),
    patienceMs: toMs(own('CONCURRENT', values?.patience, 1)),
    duplicatedMethods: own<readonly string[] | null>('CONCURRENT', values?.methods, null),
    promoteAfterRequests: promoteAfter === 'never' ? null : promoteAfter,
    responseTimeoutMs:
      values?.responseTimeout === undefined ? defaults.responseTimeoutMs : toMs(values.responseTimeout),
    readyTimeoutMs: toMs(values?.readyTimeout ?? 30),
    regretWindowMs: toMs(values?.regretWindow ?? 600),
    holdBytes: values?.replay?.holdBytes ?? defaults.holdBytes,
    holdMs: values?.replay?.holdTime === undefined ? defaults.holdMs : toMs(values.replay.holdTime),
    verdict: values?.verdict ?? VERDICT_DEFAULTS,
    compare: mode === 'CONCURRENT' ? toCompare(values) : null,
  };
}

/** Where differences decide, how often the older version differs from itself is to be known early. */
function toCompare(values: TransitionValues | undefined): CompareRules {
  const compare = values?.compare ?? COMPARE_DEFAULTS;
  const decides = compare.sample > 0 && (values?.verdict?.divergence ?? null) !== null;
  return { ...compare, sampleFirst: decides ? SAMPLE_FIRST : 0 };
}

const SAMPLE_FIRST = 50;

/** What GET shows: the mode, the thesis's option of that mode, then the further options as they were given. */
function shown(transition: Transition, given: unknown): Record<string, unknown> {
  const { mode } = transition;
  const view: Record<string, unknown> = { mode };
  if (mode === 'SESSION') view.sessionTimeout = transition.sessionTimeoutS;
  if (mode === 'GRADUAL') view.percentageTransitionPerRequest = transition.percentagePerRequest;
  const theses = ['mode', ...THESIS_OPTIONS];
  for (const [key, value] of Object.entries(given ?? {})) {
    if (!theses.includes(key)) view[key] = value;
  }
  return view;
}

const THESIS_OPTIONS = [OPTIONS_OF.SESSION[0], OPTIONS_OF.GRADUAL[0]];

/** Seconds, fractions allowed, to whole milliseconds. */
function toMs(seconds: number): number {
  return Math.round(seconds * 1000);
}

function isBlank(text: string): boolean {
  return text.replace(/^\uFEFF/, '').trim() === '';
}
