/** Versions to put, with everything defaulted. */
import type {
  ClusterSpec,
  HealthCheck,
  Mode,
  ServerAddress,
  Transition,
  VerdictRules,
} from '../../../src/core/config/model.ts';
import type { LaunchedContainer } from '../../../src/core/containers/launch.ts';
import { clusterOf } from '../containers/samples.ts';

/** The rules of a version that says nothing of its verdict. */
export const PATIENT: VerdictRules = {
  preset: 'patient',
  consecutive: 5,
  falseAlarm: 0.0075,
  margin: 0.05,
  assumedRate: 0.005,
  minRequests: 30,
  divergence: null,
};

export interface SpecOptions extends Partial<Transition> {
  readonly version?: string;
  readonly uuid?: string;
  readonly servers?: readonly string[];
  readonly healthCheck?: HealthCheck;
}

/** An address as the code has it. */
function addressOf(text: string): ServerAddress {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

/** A version that is given by one container, `app` where nothing else is said. */
export function inContainers(mode: Mode, options: SpecOptions & { readonly container?: object } = {}): ClusterSpec {
  const { container = {}, ...rest } = options;
  const { version = '1.0' } = options;
  const given = { image: 'app', tag: version, portToProxy: 80, ...container };
  const { containers, shownContainers } = clusterOf([given]);
  return { ...spec(mode, rest), servers: [], containers, shownContainers };
}

/** What an engine tells of the container of such a version. */
export function launchedContainer(server: string, more: Partial<LaunchedContainer> = {}): LaunchedContainer {
  return {
    slot: '0',
    containerId: `c-${server}`,
    name: `app-${server}`,
    engine: null,
    image: { reference: 'app:1.0', imageId: 'sha256:1', digest: 'app@sha256:1', pulled: true },
    server: addressOf(server),
    ...more,
  };
}

/** They did not run before. */
export function launchedNow(id: string, ...containers: readonly LaunchedContainer[]) {
  return { kind: 'launched', id, containers, started: containers.map(({ containerId }) => containerId) } as const;
}

export function spec(mode: Mode, options: SpecOptions = {}): ClusterSpec {
  const { version = '1.0', uuid = null, servers = ['10.0.0.1:80'], healthCheck = null, ...transition } = options;
  return {
    uuid,
    version,
    servers: servers.map(addressOf),
    containers: [],
    healthCheck,
    shownContainers: null,
    shownHealthCheck: null,
    transition: {
      mode,
      sessionTimeoutS: 60,
      percentagePerRequest: 1,
      bucketKey: 'cookie',
      versions: 2,
      patienceMs: 1000,
      duplicatedMethods: null,
      promoteAfterRequests: null,
      responseTimeoutMs: 30_000,
      readyTimeoutMs: 30_000,
      holdBytes: 65_536,
      holdMs: 250,
      regretWindowMs: 600_000,
      verdict: PATIENT,
      compare: null,
      ...transition,
    },
    shownTransition: { mode },
  };
}
