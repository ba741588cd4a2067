/**
 * Which containers a version needs, and what has to be done about each: found again, shared, or created. Everything that
 * stands in the way is found here, before anything is started.
 */
import type { ContainerSpec, EngineAddress } from '../config/model.ts';
import * as syntax from './syntax.ts';

/** The labels of what Cutover creates. Whatever lacks them is not ours, and is never stopped or removed. */
export const LABELS = {
  service: 'cutover.service',
  version: 'cutover.version',
  id: 'cutover.id',
  slot: 'cutover.slot',
  /** A fingerprint of its options: what has the same is the same. */
  spec: 'cutover.spec',
  /** Which Cutover has created it, where it keeps no state to know that by. */
  owner: 'cutover.owner',
} as const;

export interface LaunchOrder {
  /** The version's id. */
  readonly id: string;
  readonly service: string;
  readonly version: string;
  readonly containers: readonly ContainerSpec[];
}

/** A container as its engine lists it. */
export interface FoundContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly running: boolean;
  /** `8080/tcp` */
  readonly hostPorts: readonly string[];
}

export interface Step {
  readonly kind: 'own' | 'shared' | 'create';
  /** Place in `containers`; null for one of another version that is only used. */
  readonly index: number | null;
  readonly slot: string | null;
  readonly name: string;
  readonly engine: EngineAddress | null;
  /** null with kind `create`. */
  readonly found: FoundContainer | null;
}

export type Plan =
  | { readonly ok: true; readonly steps: readonly Step[] }
  /** One line. */
  | { readonly ok: false; readonly reason: string };

export interface Surroundings {
  /** All containers of an engine, also those that do not run. */
  readonly found: (engine: EngineAddress | null) => readonly FoundContainer[];
  readonly fingerprint: (spec: ContainerSpec) => string;
}

/** The steps in the order in which they have to be taken; what is only used comes first. */
export function planLaunch(order: LaunchOrder, { found, fingerprint }: Surroundings): Plan {
  const steps: Step[] = [];
  for (const [index, spec] of order.containers.entries()) {
    const there = found(spec.engine);
    for (const { slot, name } of slotsOf(order, index)) {
      const at = { index, slot, name, engine: spec.engine };
      const own = there.find(({ labels }) => labels[LABELS.id] === order.id && labels[LABELS.slot] === slot);
      const named = there.find((container) => container.name === name);
      if (own !== undefined) {
        steps.push({ kind: 'own', ...at, name: own.name, found: own });
      } else if (named === undefined) {
        const taken = portTaken(spec, there);
        if (taken !== null) return { ok: false, reason: taken };
        steps.push({ kind: 'create', ...at, found: null });
      } else if (!isOurs(named)) {
        return { ok: false, reason: `The name "${name}" is taken by a container that Cutover did not create` };
      } else if (named.labels[LABELS.spec] !== fingerprint(spec)) {
        const version = named.labels[LABELS.version] ?? '';
        const reason = `The name "${name}" is taken by a container of version ${version} with other options`;
        return { ok: false, reason };
      } else {
        steps.push({ kind: 'shared', ...at, found: named });
      }
    }
  }
  return withUsed(order, steps, found);
}

/** Containers of other versions that are only pointed at: they have to be there, and are kept while this version needs them. */
function withUsed(order: LaunchOrder, steps: readonly Step[], found: Surroundings['found']): Plan {
  const used: Step[] = [];
  for (const spec of order.containers) {
    for (const { key, name } of pointersOf(spec)) {
      const isPlanned = [...used, ...steps].some((step) => step.name === name && isSame(step.engine, spec.engine));
      if (isPlanned) continue;
      const there = found(spec.engine).find((container) => container.name === name);
      if (there === undefined) return { ok: false, reason: `"${key}" names "${name}", and there is no such container` };
      if (isOurs(there))
        used.push({ kind: 'shared', index: null, slot: null, name, engine: spec.engine, found: there });
    }
  }
  return { ok: true, steps: [...used, ...steps] };
}

/** The names that these containers have or point at, by engine: what must go on while their version lives. */
export function usedBy(containers: readonly ContainerSpec[], name: string, engine: EngineAddress | null): boolean {
  return containers.some((spec) => {
    if (!isSame(spec.engine, engine)) return false;
    const names = spec.name === null ? [] : replicaNames(spec, spec.name);
    return names.includes(name) || pointersOf(spec).some((pointer) => pointer.name === name);
  });
}

export function labelsOf(order: LaunchOrder, slot: string, fingerprint: string): Readonly<Record<string, string>> {
  return {
    [LABELS.service]: order.service,
    [LABELS.version]: order.version,
    [LABELS.id]: order.id,
    [LABELS.slot]: slot,
    [LABELS.spec]: fingerprint,
  };
}

export function isOurs({ labels }: FoundContainer): boolean {
  return labels[LABELS.id] !== undefined;
}

function isSame(one: EngineAddress | null, other: EngineAddress | null): boolean {
  return engineKey(one) === engineKey(other);
}

/** Tells engines apart; not for people. */
export function engineKey(engine: EngineAddress | null): string {
  if (engine === null) return '';
  return engine.kind === 'socket' ? engine.path : `${engine.host} ${engine.port} ${engine.certPath ?? ''}`;
}

interface Slot {
  readonly slot: string;
  readonly name: string;
}

/** One for each replica. A name that is made up is the same whenever it is asked for, so that nothing is created twice. */
function slotsOf({ id, service, containers }: LaunchOrder, index: number): readonly Slot[] {
  const spec = containers[index] as ContainerSpec;
  const name = spec.name ?? `cutover-${service}-${id.slice(0, 13)}-${index}`;
  const names = replicaNames(spec, name);
  return names.map((one, replica) => ({
    slot: names.length === 1 ? `${index}` : `${index}.${replica + 1}`,
    name: one,
  }));
}

function replicaNames({ replicas }: ContainerSpec, name: string): readonly string[] {
  return replicas === 1 ? [name] : Array.from({ length: replicas }, (_, replica) => `${name}-${replica + 1}`);
}

function pointersOf(spec: ContainerSpec): readonly { readonly key: string; readonly name: string }[] {
  const network = syntax.networkContainer(spec.network);
  return [
    ...spec.links.map((text) => ({ key: 'links', name: syntax.parseLink(text)?.container ?? text })),
    ...spec.volumesFrom.map((text) => ({ key: 'volumesFrom', name: syntax.parseVolumesFrom(text)?.container ?? text })),
    ...(network === null ? [] : [{ key: 'network', name: network }]),
  ];
}

/** A host port that it wants and another container has, as a line. */
function portTaken(spec: ContainerSpec, found: readonly FoundContainer[]): string | null {
  for (const { port, hostPort } of spec.portBindings) {
    if (hostPort === null) continue;
    const key = `${hostPort}/${port.split('/')[1]}`;
    const other = found.find(({ running, hostPorts }) => running && hostPorts.includes(key));
    if (other !== undefined) return `Host port ${key} is published by container "${other.name}" already`;
  }
  return null;
}
