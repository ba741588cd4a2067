/**
 * What a release has shown of the version on trial: counts of its own requests by what they proved (`Finding` in
 * `core/messages.ts`). Immutable, JSON all through, and each step costs the same however much was counted. What the counts mean
 * is `verdict.ts`'s business.
 */
import type { Finding } from '../messages.ts';

export interface Tally {
  /** Requests that the version answered, 5xx not among them. */
  readonly answered: number;
  readonly blamed: number;
  readonly shared: number;
  readonly unpaired: number;
}

export interface Evidence extends Tally {
  /** Blamed or unpaired failures in a row: since the last answer or shared failure. */
  readonly consecutive: number;
  /** The blamed ones among them. */
  readonly consecutiveBlamed: number;
  /** The requests since the last full window, at most `WINDOW_REQUESTS` of them. A version may go bad late. */
  readonly recent: Tally;
  /** The window before that. */
  readonly previous: Tally;
  /** Blamed and unpaired failures by server (`host:port`), so that those of a server that is ejected can leave. */
  readonly byServer: Readonly<Record<string, ServerFailures>>;
}

interface ServerFailures {
  readonly blamed: number;
  readonly unpaired: number;
}

/** What the version is held against: the requests of an older version, none of them a replay for the one on trial. */
export interface Baseline {
  readonly requests: number;
  /** Of them, those that failed, in whatever way. */
  readonly failures: number;
  /** Of these, those that no other version could hide. Counting one too many is harmless, one too few is not. */
  readonly unpaired: number;
  /** `release`: the older version's own traffic meanwhile. `before`: its last requests before. `assumed`: neither is known, and the counts say nothing. */
  readonly source: 'release' | 'before' | 'assumed';
  /** The older version's requests before the release, where they are known; what shared failures are held against. */
  readonly before?: { readonly requests: number; readonly failures: number };
}

/** How many requests of the version on trial are looked at apart from those before them. */
export const WINDOW_REQUESTS = 250;

const NOTHING: Tally = { answered: 0, blamed: 0, shared: 0, unpaired: 0 };

export const NO_EVIDENCE: Evidence = {
  ...NOTHING,
  consecutive: 0,
  consecutiveBlamed: 0,
  recent: NOTHING,
  previous: NOTHING,
  byServer: {},
};

export function requestsOf(tally: Tally): number {
  return tally.answered + tally.blamed + tally.shared + tally.unpaired;
}

/** `count` more requests that the version answered. */
export function withAnswers(evidence: Evidence, count: number): Evidence {
  if (count <= 0) return evidence;
  return {
    ...evidence,
    answered: evidence.answered + count,
    consecutive: 0,
    consecutiveBlamed: 0,
    ...windowsWithAnswers(evidence, count),
  };
}

/** One more request that the version failed, on `server` (`host:port`) where that is known. */
export function withFinding(evidence: Evidence, kind: Finding['kind'], server: string | null = null): Evidence {
  const isFull = requestsOf(evidence.recent) >= WINDOW_REQUESTS;
  const recent = isFull ? NOTHING : evidence.recent;
  return {
    ...evidence,
    [kind]: evidence[kind] + 1,
    consecutive: kind === 'shared' ? 0 : evidence.consecutive + 1,
    consecutiveBlamed: kind === 'shared' ? 0 : evidence.consecutiveBlamed + (kind === 'blamed' ? 1 : 0),
    recent: { ...recent, [kind]: recent[kind] + 1 },
    previous: isFull ? evidence.recent : evidence.previous,
    byServer: kind === 'shared' || server === null ? evidence.byServer : withServer(evidence.byServer, server, kind),
  };
}

/** The evidence without the failures of one server: it was ejected, and was to blame rather than the version. */
export function withoutServer(evidence: Evidence, server: string): Evidence {
  const { [server]: gone, ...byServer } = evidence.byServer;
  if (gone === undefined) return evidence;
  return {
    ...evidence,
    ...less(evidence, gone),
    consecutive: 0,
    consecutiveBlamed: 0,
    recent: less(evidence.recent, gone),
    previous: less(evidence.previous, gone),
    byServer,
  };
}

function windowsWithAnswers({ recent, previous }: Evidence, count: number): Pick<Evidence, 'recent' | 'previous'> {
  const space = WINDOW_REQUESTS - requestsOf(recent);
  if (count <= space) return { recent: { ...recent, answered: recent.answered + count }, previous };
  const rest = (count - space) % WINDOW_REQUESTS || WINDOW_REQUESTS;
  const full =
    count - space > WINDOW_REQUESTS
      ? { ...NOTHING, answered: WINDOW_REQUESTS }
      : { ...recent, answered: recent.answered + space };
  return { recent: { ...NOTHING, answered: rest }, previous: full };
}

function withServer(byServer: Evidence['byServer'], server: string, kind: keyof ServerFailures): Evidence['byServer'] {
  const { blamed, unpaired } = byServer[server] ?? { blamed: 0, unpaired: 0 };
  const failures = kind === 'blamed' ? { blamed: blamed + 1, unpaired } : { blamed, unpaired: unpaired + 1 };
  return { ...byServer, [server]: failures };
}

function less(tally: Tally, gone: ServerFailures): Tally {
  return {
    answered: tally.answered,
    blamed: Math.max(0, tally.blamed - gone.blamed),
    shared: tally.shared,
    unpaired: Math.max(0, tally.unpaired - gone.unpaired),
  };
}
