/**
 * The state document: what is read must have exactly this shape, or it is not used. `docs/state.md` describes it.
 *
 * The compiler holds the schema against the types of the state, both ways (`document.ts`): what the state comes to hold has to be
 * added here, and with it, once a format has been released, a new format and a migration that gives older documents what
 * they lack.
 */
import { z } from 'zod';
import { MODES } from '../core/config/model.ts';
import type { Decision, Rule } from '../core/release/ledger.ts';
import type { VersionPhase } from '../core/release/state.ts';
import type { GuiltyRule } from '../core/release/verdict.ts';

/** Raised when the document's shape changes. */
export const FORMAT = 3;

const count = z.int().min(0);
const millis = z.number().min(0);
const amount = z.number().min(0);
const wallMs = z.number();
const percent = z.number().min(0).max(100);
const id = z.string().min(1);
const line = z.string();
const names = z.array(z.string().min(1));

/** One of these words, which have to be all of them. */
function oneOf<Word extends string>(words: Readonly<Record<Word, true>>) {
  return z.enum(Object.keys(words) as Word[]);
}

const verdictRules = z.object({
  preset: z.enum(['patient', 'strict']),
  consecutive: count,
  falseAlarm: z.number(),
  margin: z.number(),
  assumedRate: z.number(),
  minRequests: count,
  divergence: z.number().nullable(),
});

const transition = z.object({
  mode: z.enum(MODES),
  sessionTimeoutS: z.int().min(1),
  percentagePerRequest: percent.refine((value) => value > 0, { error: 'Must be above 0' }),
  bucketKey: z.string().min(1),
  versions: z.int().min(1),
  patienceMs: millis,
  duplicatedMethods: names.nullable(),
  promoteAfterRequests: z.int().min(1).nullable(),
  responseTimeoutMs: millis,
  readyTimeoutMs: millis,
  regretWindowMs: millis,
  holdBytes: count,
  holdMs: millis,
  verdict: verdictRules,
  compare: z
    .object({
      headers: z.union([names, z.literal('all')]),
      ignoreHeaders: names,
      ignoreJson: names,
      ignoreBody: z.array(z.string()),
      sample: z.number().min(0).max(1),
      sampleFirst: count,
    })
    .nullable(),
});

const port = z.int().min(1).max(65_535);
const server = z.object({ host: z.string().min(1), port });

const engine = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('socket'), path: z.string().min(1) }),
    z.object({ kind: z.literal('tcp'), host: z.string().min(1), port, certPath: z.string().min(1).nullable() }),
  ])
  .nullable();

const texts = z.array(z.string());

const container = z.object({
  image: z.string().min(1),
  pull: z.enum(['missing', 'always', 'never']),
  portToProxy: port.nullable(),
  name: z.string().min(1).nullable(),
  workingDir: z.string().nullable(),
  entrypoint: texts.nullable(),
  environment: texts,
  command: texts.nullable(),
  hostname: z.string().nullable(),
  volumes: texts,
  volumesFrom: texts,
  portBindings: z.array(z.object({ port: z.string().min(1), hostIp: z.string(), hostPort: port.nullable() })),
  links: texts,
  user: z.string().nullable(),
  memoryBytes: count.nullable(),
  cpuShares: count.nullable(),
  lxc: z.array(z.object({ key: z.string().min(1), value: z.string() })),
  privileged: z.boolean(),
  network: z.string().nullable(),
  restartPolicy: z.string().nullable(),
  healthcheck: z
    .object({ test: texts, intervalMs: millis, timeoutMs: millis, startPeriodMs: millis, retries: count })
    .nullable(),
  labels: z.record(z.string(), z.string()),
  stopSignal: z.string().nullable(),
  stopTimeoutS: count.nullable(),
  replicas: z.int().min(1),
  watch: z
    .object({
      tags: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('same') }),
        z.object({ kind: z.literal('pattern'), pattern: z.string().min(1) }),
        z.object({ kind: z.literal('semver'), range: z.string().min(1) }),
      ]),
      intervalMs: millis,
      minAgeMs: millis,
    })
    .nullable(),
  engine,
});

const spec = z
  .object({
    uuid: id.nullable(),
    version: z.string().min(1),
    servers: z.array(server),
    containers: z.array(container),
    healthCheck: z
      .object({
        path: z.string().min(1),
        intervalMs: millis,
        timeoutMs: millis,
        expect: z.array(z.int()).nullable(),
        host: z.string().min(1).nullable(),
      })
      .nullable(),
    transition,
    shownContainers: z.array(z.unknown()).nullable(),
    shownHealthCheck: z.record(z.string(), z.unknown()).nullable(),
    shownTransition: z.record(z.string(), z.unknown()),
  })
  .refine(({ servers, containers }) => servers.length + containers.length > 0, {
    error: 'A version has neither servers nor containers',
  });

const launch = z.object({
  containers: z.array(
    z.object({
      slot: z.string().nullable(),
      containerId: z.string().min(1),
      name: z.string().min(1),
      engine,
      image: z.object({
        reference: z.string().min(1),
        imageId: z.string().min(1),
        digest: z.string().nullable(),
        pulled: z.boolean(),
      }),
      server: server.nullable(),
    }),
  ),
});

const tally = z.object({ answered: count, blamed: count, shared: count, unpaired: count });

const evidence = tally.extend({
  consecutive: count,
  consecutiveBlamed: count,
  recent: tally,
  previous: tally,
  byServer: z.record(z.string(), z.object({ blamed: count, unpaired: count })),
});

const verdict = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('clean'), reason: line }),
  z.object({ kind: z.literal('inconclusive'), reason: line }),
  z.object({
    kind: z.literal('guilty'),
    rule: oneOf<GuiltyRule>({ dead: true, strict: true, consecutive: true, rate: true, divergence: true }),
    reason: line,
  }),
]);

const baseline = z.object({
  requests: amount,
  failures: amount,
  unpaired: amount,
  source: z.enum(['release', 'before', 'assumed']),
  before: z.object({ requests: amount, failures: amount }).exactOptional(),
});

const served = z.object({ requests: count, failures: count, unpaired: count });

const counts = z.object({
  requests: count,
  replays: count,
  absorbed: count,
  notReplayable: count,
  budgetRefused: count,
  blamed: count,
  shared: count,
  unpaired: count,
});

const comparison = z.object({
  counts: z.object({
    compared: count,
    different: count,
    bodiesUnread: count,
    noiseCompared: count,
    noiseDifferent: count,
  }),
  differences: z.array(
    z.object({
      against: line,
      method: line,
      path: line,
      differing: z.array(
        z.object({
          what: z.enum(['status', 'header', 'length', 'body']),
          name: z.string().nullable(),
          older: line,
          newer: line,
        }),
      ),
      noise: z.boolean(),
    }),
  ),
});

const trial = z.object({
  begunMs: wallMs,
  evidence,
  verdict,
  baseline,
  paused: z.boolean(),
  stuck: z.boolean(),
  counts,
  comparison,
  older: served.extend({ id }).nullable(),
});

const version = z.object({
  id,
  service: z.string().min(1),
  spec,
  phase: oneOf<VersionPhase>({
    starting: true,
    releasing: true,
    watching: true,
    stable: true,
    standby: true,
    draining: true,
    failed: true,
    retired: true,
  }),
  sinceMs: wallMs,
  reason: line,
  putSequence: count,
  epoch: count,
  trusted: z.boolean(),
  raises: count,
  threshold: percent,
  trial: trial.nullable(),
  recent: z.array(served),
  exit: z.object({ cut: z.array(z.enum(['exchanges', 'tunnels'])), over: z.boolean() }).nullable(),
  launch: launch.nullable(),
  replaces: id.nullable(),
});

const ledgerEntry = z.object({
  id,
  service: z.string().min(1),
  version: z.string().min(1),
  mode: z.enum(MODES),
  epoch: count,
  against: z.string().nullable(),
  begunMs: wallMs,
  decidedMs: wallMs,
  decision: oneOf<Decision>({ stable: true, failed: true, standby: true, retired: true }),
  rule: oneOf<Rule>({
    dead: true,
    strict: true,
    consecutive: true,
    rate: true,
    divergence: true,
    'regret-window': true,
    promote: true,
    rollback: true,
    delete: true,
    overtaken: true,
    'nothing-older': true,
    'not-ready': true,
    'not-launched': true,
  }),
  reason: line,
  verdict,
  evidence,
  baseline,
  counts,
  comparison: comparison.nullable(),
  output: texts,
});

export const stateSchema = z
  .object({
    applied: z.unknown(),
    putSequence: count,
    epochSequence: count,
    versions: z.array(version),
    ledger: z.array(ledgerEntry),
    quarantine: z.array(
      z.object({ digest: z.string().min(1), reference: z.string().min(1), reason: line, atMs: wallMs }),
    ),
    seen: z.array(z.object({ digest: z.string().min(1), firstMs: wallMs })),
  })
  .refine(({ versions }) => new Set(versions.map((one) => one.id)).size === versions.length, {
    error: 'Two versions have the same id',
  })
  .refine(({ versions, putSequence }) => versions.every((one) => one.putSequence <= putSequence), {
    error: 'A version is newer than the last PUT',
  })
  .refine(({ versions, epochSequence }) => versions.every(({ epoch }) => epoch <= epochSequence), {
    error: 'An epoch is later than the last one',
  });

/** What may be written, since it will be read: exactly what the schema accepts. */
export type Writable = ReadOnly<z.output<typeof stateSchema>>;

type ReadOnly<T> = T extends readonly (infer Item)[]
  ? readonly ReadOnly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: ReadOnly<T[Key]> }
    : T;
