/** Asks an image registry which tags a repository has and what stands under one (Docker Registry HTTP API v2). */

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface Registry {
  /** All tags of `registry:5000/team/app`. Rejects with one line that says why there are none to be had. */
  tags(repository: string): Promise<readonly string[]>;
  /** What a tag stands for, `sha256:…`; null when the repository has no such tag. Rejects like `tags`. */
  digest(repository: string, tag: string): Promise<string | null>;
}

export interface RegistryOptions {
  /** Of a registry, by its host and port; null: none. */
  readonly credentialsOf: (host: string) => Credentials | null;
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
      const tags: string[] = [];
      let url = new URL(`${base}/v2/${path}/tags/list`);
      for (let page = 0; page < PAGES_MAX; page += 1) {
        const answer = await ask(url, { host, method: 'GET', accept: 'application/json' }, options);
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
      const answer = await ask(url, { host, method: 'HEAD', accept: MANIFESTS }, options);
      if (answer.status === 404) return null;
      const digest = answer.headers.get('docker-content-digest');
      if (answer.status !== 200 || digest === null) throw new Error(refusal(`${repository}:${tag}`, answer));
      return digest;
    },
  };
}

interface Call {
  readonly host: string;
  readonly method: 'GET' | 'HEAD';
  readonly accept: string;
}

/** One call, once more with what the registry wants to see if it wants something. */
async function ask(url: URL, { host, method, accept }: Call, options: RegistryOptions): Promise<Response> {
  const credentials = options.credentialsOf(host);
  const send = (target: URL, headers: Readonly<Record<string, string>>, verb: string = method) =>
    fetch(target, { method: verb, headers, signal: AbortSignal.timeout(options.timeoutMs) }).catch((error: unknown) => {
      throw new Error(`Reaching the registry ${host} failed: ${causeOf(error)}`);
    });
  const answer = await send(url, { accept });
  if (answer.status !== 401) return answer;
  const challenge = answer.headers.get('www-authenticate') ?? '';
  if (/^basic\b/i.test(challenge)) {
    return credentials === null ? answer : send(url, { accept, authorization: basic(credentials) });
  }
  const realm = parameter(challenge, 'realm');
  if (!/^bearer\b/i.test(challenge) || realm === null) return answer;
  const service = new URL(realm);
  for (const name of ['service', 'scope']) {
    const value = parameter(challenge, name);
    if (value !== null) service.searchParams.set(name, value);
  }
  const given = await send(service, credentials === null ? {} : { authorization: basic(credentials) }, 'GET');
  if (given.status !== 200) return answer;
  const { token, access_token: other } = (await given.json()) as { token?: string; access_token?: string };
  return send(url, { accept, authorization: `Bearer ${token ?? other}` });
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

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
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
