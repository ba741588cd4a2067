/**
 * The health of one server, as one transition table. What happens to a server (requests, connections, checks, time) comes
 * in as a word; a pair that is not in the table changes nothing.
 *
 *   healthy ── 3 failures in a row, a refusal found again, 3 failed checks ──▶ ejected ◀── probe fails ── probing
 *      ▲                                                                       ▲  │                        ▲  │
 *      │                     one failure before its first answer, or as above ─┘  └─────── back-off ───────┘  │
 *      └──────── slow start is over ──────── returning ◀───────────────────── probe passes ───────────────────┘
 *
 * The back-off doubles each time the server has to be ejected anew before it has proved itself, so that a server which
 * accepts connections and fails every request costs one request per back-off, not three.
 */

export interface ServerHealth {
  readonly phase: 'healthy' | 'ejected' | 'probing' | 'returning';
  /** Failed requests in a row. */
  readonly failures: number;
  /** Checks in a row that speak against the phase: failed ones while it takes requests, passed ones while it does not. */
  readonly checks: number;
  /** False from an ejection until a request is answered again. */
  readonly proven: boolean;
  /** The wait before the next probe, or before the last one; 0 while the server has nothing to make up for. */
  readonly backoffMs: number;
  /** Monotonic milliseconds. Ejected: when it is probed. Returning: when its slow start is over. Else infinity. */
  readonly dueMs: number;
}

/**
 * `answered`: a whole answer below 500. `failed`: a request failed on this server and no other version shares the failure.
 * `shared`: another version failed the same request too. `refused`: it refused a connection, and again at once.
 * `passed`, `not-passed`: what a check or a half-open probe found. `due`: `dueMs` is reached. `sought`: traffic shows that
 * it may be well again, so it is worth a probe now.
 */
export type HealthEvent = 'answered' | 'failed' | 'shared' | 'refused' | 'passed' | 'not-passed' | 'due' | 'sought';

export interface HealthContext {
  readonly nowMs: number;
  /** How many probes in a row must pass before an ejected server takes requests again. */
  readonly passesNeeded: number;
}

const FAILURES_MAX = 3;
const FAILED_CHECKS_MAX = 3;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 30_000;
export const SLOW_START_MS = 10_000;

const NEVER = Number.POSITIVE_INFINITY;

/** A server that nothing is held against. */
export const HEALTHY: ServerHealth = {
  phase: 'healthy',
  failures: 0,
  checks: 0,
  proven: true,
  backoffMs: 0,
  dueMs: NEVER,
};

/** A server that has just come up: nothing is held against it, but it may not listen yet, so a probe must pass first. */
export const COMING_UP: ServerHealth = { ...HEALTHY, phase: 'ejected', proven: false, dueMs: 0 };

/** The health after an event; the very same object when the event changes nothing. */
export function nextHealth(health: ServerHealth, event: HealthEvent, context: HealthContext): ServerHealth {
  return TABLE[health.phase][event]?.(health, context) ?? health;
}

/** False while the server is kept from requests. */
export function takesRequests({ phase }: ServerHealth): boolean {
  return phase === 'healthy' || phase === 'returning';
}

type Step = (health: ServerHealth, context: HealthContext) => ServerHealth;

const IN_ROTATION: Readonly<Partial<Record<HealthEvent, Step>>> = {
  answered,
  failed,
  shared: (health) => (health.failures === 0 ? health : { ...health, failures: 0 }),
  refused: eject,
  passed: (health) => (health.checks === 0 ? health : { ...health, checks: 0 }),
  'not-passed': notPassed,
};

const TABLE: Readonly<Record<ServerHealth['phase'], Readonly<Partial<Record<HealthEvent, Step>>>>> = {
  healthy: IN_ROTATION,
  returning: { ...IN_ROTATION, due: endSlowStart },
  ejected: { due: probe, sought: probe },
  probing: { passed: admit, 'not-passed': keepOut },
};

function answered(health: ServerHealth): ServerHealth {
  const settled = health.phase === 'healthy' ? 0 : health.backoffMs;
  if (health.failures === 0 && health.proven && health.backoffMs === settled) return health;
  return { ...health, failures: 0, proven: true, backoffMs: settled };
}

function failed(health: ServerHealth, context: HealthContext): ServerHealth {
  const failures = health.failures + 1;
  return failures >= FAILURES_MAX || !health.proven ? eject(health, context) : { ...health, failures };
}

function notPassed(health: ServerHealth, context: HealthContext): ServerHealth {
  const checks = health.checks + 1;
  return checks >= FAILED_CHECKS_MAX ? eject(health, context) : { ...health, checks };
}

function eject(health: ServerHealth, { nowMs }: HealthContext): ServerHealth {
  const backoffMs = longer(health.backoffMs);
  return { phase: 'ejected', failures: 0, checks: 0, proven: false, backoffMs, dueMs: nowMs + backoffMs };
}

function probe(health: ServerHealth): ServerHealth {
  return { ...health, phase: 'probing', dueMs: NEVER };
}

/** Takes requests again, few at first; or waits for a further passed probe. */
function admit(health: ServerHealth, { nowMs, passesNeeded }: HealthContext): ServerHealth {
  const checks = health.checks + 1;
  if (checks < passesNeeded) return { ...health, phase: 'ejected', checks, dueMs: nowMs + BACKOFF_FIRST_MS };
  return { ...health, phase: 'returning', checks: 0, dueMs: nowMs + SLOW_START_MS };
}

function keepOut(health: ServerHealth, { nowMs }: HealthContext): ServerHealth {
  const backoffMs = longer(health.backoffMs);
  return { ...health, phase: 'ejected', checks: 0, backoffMs, dueMs: nowMs + backoffMs };
}

/** What it has to make up for is forgotten only when it has answered something; else with its first answer. */
function endSlowStart(health: ServerHealth): ServerHealth {
  return { ...health, phase: 'healthy', backoffMs: health.proven ? 0 : health.backoffMs, dueMs: NEVER };
}

function longer(backoffMs: number): number {
  return backoffMs === 0 ? BACKOFF_FIRST_MS : Math.min(2 * backoffMs, BACKOFF_MAX_MS);
}
