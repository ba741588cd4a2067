/**
 * Credentials for registries, where Docker's own client has them: in `DOCKER_AUTH_CONFIG`, else in `config.json` of `DOCKER_CONFIG`
 * or `~/.docker`. They are read anew for each use, since they are renewed from outside. Credential helpers are not called.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from './registry.ts';

/** Under which Docker's client keeps those of its own registry. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

interface ClientConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string }>>;
}

/** Of a registry by its host and port (`docker.io` for Docker's own); null: none are known, or what there is can't be read. */
export function credentialsOf(host: string, env: NodeJS.ProcessEnv = process.env): Credentials | null {
  const { auths } = clientConfig(env);
  const names = [host, `https://${host}`, `https://${host}/v1/`, ...(host === 'docker.io' ? [DOCKER_HUB] : [])];
  const encoded = names.map((name) => auths?.[name]?.auth).find((auth) => auth !== undefined && auth !== '');
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function clientConfig(env: NodeJS.ProcessEnv): ClientConfig {
  try {
    const file = join(env.DOCKER_CONFIG ?? join(homedir(), '.docker'), 'config.json');
    return (JSON.parse(env.DOCKER_AUTH_CONFIG ?? readFileSync(file, 'utf8')) ?? {}) as ClientConfig;
  } catch {
    return {};
  }
}
