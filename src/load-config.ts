/** A configuration file with what it points at. */
import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Config } from './core/config/model.ts';
import { parseConfig } from './core/config/parse.ts';
import { BEARER_ALLOWED, isBearer } from './core/config/values.ts';
import { readTextFile } from './system/files.ts';

/** `config` has the token that `tokenFile` holds, and the state's place; `text` is the file's. */
export interface LoadedConfig {
  readonly ok: true;
  readonly config: Config;
  readonly text: string;
  readonly warnings: readonly string[];
}

export type Loaded =
  | LoadedConfig
  /** One line each. */
  | { readonly ok: false; readonly errors: readonly string[] };

/** The same text for two configurations that differ in their `cluster` alone. */
export function allButCluster(config: Config): string {
  return JSON.stringify({ ...config, cluster: null, clusterAsWritten: null });
}

export type TokenRead = { readonly ok: true; readonly token: string } | { readonly ok: false; readonly reason: string };

/**
 * Reads and checks a configuration file, and its token file, whose path counts from the configuration's folder.
 *
 * @param held what the file held, where it has been read already
 */
export function loadConfig(path: string, held: string | null = null): Loaded {
  const file = held === null ? readTextFile(path) : ({ ok: true, text: held } as const);
  if (!file.ok) return { ok: false, errors: [file.reason] };
  const parsed = parseConfig(file.text);
  if (!parsed.ok) return { ok: false, errors: parsed.errors.map((error) => `${path}: ${error}`) };
  const { text } = file;
  const placed = placeState(parsed.value, path);
  if (placed === null)
    return { ok: false, errors: [`${path}: "state.file" must not be the configuration file itself`] };
  const { config } = placed;
  const warnings = [...parsed.warnings, ...placed.warnings];
  const { tokenFile } = config.configService;
  if (tokenFile === null) return { ok: true, config, text, warnings };
  const read = readToken(resolve(dirname(path), tokenFile));
  if (!read.ok) return { ok: false, errors: [`${path}: "configService.tokenFile": ${read.reason}`] };
  const configService = { ...config.configService, token: read.token };
  return { ok: true, config: { ...config, configService }, text, warnings };
}

/**
 * Says where the state is kept: where `state.file` says, counted from the configuration's folder, else beside the configuration
 * file. Null when that is the configuration file.
 */
function placeState(config: Config, path: string): { config: Config; warnings: readonly string[] } | null {
  if (config.state === null) return { config, warnings: [] };
  const { file } = config.state;
  if (file === null && !isFile(path)) {
    const warning = 'The configuration does not come from a file: no state is kept, unless "state.file" says where';
    return { config: { ...config, state: null }, warnings: [warning] };
  }
  const beside = `${basename(path, '.json')}.state.json`;
  const place = resolve(dirname(path), file ?? beside);
  if (place === resolve(path)) return null;
  return { config: { ...config, state: { file: place } }, warnings: [] };
}

/** False for a pipe, and for the names of open files (`/dev/stdin`, `/proc/self/fd/3`), beside which nothing can be kept. */
function isFile(path: string): boolean {
  return !/^\/(dev|proc)\//.test(resolve(path)) && statSync(path).isFile();
}

/** Reads a token from a file of its own; white space around it does not count. */
export function readToken(path: string): TokenRead {
  const file = readTextFile(path);
  if (!file.ok) return file;
  const token = file.text.trim();
  if (isBearer(token)) return { ok: true, token };
  return { ok: false, reason: `The content of ${JSON.stringify(path)} must be ${BEARER_ALLOWED}` };
}
