/** The configuration service as its users call it. */

/** The `cluster` object of a PUT, in the wire's own keys. */
export interface WireCluster {
  readonly servers?: readonly { readonly hostname?: string; readonly ip?: string; readonly port: number }[];
  readonly containers?: readonly Readonly<Record<string, unknown>>[];
  readonly version?: string | number;
  readonly uuid?: string;
  readonly healthCheck?: Readonly<Record<string, unknown>>;
  readonly upgradeTransition?: Readonly<Record<string, unknown>>;
}

export interface ConfigAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  readonly headers: Headers;
}

export const UUID_V1 = /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A cluster of loopback servers; `options` are those of `upgradeTransition`. */
export function cluster(
  version: string,
  servers: readonly { readonly port: number }[],
  options?: Readonly<Record<string, unknown>>,
): WireCluster {
  return {
    servers: servers.map(({ port }) => ({ hostname: '127.0.0.1', port })),
    version,
    ...(options ? { upgradeTransition: options } : {}),
  };
}

/** One call: `path` is what follows `/configuration/cluster`. */
export async function call(
  configPort: number,
  method: string,
  path = '',
  body?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<ConfigAnswer> {
  const answer = await fetch(`http://127.0.0.1:${configPort}/configuration/cluster${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    text: await answer.text(),
    headers: answer.headers,
  };
}

export function put(configPort: number, added: WireCluster): Promise<ConfigAnswer> {
  return call(configPort, 'PUT', '', JSON.stringify({ cluster: added }));
}

/** PUTs and gives the id. */
export async function putVersion(configPort: number, added: WireCluster): Promise<string> {
  const answer = await put(configPort, added);
  // With containers, lines that tell of their start come before it.
  const id = added.containers === undefined ? answer.text : (answer.text.trimEnd().split('\n').at(-1) ?? '');
  if (answer.status !== 202 || !UUID_V1.test(id)) {
    throw new Error(`PUT was answered ${answer.status} ${JSON.stringify(answer.text)}`);
  }
  return id;
}

export function remove(configPort: number, id: string): Promise<ConfigAnswer> {
  return call(configPort, 'DELETE', `/${id}`);
}

/** The versions that GET shows, newest first. */
export async function listVersions(
  configPort: number,
): Promise<readonly { readonly uuid: string; readonly version: string }[]> {
  const answer = await call(configPort, 'GET', '/');
  const list = JSON.parse(answer.text) as readonly { readonly cluster: { uuid: string; version: string } }[];
  return list.map((entry) => entry.cluster);
}
