/** From the containers as they are written to what the code works with, and to what GET shows of them. */
import type { z } from 'zod';
import { parseImage, parsePortKey } from '../containers/syntax.ts';
import type { containerSchema, dockerHost } from './containers.ts';
import type { ContainerHealthcheck, ContainerSpec, EngineAddress, PortBinding, WatchSpec } from './model.ts';

type ContainerValues = z.output<typeof containerSchema>;

/** @param engine the one of the cluster or of the file, where the container names none */
export function toContainer(values: ContainerValues, engine: EngineAddress | null): ContainerSpec {
  return {
    image: imageOf(values),
    pull: values.alwaysPull === true ? 'always' : (values.pullPolicy ?? 'missing'),
    portToProxy: values.portToProxy ?? null,
    name: values.name ?? null,
    workingDir: values.workingDir ?? null,
    entrypoint: values.entrypoint ?? null,
    environment: values.environment ?? [],
    command: values.cmd ?? null,
    hostname: values.hostname ?? null,
    volumes: values.volumes ?? [],
    volumesFrom: values.volumesFrom ?? [],
    portBindings: Object.entries(values.portBindings ?? {}).flatMap(([key, list]) => toBindings(key, list)),
    links: values.links ?? [],
    user: values.user ?? null,
    memoryBytes: values.memory ?? null,
    cpuShares: values.cpuShares ?? null,
    lxc: values.lxcConf ?? [],
    privileged: values.privileged,
    network: values.network ?? null,
    restartPolicy: values.restartPolicy ?? null,
    healthcheck: values.healthcheck === undefined ? null : toHealthcheck(values.healthcheck),
    labels: values.labels ?? {},
    stopSignal: values.stopSignal ?? null,
    stopTimeoutS: values.stopTimeout ?? null,
    replicas: values.replicas,
    watch: values.watch === undefined ? null : toWatch(values.watch),
    engine: toEngine(values.dockerHost) ?? engine,
  };
}

export function toEngine(values: z.output<typeof dockerHost> | undefined): EngineAddress | null {
  if (values === undefined) return null;
  const { ip, port, certPath, socketPath } = values;
  if (socketPath !== undefined) return { kind: 'socket', path: socketPath };
  return { kind: 'tcp', host: ip ?? '', port: port ?? 0, certPath: certPath ?? null };
}

/** The containers as they were given, without the values of their environment. */
export function maskedContainers(given: readonly unknown[]): readonly unknown[] {
  return given.map((container) => {
    const { environment, ...rest } = container as { readonly environment?: readonly string[] };
    return environment === undefined ? rest : { ...rest, environment: environment.map(maskVariable) };
  });
}

/** An environment's names are no secret, and help to see what is meant. */
export function maskVariable(variable: string): string {
  return `${/^[^=]+=/.exec(variable)?.[0] ?? ''}***`;
}

function imageOf({ image, tag }: ContainerValues): string {
  const parsed = parseImage(image);
  const named = parsed?.tag != null || parsed?.digest != null;
  return named ? image : `${image}:${tag ?? 'latest'}`;
}

function toBindings(key: string, list: NonNullable<ContainerValues['portBindings']>[string]): readonly PortBinding[] {
  const port = parsePortKey(key) ?? key;
  return (list.length === 0 ? [{}] : list).map((binding) => ({
    port,
    hostIp: binding.HostIp ?? binding.hostIp ?? '',
    hostPort: Number(binding.HostPort ?? binding.hostPort ?? 0) || null,
  }));
}

function toHealthcheck(values: NonNullable<ContainerValues['healthcheck']>): ContainerHealthcheck {
  const { test, interval, timeout, startPeriod, retries } = values;
  const ms = (seconds: number): number => Math.round(seconds * 1000);
  return {
    test: typeof test === 'string' ? ['CMD-SHELL', test] : wordsOf(test),
    intervalMs: ms(interval),
    timeoutMs: ms(timeout),
    startPeriodMs: ms(startPeriod),
    retries,
  };
}

function toWatch({ tags, semver, interval, minAge }: NonNullable<ContainerValues['watch']>): WatchSpec {
  const times = { intervalMs: Math.round(interval * 1000), minAgeMs: Math.round(minAge * 1000) };
  if (tags !== undefined) return { tags: { kind: 'pattern', pattern: tags }, ...times };
  if (semver !== undefined) return { tags: { kind: 'semver', range: semver }, ...times };
  return { tags: { kind: 'same' }, ...times };
}

/** A list may begin with the word that the engine's API wants there. */
function wordsOf(test: readonly string[]): readonly string[] {
  return ['CMD', 'CMD-SHELL', 'NONE'].includes(test[0] ?? '') ? test : ['CMD', ...test];
}
