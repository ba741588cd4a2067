/** From a container as it is configured to what the Docker Engine API is asked to create (API 1.41, Engine 20.10). */
import type { ContainerSpec, PortBinding } from '../config/model.ts';
import { lxcToHostConfig } from './lxc.ts';
import { parseRestartPolicy, parseVolume } from './syntax.ts';

/** What is decided for a container beside its configuration. */
export interface CreateContext {
  /** The image to run, by tag, digest or id. */
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Where the port to proxy is published though no binding says so; null: nowhere. */
  readonly publish: PortBinding | null;
}

type Json = { readonly [key: string]: unknown };

const NANOSECONDS_PER_MS = 1_000_000;

/** The body of `POST /containers/create`. What the configuration leaves out is left to the image and the engine. */
export function createBody(spec: ContainerSpec, context: CreateContext): Json {
  const volumes = spec.volumes.map((text) => ({ text, ...parseVolume(text) }));
  const bindings = [...spec.portBindings, ...(context.publish === null ? [] : [context.publish])];
  const ports = new Set([...bindings.map(({ port }) => port), ...exposed(spec)]);
  return given({
    Image: context.image,
    WorkingDir: spec.workingDir,
    Entrypoint: spec.entrypoint,
    Env: full(spec.environment),
    Cmd: spec.command,
    Hostname: spec.hostname,
    User: spec.user,
    Labels: { ...spec.labels, ...context.labels },
    ExposedPorts: full(Object.fromEntries([...ports].map((port) => [port, {}]))),
    Volumes: full(
      Object.fromEntries(volumes.filter(({ source }) => source === null).map(({ target }) => [target, {}])),
    ),
    Healthcheck: healthcheck(spec),
    StopSignal: spec.stopSignal,
    StopTimeout: spec.stopTimeoutS,
    HostConfig: given({
      Binds: full(volumes.filter(({ source }) => source !== null).map(({ text }) => text)),
      VolumesFrom: full(spec.volumesFrom),
      PortBindings: full(portBindings(bindings)),
      Links: full(spec.links),
      Memory: spec.memoryBytes,
      CpuShares: spec.cpuShares,
      Privileged: spec.privileged ? true : null,
      NetworkMode: spec.network,
      RestartPolicy: restartPolicy(spec),
      ...lxcToHostConfig(spec.lxc),
    }),
  });
}

/** A port that is proxied to is documented in the container, also where nothing publishes it. */
function exposed({ portToProxy, portBindings: bindings }: ContainerSpec): readonly string[] {
  const isHostPort = bindings.some(({ hostPort }) => hostPort === portToProxy);
  return portToProxy === null || isHostPort ? [] : [`${portToProxy}/tcp`];
}

function portBindings(bindings: readonly PortBinding[]): Json {
  const byPort: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { port, hostIp, hostPort } of bindings) {
    byPort[port] = [...(byPort[port] ?? []), { HostIp: hostIp, HostPort: hostPort === null ? '' : `${hostPort}` }];
  }
  return byPort;
}

function restartPolicy({ restartPolicy: text }: ContainerSpec): Json | null {
  const policy = text === null ? null : parseRestartPolicy(text);
  return policy === null ? null : { Name: policy.name, MaximumRetryCount: policy.retries };
}

function healthcheck({ healthcheck: check }: ContainerSpec): Json | null {
  if (check === null) return null;
  return {
    Test: check.test,
    Interval: check.intervalMs * NANOSECONDS_PER_MS,
    Timeout: check.timeoutMs * NANOSECONDS_PER_MS,
    StartPeriod: check.startPeriodMs * NANOSECONDS_PER_MS,
    Retries: check.retries,
  };
}

/** Null for what holds nothing. */
function full<T extends object>(value: T): T | null {
  return Object.keys(value).length === 0 ? null : value;
}

/** Without the fields that are null. */
function given(fields: Readonly<Record<string, unknown>>): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
