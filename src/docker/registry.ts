/** Asks an image registry which tags a repository has and what stands under one (Docker Registry HTTP API v2). */
import type { RegistryAuth } from './credentials.ts';

export interface Registry {
  /** All tags of `registry:5000/team/app`. Rejects with one line that says why there are none to be had. */
  tags(repository: string): Promise<readonly string[]>;
  /** What a tag stands for, `sha256:…`; null when the repository has no such tag. Rejects like `tags`. */
  digest(repository: string, tag: string): Promise<string | null>;
}

export interface RegistryOptions {
  /** For the registry of a repository; null: none. */
  readonly credentialsOf: (repository: string) => Promise<RegistryAuth | null>;
  /** Bound on one call, milliseconds. */
  readonly timeoutMs: number;
}

/** Whatever a tag may stand for; a list of platforms has the digest that a pull by the tag records. */
const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** A registry that never ends its list is no registry. */
const PAGES_MAX = 100;

export function openRegistry(options: RegistryOptions): Registry {
  return {
    async tags(repository) {
      const { host, base, path } = placeOf(repository);
      const call = { host, repository, method: 'GET', accept: 'application/json' } as const;
      const tags: string[] = [];
      let url = new URL(`${base}/v2/${path}/tags/list`);
      for (let page = 0; page < PAGES_MAX; page += 1) {
        const answer = await ask(url, call, options);
        if (answer.status !== 200) throw new Error(refusal(repository, answer));
        const { tags: some } = (await answer.json()) as { readonly tags?: readonly string[] | null };
        tags.push(...(some ?? []));
        const next = /<([^>]+)>;\s*rel="?next"?/.exec(answer.headers.get('link') ?? '')?.[1];
        if (next === undefined) break;
        url = new URL(next, url);
      }
      return tags;
    },
    async digest(repository, tag) {
      const { host, base, path } = placeOf(repository);
      const url = new URL(`${base}/v2/${path}/manifests/${tag}`);
      const answer = await ask(url, { host, repository, method: 'HEAD', accept: MANIFESTS }, options);
      if (answer.status === 404) return null;
      const digest = answer.headers.get('docker-content-digest');
      if (answer.status !== 200 || digest === null) throw new Error(refusal(`${repository}:${tag}`, answer));
      return digest;
    },
  };
}

interface Call {
  readonly host: string;
  readonly repository: string;
  readonly method: 'GET' | 'HEAD';
  readonly accept: string;
}

/** One call, once more with what the registry wants to see if it wants something. */
async function ask(url: URL, call: Call, { credentialsOf, timeoutMs }: RegistryOptions): Promise<Response> {
  const { host, repository, method, accept } = call;
  const send = (target: URL, request: RequestInit) =>
    fetch(target, { ...request, signal: AbortSignal.timeout(timeoutMs) }).catch((error: unknown) => {
      throw new Error(`Reaching the registry ${host} failed: ${causeOf(error)}`);
    });
  const answer = await send(url, { method, headers: { accept } });
  if (answer.status !== 401) return answer;
  const credentials = await credentialsOf(repository);
  const again = (authorization: string) => send(url, { method, headers: { accept, authorization } });
  const challenge = answer.headers.get('www-authenticate') ?? '';
  if (/^basic\b/i.test(challenge)) {
    const authorization = basic(credentials);
    return authorization === null ? answer : again(authorization);
  }
  const realm = parameter(challenge, 'realm');
  if (!/^bearer\b/i.test(challenge) || realm === null) return answer;
  const wanted = new URLSearchParams();
  for (const name of ['service', 'scope']) {
    const value = parameter(challenge, name);
    if (value !== null) wanted.set(name, value);
  }
  const given = await send(...tokenRequest(realm, wanted, credentials));
  if (given.status !== 200) return answer;
  const { token, access_token: other } = (await given.json()) as { token?: string; access_token?: string };
  return again(`Bearer ${token ?? other}`);
}

/** Asks for a token with a name and its password, or with the token that a login has left. */
function tokenRequest(realm: string, wanted: URLSearchParams, credentials: RegistryAuth | null): [URL, RequestInit] {
  const url = new URL(realm);
  if (credentials?.identitytoken !== undefined) {
    const login = { grant_type: 'refresh_token', refresh_token: credentials.identitytoken, client_id: 'cutover' };
    return [url, { method: 'POST', body: new URLSearchParams([...wanted, ...Object.entries(login)]) }];
  }
  for (const [name, value] of wanted) url.searchParams.set(name, value);
  const authorization = basic(credentials);
  return [url, authorization === null ? {} : { headers: { authorization } }];
}

/** Docker's client names its own registry nowhere, and leaves out who owns an official image. */
function placeOf(repository: string): { readonly host: string; readonly base: string; readonly path: string } {
  const [first = '', ...rest] = repository.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  if (!isHost) {
    const path = rest.length === 0 ? `library/${first}` : repository;
    return { host: 'docker.io', base: 'https://registry-1.docker.io', path };
  }
  if (first === 'docker.io') return placeOf(rest.join('/'));
  // As the engine does: without TLS on loopback.
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+)(:\d+)?$/.test(first);
  return { host: first, base: `${isLoopback ? 'http' : 'https'}://${first}`, path: rest.join('/') };
}

function basic(credentials: RegistryAuth | null): string | null {
  if (credentials?.username === undefined) return null;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

function parameter(challenge: string, name: string): string | null {
  return new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(challenge)?.[1] ?? null;
}

function refusal(what: string, { status }: Response): string {
  const why = status === 401 || status === 403 ? `${status}, its credentials are not accepted` : `${status}`;
  return `The registry answered ${why} when it was asked for ${what}`;
}

function causeOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message || String(error);
}
