/** Versions to put, with everything defaulted. */
import type { ClusterSpec, HealthCheck, Mode, Transition, VerdictRules } from '../../../src/core/config/model.ts';

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

export function spec(mode: Mode, options: SpecOptions = {}): ClusterSpec {
  const { version = '1.0', uuid = null, servers = ['10.0.0.1:80'], healthCheck = null, ...transition } = options;
  return {
    uuid,
    version,
    servers: servers.map((text) => ({
      host: text.slice(0, text.indexOf(':')),
      port: Number(text.slice(text.indexOf(':') + 1)),
    })),
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
