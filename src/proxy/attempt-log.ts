/** The log lines of an attempt, in the words of the thesis (section 6.2.2). */
import type { VersionFigures } from '../core/messages.ts';
import type { Route, RoutingTable, Server } from '../core/routing/table.ts';
import type { Log } from '../system/log.ts';
import type { Failure } from './message-level.ts';

interface AttemptFacts {
  readonly server: Server;
  readonly figures: VersionFigures;
  readonly table: RoutingTable;
}

export function logAttempt(log: Log, route: Route, facts: AttemptFacts): void {
  const { server, figures } = facts;
  log.write(
    'INFO',
    'exchange',
    `Serving response ${figures.attempts} from ip: [${server.host}] port: [${server.port}] version: [${route.version}] mode: [${route.mode}]${modeFacts(route, facts.table)}`,
    { id: route.id, version: route.version, server: server.key, mode: route.mode, count: figures.attempts },
  );
}

export function logFailure(log: Log, route: Route, failure: Failure): void {
  if (!log.enabled('ERROR')) return;
  log.write('ERROR', 'exchange', `Error communicating with server - ${failure.text}`, {
    id: route.id,
    version: route.version,
    kind: failure.kind,
    phase: failure.phase,
  });
}

function modeFacts(route: Route, table: RoutingTable): string {
  switch (route.mode) {
    case 'SESSION':
      return ` session timeout [${route.sessionTimeoutS}] uuid [${route.id}]`;
    case 'GRADUAL': {
      const threshold = table.thresholds[table.chain.findIndex((other) => other.id === route.id)] ?? 100;
      return ` transition counter [${threshold.toFixed(2)}] percentage transition per request [${route.percentagePerRequest.toFixed(2)}]`;
    }
    default:
      return '';
  }
}
