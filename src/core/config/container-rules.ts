/**
 * What the fields of containers say together. Like `rules.ts` this looks at the document as it was written, and passes over
 * whatever the schema names.
 */
import { isLxcValue, lxcField } from '../containers/lxc.ts';
import * as syntax from '../containers/syntax.ts';
import { valueAt, valueText } from './issues.ts';
import { pathText } from './source.ts';

/** Faults of a cluster's containers, each by itself and all together. */
export function containersErrors(containers: readonly unknown[]): string[] {
  const errors = containers.flatMap((container, index) => containerErrors(container, index));
  if (containers.length > 0 && containers.every((container) => valueAt(container, ['portToProxy']) === undefined)) {
    errors.push('"containers" list must contain at least one entry with "portToProxy"');
  }
  return [...errors, ...nameErrors(containers), ...portErrors(containers)];
}

/** What a container that asks for `privileged` is answered with where that is not allowed; one line for each. */
export function privilegedErrors(root: unknown): string[] {
  const containers = valueAt(root, ['cluster', 'containers']);
  if (!Array.isArray(containers)) return [];
  return containers.flatMap((container: unknown, index) =>
    valueAt(container, ['privileged']) === true
      ? [`${at(index, 'privileged')} is true: that is allowed only where "configService.allowPrivileged" is true`]
      : [],
  );
}

export function dockerHostErrors(engine: unknown, name: string): string[] {
  if (typeof engine !== 'object' || engine === null) return [];
  const has = (key: string): boolean => valueAt(engine, [key]) !== undefined;
  const byAddress = has('ip') && has('port') && !has('socketPath');
  const bySocket = has('socketPath') && !has('ip') && !has('port') && !has('certPath');
  if (byAddress || bySocket) return [];
  return [`${name} must have "ip" and "port", or "socketPath" alone`];
}

function containerErrors(container: unknown, index: number): string[] {
  const get = (...path: (string | number)[]): unknown => valueAt(container, path);
  const errors = dockerHostErrors(get('dockerHost'), at(index, 'dockerHost'));
  const image = syntax.parseImage(text(get('image')));
  if (get('tag') !== undefined && image !== null && (image.tag !== null || image.digest !== null)) {
    errors.push(`${at(index, 'tag')} must not be given, since "image" has one: it is ${valueText(get('image'))}`);
  }
  if (get('alwaysPull') === true && get('pullPolicy') !== undefined && get('pullPolicy') !== 'always') {
    errors.push(`${at(index, 'pullPolicy')} must be "always" or left out where "alwaysPull" is true`);
  }
  if (get('watch', 'tags') !== undefined && get('watch', 'semver') !== undefined) {
    errors.push(`${at(index, 'watch')} must have "tags" or "semver", not both`);
  }
  if (get('watch') !== undefined && image?.digest != null && image.tag === null) {
    errors.push(`${at(index, 'watch')} must not be given: "image" has no tag whose image could change`);
  }
  const network = text(get('network'));
  const noPorts = network === 'none' || syntax.networkContainer(network) !== null;
  if (noPorts && get('portToProxy') !== undefined) {
    errors.push(`${at(index, 'network')} must be one with ports where "portToProxy" is given, not "${network}"`);
  }
  return [...errors, ...lxcErrors(container, index), ...replicaErrors(container, index)];
}

function lxcErrors(container: unknown, index: number): string[] {
  const errors: string[] = [];
  const fields: Readonly<Record<string, string>> = { memory: 'Memory', cpuShares: 'CpuShares' };
  listAt(container, 'lxcConf').forEach((entry, place) => {
    const [key, value] = [text(valueAt(entry, ['key'])), valueAt(entry, ['value'])];
    const name = `"${pathText(['cluster', 'containers', index, 'lxcConf', place, 'value'])}"`;
    const field = lxcField(key);
    if (field === undefined || typeof value !== 'string') return;
    if (!isLxcValue({ key, value })) errors.push(`${name} must be a value of ${key}, not ${valueText(value)}`);
    const same = Object.keys(fields).find((other) => fields[other] === field);
    if (same !== undefined && valueAt(container, [same]) !== undefined) {
      errors.push(`${name} must not be given beside "${same}", which sets the same`);
    }
  });
  return errors;
}

/** What only one container can have. */
function replicaErrors(container: unknown, index: number): string[] {
  const replicas = valueAt(container, ['replicas']);
  if (typeof replicas !== 'number' || replicas < 2) return [];
  const ports = bindingsOf(container).filter(({ hostPort }) => hostPort > 0);
  const errors = ports.map(({ key }) => `${at(index, 'portBindings')} must name no host port of "${key}"`);
  if (valueAt(container, ['network']) === 'host') errors.push(`${at(index, 'network')} must not be "host"`);
  return errors.map((error) => `${error}: there are ${replicas} replicas, and only one could have it`);
}

/** Names that are taken twice, and containers that are pointed at before they are there. */
function nameErrors(containers: readonly unknown[]): string[] {
  const places = new Map<string, number>();
  const errors: string[] = [];
  containers.forEach((container, index) => {
    for (const name of namesOf(container)) {
      const key = `${engineOf(container)} ${name}`;
      const first = places.get(key);
      if (first !== undefined)
        errors.push(`${at(index, 'name')} must differ from ${at(first, 'name')}: it is "${name}" too`);
      places.set(key, first ?? index);
    }
  });
  containers.forEach((container, index) => {
    for (const { path, name } of pointersOf(container)) {
      const place = places.get(`${engineOf(container)} ${name}`);
      if (place === undefined || place < index) continue;
      const where = place === index ? 'is this container itself' : 'is started later: containers start in their order';
      errors.push(`"${pathText(['cluster', 'containers', index, ...path])}" names "${name}", which ${where}`);
    }
  });
  return errors;
}

/** Host ports that are published twice. */
function portErrors(containers: readonly unknown[]): string[] {
  const seen: { readonly key: string; readonly ip: string; readonly index: number }[] = [];
  const errors: string[] = [];
  containers.forEach((container, index) => {
    for (const { protocol, hostPort, hostIp } of bindingsOf(container)) {
      if (hostPort === 0) continue;
      const key = `${engineOf(container)} ${hostPort}/${protocol}`;
      const first = seen.find((other) => other.key === key && (other.ip === hostIp || !other.ip || !hostIp));
      if (first !== undefined) {
        errors.push(
          `${at(index, 'portBindings')} publishes host port ${hostPort}/${protocol}, as ${at(first.index, 'portBindings')} does`,
        );
      }
      seen.push({ key, ip: hostIp === '0.0.0.0' ? '' : hostIp, index });
    }
  });
  return errors;
}

interface WrittenBinding {
  readonly key: string;
  readonly protocol: string;
  readonly hostIp: string;
  /** 0: a free one. */
  readonly hostPort: number;
}

function bindingsOf(container: unknown): readonly WrittenBinding[] {
  const bindings = valueAt(container, ['portBindings']);
  if (typeof bindings !== 'object' || bindings === null) return [];
  return Object.entries(bindings).flatMap(([key, list]: [string, unknown]) =>
    (Array.isArray(list) ? (list as readonly unknown[]) : []).map((one) => ({
      key,
      protocol: key.split('/')[1] ?? 'tcp',
      hostIp: text(valueAt(one, ['HostIp']) ?? valueAt(one, ['hostIp'])),
      hostPort: Number(valueAt(one, ['HostPort']) ?? valueAt(one, ['hostPort']) ?? 0) || 0,
    })),
  );
}

/** A name; with replicas, the names that are made of it. */
function namesOf(container: unknown): readonly string[] {
  const name = text(valueAt(container, ['name']));
  if (name === '') return [];
  const replicas = valueAt(container, ['replicas']);
  if (typeof replicas !== 'number' || replicas < 2 || replicas > 100) return [name];
  return Array.from({ length: replicas }, (_, index) => `${name}-${index + 1}`);
}

function pointersOf(container: unknown): readonly { readonly path: (string | number)[]; readonly name: string }[] {
  const of = (key: string, parse: (text: string) => syntax.Pointer | null) =>
    listAt(container, key).map((one, place) => ({ path: [key, place], name: parse(text(one))?.container ?? '' }));
  const network = syntax.networkContainer(text(valueAt(container, ['network'])));
  return [
    ...of('links', syntax.parseLink),
    ...of('volumesFrom', syntax.parseVolumesFrom),
    ...(network === null ? [] : [{ path: ['network'], name: network }]),
  ];
}

function engineOf(container: unknown): string {
  return JSON.stringify(valueAt(container, ['dockerHost']) ?? null);
}

function listAt(container: unknown, key: string): readonly unknown[] {
  const value = valueAt(container, [key]);
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function at(index: number, key: string): string {
  return `"${pathText(['cluster', 'containers', index, key])}"`;
}
