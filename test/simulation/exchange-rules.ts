/** What must hold of every exchange: nothing is lost, nothing is sent twice against the policy, nobody is moved without cause. */
import type { Route } from '../../src/core/routing/table.ts';
import type { Asked } from './client.ts';
import type { Seen, Upstreams } from './upstreams.ts';

export interface Circumstances {
  readonly upstreams: Upstreams;
  readonly nowMs: number;
  /** Ids of the versions that serve now. */
  readonly serving: ReadonlySet<string>;
  /** Replays that the budget has refused since the request began. */
  readonly budgetRefused: number;
  readonly holdBytes: number;
}

/** A stall ends later than this after the client was given the head; a break in a held answer does not. */
const STALLED_MS = 200;

/** What is wrong, or null. */
export function judgeExchange(asked: Asked, around: Circumstances): string | null {
  return judgeWrites(asked, around) ?? judgeLoss(asked, around) ?? judgeMove(asked, around);
}

function routeOf({ plan }: Asked, key: string): Route | undefined {
  return plan.order.find(({ servers }) => servers.some((server) => server.key === key));
}

/** The write policy: sent again only if it is repeatable or never reached a server, and never to a version twice. */
function judgeWrites(asked: Asked, { upstreams }: Circumstances): string | null {
  const seen = upstreams.seen(asked.id);
  for (const route of asked.plan.order) {
    const own = seen.filter(({ key }) => routeOf(asked, key) === route);
    const times = own.filter(({ applied }) => applied).length;
    if (times > timesAllowed(asked, route)) {
      return `Version ${route.version} was given the request ${times} times: ${told(asked, seen)}`;
    }
  }
  if (asked.repeatable) return null;
  const reached = seen.filter((attempt) => attempt.reached);
  const allowed = asked.plan.kind === 'fan-out' ? asked.plan.legs : 1;
  return reached.length > allowed ? `${asked.method} reached ${reached.length} servers: ${told(asked, seen)}` : null;
}

function timesAllowed({ method, repeatable, plan }: Asked, route: Route): number {
  // What two answers of the older version differ by is noise to the comparison; it asks what changes nothing.
  const mayAskForNoise = plan.kind === 'fan-out' && method === 'GET' && route === plan.order[1];
  const mayTryServer = repeatable && route === plan.order[0] && route.servers.length > 1;
  return mayAskForNoise || mayTryServer ? 2 : 1;
}

/** A request that an older version could have answered without risk was answered. */
function judgeLoss(asked: Asked, around: Circumstances): string | null {
  const { outcome, status, plan } = asked;
  if (outcome === 'left' || (outcome === 'whole' && status < 500)) return null;
  const seen = around.upstreams.seen(asked.id);
  if (!asked.repeatable && seen.some(({ reached }) => reached)) return null;
  if (around.budgetRefused > 0) return null;
  const answering = routeOf(asked, asked.answeredBy);
  if (outcome === 'cut' && !wasHeld(asked, answering, around)) return null;
  // A trusted version's own errors are the service's, unless another version had failed before.
  if (outcome === 'whole' && answering?.onTrial === false && versionsIn(asked, seen).size === 1) return null;
  const fallback = plan.order.find((route) => isWellOlder(asked, route, around));
  return fallback === undefined
    ? null
    : `${asked.method} was lost (${outcome} ${status}) although version ${fallback.version} was well: ${told(asked, seen)}`;
}

function wasHeld({ bytes, headMs }: Asked, answering: Route | undefined, { nowMs, holdBytes }: Circumstances): boolean {
  return answering?.onTrial === true && bytes <= holdBytes && nowMs - headMs < STALLED_MS;
}

function isWellOlder({ table, plan, begunMs }: Asked, route: Route, { upstreams, serving }: Circumstances): boolean {
  const { chain } = table;
  const [admitted] = plan.order;
  if (admitted === undefined || chain.indexOf(route) <= chain.indexOf(admitted)) return false;
  return serving.has(route.id) && route.servers.every(({ key }) => upstreams.wasWellSince(key, begunMs));
}

function versionsIn(asked: Asked, seen: readonly Seen[]): ReadonlySet<Route | undefined> {
  return new Set(seen.map(({ key }) => routeOf(asked, key)));
}

/** A client that shows a version cookie is not moved to an older version, nor out of its session, without a cause. */
function judgeMove(asked: Asked, { upstreams }: Circumstances): string | null {
  if (asked.outcome !== 'whole' || asked.cookie === '') return null;
  const { chain } = asked.table;
  const from = chain.findIndex(({ id }) => id === asked.cookie);
  const answered = routeOf(asked, asked.answeredBy);
  const before = chain[from];
  if (before === undefined || answered === undefined || answered === before) return null;
  const failed = upstreams
    .seen(asked.id)
    .some(({ key, result, status }) => routeOf(asked, key) === before && (result !== 'answered' || status >= 500));
  if (failed) return null;
  const newer = chain.slice(0, from);
  const allKeepSessions = newer.every(({ mode, released, dormant }) => dormant || (mode === 'SESSION' && !released));
  if (allKeepSessions && asked.plan.kind === 'single') {
    return `The session on version ${before.version} was answered by ${answered.version}`;
  }
  const waitsForOlder = asked.plan.kind === 'fan-out' || before.dormant;
  const isOlder = chain.indexOf(answered) > from;
  return isOlder && !waitsForOlder ? `A client of version ${before.version} moved back to ${answered.version}` : null;
}

function told({ plan }: Asked, seen: readonly Seen[]): string {
  const attempts = seen.map(({ key, result, status }) => `${key} ${result} ${status}`).join(', ');
  return `${plan.kind} ${plan.order.map(({ version, mode }) => `${version} ${mode}`).join(' > ')}; ${attempts}`;
}
