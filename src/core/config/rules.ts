/**
 * What two keys of a configuration say together, and what a mode makes of its options.
 *
 * These look at the document as it was written, so that they speak up even where the schema has complained elsewhere.
 * Whatever has a wrong type is passed over here: the schema names it.
 */
import { hostsCollide, isLoopback, parseHost } from './address.ts';
import { containersErrors, dockerHostErrors } from './container-rules.ts';
import { LINES_MAX, valueAt, valueText } from './issues.ts';
import { MODES, type Mode } from './model.ts';
import { type JsonPath, pathText } from './source.ts';
import { PERCENT_ALLOWED } from './values.ts';

/** Faults of a configuration file outside its cluster. */
export function fileErrors(root: unknown): string[] {
  const errors: string[] = [];
  const at = (...path: JsonPath): unknown => valueAt(root, path);
  const [token, tokenFile] = [at('configService', 'token'), at('configService', 'tokenFile')];
  if (token !== undefined && tokenFile !== undefined) {
    errors.push('"configService" must have "token" or "tokenFile", not both');
  }
  const service = hostOf(at('configService', 'hostname'), '127.0.0.1');
  if (!isLoopback(service) && token === undefined && tokenFile === undefined) {
    errors.push(
      `"configService.hostname" must be a loopback address, not "${service}", unless "configService.token" or "configService.tokenFile" is given`,
    );
  }
  const port = at('proxy', 'port');
  if (port === at('configService', 'port') && typeof port === 'number' && port > 0) {
    if (hostsCollide(hostOf(at('proxy', 'hostname'), '0.0.0.0'), service)) {
      errors.push(`"configService.port" must differ from "proxy.port", which is ${port} too`);
    }
  }
  const [version, transition] = [at('cookies', 'version'), at('cookies', 'transition')];
  if ((version ?? 'dynsoftup') === (transition ?? 'transition')) {
    errors.push(`"cookies.transition" must differ from "cookies.version", which is ${valueText(version)} too`);
  }
  return [...errors, ...dockerHostErrors(at('dockerHost'), '"dockerHost"')];
}

/** Faults of the cluster of a file or of a PUT's body. */
export function clusterErrors(root: unknown): string[] {
  const cluster = valueAt(root, ['cluster']);
  if (!isObject(cluster)) return [];
  const { servers, containers } = cluster as { servers?: unknown; containers?: unknown };
  const errors: string[] = [];
  if (servers === undefined && containers === undefined) {
    errors.push('"cluster" must contain "servers" or "containers" list');
  }
  if (servers !== undefined && containers !== undefined) {
    errors.push('"cluster" must contain "servers" or "containers" list, not both');
  }
  if (Array.isArray(servers)) errors.push(...servers.flatMap(serverErrors).slice(0, LINES_MAX));
  errors.push(...dockerHostErrors(valueAt(cluster, ['dockerHost']), '"cluster.dockerHost"'));
  if (Array.isArray(containers)) errors.push(...containersErrors(containers).slice(0, LINES_MAX));
  return [...errors, ...transitionErrors(root)];
}

/** The mode a cluster is released by: without `upgradeTransition` INSTANT, without `mode` SESSION (thesis appendix I). */
export function modeOf(transition: unknown): Mode {
  if (transition === undefined) return 'INSTANT';
  const mode = valueAt(transition, ['mode']);
  return MODES.find((known) => known === mode) ?? 'SESSION';
}

/** Options that one mode alone uses; in front of them those of the thesis. */
export const OPTIONS_OF: Readonly<Record<Mode, readonly string[]>> = {
  INSTANT: [],
  SESSION: ['sessionTimeout'],
  GRADUAL: ['percentageTransitionPerRequest', 'key'],
  CONCURRENT: ['versions', 'patience', 'methods', 'promoteAfter', 'compare'],
};

const TRANSITION: JsonPath = ['cluster', 'upgradeTransition'];

/** What a person should know of a cluster that is accepted. */
export function clusterWarnings(root: unknown): string[] {
  const transition = valueAt(root, TRANSITION);
  const mode = modeOf(transition);
  const warnings: string[] = [];
  for (const other of MODES) {
    for (const option of other === mode ? [] : OPTIONS_OF[other]) {
      if (valueAt(transition, [option]) === undefined) continue;
      const name = `"${pathText([...TRANSITION, option])}"`;
      warnings.push(`${name} is ignored: it belongs to mode "${other}", and the mode is "${mode}"`);
    }
  }
  const verdict = valueAt(transition, ['verdict']);
  if (mode !== 'CONCURRENT' && isGiven(valueAt(verdict, ['divergence']))) {
    const name = `"${pathText([...TRANSITION, 'verdict', 'divergence'])}"`;
    warnings.push(`${name} is ignored: it belongs to mode "CONCURRENT", and the mode is "${mode}"`);
  }
  if (valueAt(verdict, ['preset']) === 'strict') {
    for (const option of Object.keys(verdict ?? {}).filter((key) => !STRICT_KEYS.includes(key))) {
      const name = `"${pathText([...TRANSITION, 'verdict', option])}"`;
      warnings.push(`${name} is ignored: with preset "strict" the first failure decides`);
    }
  }
  return warnings;
}

/** What counts with preset `strict` too. */
const STRICT_KEYS = ['preset', 'divergence'];

function isGiven(divergence: unknown): boolean {
  return divergence !== undefined && divergence !== null && divergence !== 'off';
}

function transitionErrors(root: unknown): string[] {
  const transition = valueAt(root, TRANSITION);
  const mode = modeOf(transition);
  const timeout = valueAt(transition, ['sessionTimeout']);
  if (mode === 'SESSION' && timeout === 0) {
    return [`"${pathText([...TRANSITION, 'sessionTimeout'])}" must be a whole number from 1 to 2147483647, not 0`];
  }
  const percent = valueAt(transition, ['percentageTransitionPerRequest']);
  if (mode === 'GRADUAL' && percent === 0) {
    return [`"${pathText([...TRANSITION, 'percentageTransitionPerRequest'])}" must be ${PERCENT_ALLOWED}, not 0`];
  }
  return [];
}

function serverErrors(server: unknown, index: number): string[] {
  if (!isObject(server)) return [];
  const name = `"${pathText(['cluster', 'servers', index])}"`;
  const { hostname, ip } = server as { hostname?: unknown; ip?: unknown };
  if (hostname !== undefined && ip !== undefined) return [`${name} must have "hostname" or "ip", not both`];
  if (hostname === undefined && ip === undefined) return [`${name} must have "hostname" or "ip"`];
  return [];
}

function hostOf(value: unknown, otherwise: string): string {
  return (typeof value === 'string' ? parseHost(value) : null) ?? otherwise;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
