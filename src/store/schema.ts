/**
 * The state document: what is read must have exactly this meaning, or it is not used. `docs/state.md` describes it.
 *
 * The schema is held against the types of the state by the compiler: what the state comes to hold has to be added here. With a
 * released format, that makes a new one, and a migration that gives older documents what they lack.
 */
import { z } from 'zod';
import {
  type ClusterSpec,
  type CompareRules,
  MODES,
  type Transition,
  type VerdictRules,
} from '../core/config/model.ts';
import type { LedgerEntry } from '../core/release/ledger.ts';
import type { ReleaseState, VersionState } from '../core/release/state.ts';
import type { Trial } from '../core/release/trial.ts';

/** Raised when the document's shape changes. */
export const FORMAT = 1;

const count = z.int().min(0);
const millis = z.number().min(0);
const percent = z.number().min(0).max(100);
const line = z.string();
const names = z.array(z.string().min(1));

const served = z.object({ requests: count, failures: count, unpaired: count });
const cutKind = z.enum(['exchanges', 'tunnels']);

/** An object that is written and read whole, by the same code; what is in it is not looked into here. */
function whole<T extends object>(): z.ZodType<T> {
  return z.custom<T>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
}

const transition: z.ZodType<Transition> = z.object({
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
  verdict: whole<VerdictRules>(),
  compare: whole<CompareRules>().nullable(),
});

const spec: z.ZodType<ClusterSpec> = z.object({
  uuid: z.string().min(1).nullable(),
  version: z.string().min(1),
  servers: z.array(z.object({ host: z.string().min(1), port: z.int().min(1).max(65_535) })).min(1),
  transition,
  shownTransition: z.record(z.string(), z.unknown()),
});

const version: z.ZodType<VersionState> = z.object({
  id: z.string().min(1),
  service: z.string().min(1),
  spec,
  phase: z.enum(['starting', 'releasing', 'watching', 'stable', 'standby', 'draining', 'failed', 'retired']),
  sinceMs: z.number(),
  reason: line,
  putSequence: count,
  epoch: count,
  trusted: z.boolean(),
  raises: count,
  threshold: percent,
  trial: whole<Trial>().nullable(),
  recent: z.array(served),
  exit: z.object({ cut: z.array(cutKind), over: z.boolean() }).nullable(),
});

export const stateSchema: z.ZodType<ReleaseState> = z
  .object({
    applied: z.unknown(),
    putSequence: count,
    epochSequence: count,
    versions: z.array(version),
    ledger: z.array(whole<LedgerEntry>()),
  })
  .refine(({ versions }) => new Set(versions.map(({ id }) => id)).size === versions.length, {
    error: 'Two versions have the same id',
  })
  .refine(({ versions, putSequence }) => versions.every((one) => one.putSequence <= putSequence), {
    error: 'A version is newer than the last PUT',
  })
  .refine(({ versions, epochSequence }) => versions.every(({ epoch }) => epoch <= epochSequence), {
    error: 'An epoch is later than the last one',
  });
