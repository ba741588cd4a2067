/** A configuration file with what it points at. */
import { dirname, resolve } from 'node:path';
import type { Config } from './core/config/model.ts';
import { parseConfig } from './core/config/parse.ts';
import { BEARER_ALLOWED, isBearer } from './core/config/values.ts';
import { readTextFile } from './system/files.ts';

export type Loaded =
  /** `config` has the token that `tokenFile` holds; `text` is the file's. */
  | { readonly ok: true; readonly config: Config; readonly text: string; readonly warnings: readonly string[] }
  /** One line each. */
  | { readonly ok: false; readonly errors: readonly string[] };

export type TokenRead = { readonly ok: true; readonly token: string } | { readonly ok: false; readonly reason: string };

/** Reads and checks a configuration file, and its token file, whose path counts from the configuration's folder. */
export function loadConfig(path: string): Loaded {
  const file = readTextFile(path);
  if (!file.ok) return { ok: false, errors: [file.reason] };
  const parsed = parseConfig(file.text);
  if (!parsed.ok) return { ok: false, errors: parsed.errors.map((error) => `${path}: ${error}`) };
  const { value: config, warnings } = parsed;
  const { text } = file;
  const { tokenFile } = config.configService;
  if (tokenFile === null) return { ok: true, config, text, warnings };
  const read = readToken(resolve(dirname(path), tokenFile));
  if (!read.ok) return { ok: false, errors: [`${path}: "configService.tokenFile": ${read.reason}`] };
  const configService = { ...config.configService, token: read.token };
  return { ok: true, config: { ...config, configService }, text, warnings };
}

/** Reads a token from a file of its own; white space around it does not count. */
export function readToken(path: string): TokenRead {
  const file = readTextFile(path);
  if (!file.ok) return file;
  const token = file.text.trim();
  if (isBearer(token)) return { ok: true, token };
  return { ok: false, reason: `The content of ${JSON.stringify(path)} must be ${BEARER_ALLOWED}` };
}
