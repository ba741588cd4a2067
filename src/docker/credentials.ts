/**
 * What a registry is told of who asks: from the configuration of Docker's own client (`DOCKER_CONFIG`, else `~/.docker`), its
 * credential helpers, or the same document in `DOCKER_AUTH_CONFIG`. Never logged, never kept.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** As the engine takes it in `X-Registry-Auth`. */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly serveraddress: string;
}

interface ClientConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

const DOCKER_HUB = 'https://index.docker.io/v1/';
const HELPER_MS = 5_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** The credentials for the registry of an image, or null: it is asked as anybody. */
export async function credentialsFor(reference: string, environment: Environment): Promise<RegistryAuth | null> {
  const registry = registryOf(reference);
  const config = await readConfig(environment);
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  const helped = helper === undefined ? null : await askHelper(helper, registry);
  if (helped !== null) return helped;
  const known =
    config.auths?.[registry] ?? config.auths?.[`https://${registry}`] ?? config.auths?.[`http://${registry}`];
  if (known?.identitytoken) return { identitytoken: known.identitytoken, serveraddress: registry };
  const pair = Buffer.from(known?.auth ?? '', 'base64').toString();
  const colon = pair.indexOf(':');
  if (colon < 0) return null;
  return { username: pair.slice(0, colon), password: pair.slice(colon + 1), serveraddress: registry };
}

/** The first part of a name is a registry when it looks like a host, else the image is Docker Hub's. */
function registryOf(reference: string): string {
  const first = reference.split('/')[0] ?? '';
  return reference.includes('/') && (/[.:]/.test(first) || first === 'localhost') ? first : DOCKER_HUB;
}

/** What can't be read is nothing; the registry's answer then says that credentials are missing. */
async function readConfig(environment: Environment): Promise<ClientConfig> {
  const folder = environment.DOCKER_CONFIG ?? join(homedir(), '.docker');
  const text =
    environment.DOCKER_AUTH_CONFIG ?? (await readFile(join(folder, 'config.json'), 'utf8').catch(() => '{}'));
  try {
    return (JSON.parse(text) ?? {}) as ClientConfig;
  } catch {
    return {};
  }
}

/** `docker-credential-NAME get`, the registry on its standard input. */
function askHelper(name: string, registry: string): Promise<RegistryAuth | null> {
  const { promise, resolve } = Promise.withResolvers<RegistryAuth | null>();
  const child = spawn(`docker-credential-${name}`, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], timeout: HELPER_MS });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  child.on('error', () => resolve(null));
  child.stdin.on('error', () => {});
  child.on('close', () => resolve(readHelped(text, registry)));
  child.stdin.end(registry);
  return promise;
}

function readHelped(text: string, serveraddress: string): RegistryAuth | null {
  try {
    const { Username, Secret } = JSON.parse(text) as { Username?: string; Secret?: string };
    if (!Secret) return null;
    return Username === '<token>'
      ? { identitytoken: Secret, serveraddress }
      : { username: Username ?? '', password: Secret, serveraddress };
  } catch {
    return null;
  }
}
