/** What the REST API shows of versions and releases. */
import { hostPort } from '../core/config/address.ts';
import type { LaunchedContainer } from '../core/containers/launch.ts';
import type { VersionFigures } from '../core/messages.ts';
import type { ContainerView, LedgerView, StatusView, VersionView } from '../core/release/command.ts';
import { type Conclusion, entryOf, type LedgerEntry } from '../core/release/ledger.ts';
import type { ReleaseState, VersionState } from '../core/release/state.ts';
import { olderThan } from '../core/release/trial.ts';

/** A version as GET shows it; the order of the keys is the wire's. */
export function viewOf({ id, spec }: VersionState): VersionView {
  return {
    cluster: {
      ...(spec.shownContainers === null ? {} : { containers: spec.shownContainers }),
      ...(spec.shownHealthCheck === null ? {} : { healthCheck: spec.shownHealthCheck }),
      servers: spec.servers.map(({ host, port }) => ({ hostname: host, port })),
      upgradeTransition: spec.shownTransition,
      uuid: id,
      version: spec.version,
    },
  };
}

/** What is known of a version beside its state. */
interface Surroundings {
  readonly figures: Readonly<VersionFigures> | undefined;
  /** Why it does not serve yet; null: it does, or nothing is known. */
  readonly standing: string | null;
  /** How a server (`host:port`) stands; undefined when the version does not serve. */
  readonly healthOf: (server: string) => string | undefined;
}

export function statusOf(version: VersionState, { figures, standing, healthOf }: Surroundings): StatusView {
  const { trial, spec } = version;
  return {
    id: version.id,
    version: spec.version,
    phase: version.phase,
    since: timeText(version.sinceMs),
    reason: standing === null ? version.reason : `${version.reason}; ${standing}`,
    mode: spec.transition.mode,
    paused: trial?.paused ?? null,
    threshold: spec.transition.mode === 'GRADUAL' ? version.threshold : null,
    verdict: trial?.verdict ?? null,
    evidence: trial?.evidence ?? null,
    baseline: trial?.baseline ?? null,
    comparison: spec.transition.compare === null ? null : (trial?.comparison ?? null),
    servers: spec.servers.map(({ host, port }) => {
      const health = healthOf(hostPort(host, port));
      return { hostname: host, port, ...(health === undefined ? {} : { health }) };
    }),
    ...(version.launch === null ? {} : { containers: version.launch.containers.map(containerView) }),
    inFlight: figures?.inFlight ?? 0,
    tunnels: figures?.tunnels ?? 0,
  };
}

function containerView({ name, containerId, image, server }: LaunchedContainer): ContainerView {
  return {
    name,
    id: containerId,
    image: image.reference,
    digest: image.digest ?? image.imageId,
    server: server === null ? null : hostPort(server.host, server.port),
  };
}

/** All releases, the latest first: by when each was decided; one that goes on by when it has begun. */
export function ledgerViewsOf({ versions, ledger }: ReleaseState): readonly LedgerView[] {
  const open = versions.map((version) => openViewOf(version, olderThan(versions, version)[0]?.spec.version ?? null));
  const all = [...open.filter((view) => view !== null), ...ledger.map(ledgerViewOf)];
  return all.toSorted((a, b) => latestMs(b) - latestMs(a));
}

function latestMs({ begun, decided }: LedgerView): number {
  return Date.parse(decided ?? begun);
}

function ledgerViewOf(entry: LedgerEntry): LedgerView {
  const { id, version, mode, against, verdict, counts, comparison, evidence, baseline, output } = entry;
  return {
    id,
    version,
    mode,
    against,
    begun: timeText(entry.begunMs),
    decided: timeText(entry.decidedMs),
    decision: entry.decision,
    rule: entry.rule,
    reason: entry.reason,
    verdict,
    counts,
    comparison,
    evidence,
    baseline,
    output,
  };
}

/** The release that a version is in, or null; nothing is decided. */
function openViewOf(version: VersionState, against: string | null): LedgerView | null {
  if (version.trial === null) return null;
  const entry = entryOf(version, version.trial, { ...UNDECIDED, against });
  return { ...ledgerViewOf(entry), decided: null, decision: null, rule: null, reason: null };
}

/** Stands in where nothing is decided yet; none of it is shown. */
const UNDECIDED: Omit<Conclusion, 'against'> = { decision: 'retired', rule: 'delete', reason: '', atMs: 0, output: [] };

function timeText(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
