/** One Docker engine: where it listens, and what it is asked. The client library is loaded when an engine is first asked. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { hostPort } from '../core/config/address.ts';
import type { EngineAddress } from '../core/config/model.ts';
import { EngineAway } from '../core/containers/launch.ts';
import type { FoundContainer } from '../core/containers/plan.ts';

/** An engine that does not answer within this time is away. */
const ANSWERS_WITHIN_MS = 4_000;
/** Everything but pulls and stops is over within this time, or has failed. */
const CALL_MS = 60_000;

const DEFAULT_SOCKET = '/var/run/docker.sock';
const DEFAULT_PORT = 2375;

type Environment = Readonly<Record<string, string | undefined>>;

/** The client's limit for one call. */
export function within(limitMs: number = CALL_MS): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(limitMs) };
}

export class Engine {
  readonly address: EngineAddress | null;
  /** For people: `unix:///var/run/docker.sock`. */
  readonly name: string;
  /** The machine that its published ports are on. */
  readonly host: string;
  readonly #place: Place;
  readonly #environment: Environment;
  #client: Promise<Docker> | null = null;

  /** @param address null: as `DOCKER_HOST` says, else the usual socket. Throws for a `DOCKER_HOST` that can't be used. */
  constructor(address: EngineAddress | null, environment: Environment) {
    this.address = address;
    this.#environment = environment;
    this.#place = address === null ? placeOf(environment.DOCKER_HOST ?? '') : placeAt(address);
    const { socketPath, host, port } = this.#place;
    this.name = socketPath === null ? `tcp://${hostPort(host, port)}` : `unix://${socketPath}`;
    this.host = socketPath === null ? host : '127.0.0.1';
  }

  client(): Promise<Docker> {
    this.#client ??= this.#connect().catch((error: unknown) => {
      this.#client = null;
      throw error;
    });
    return this.#client;
  }

  /** Rejects with `EngineAway` within five seconds when the engine does not answer. */
  async reach(): Promise<Docker> {
    try {
      const client = await this.client();
      await client.ping(within(ANSWERS_WITHIN_MS) as never);
      return client;
    } catch (error) {
      throw new EngineAway(`The Docker engine at ${this.name} does not answer: ${faultText(error)}`);
    }
  }

  /** All its containers, also those that do not run. */
  async list(): Promise<readonly FoundContainer[]> {
    const client = await this.client();
    const containers = await client.listContainers({ all: true, ...within() });
    return containers.map(({ Id, Names, Labels, State, Ports }) => ({
      id: Id,
      name: nameOf(Names),
      labels: Labels ?? {},
      running: State === 'running',
      hostPorts: (Ports ?? []).flatMap(({ PublicPort, Type }) => (PublicPort ? [`${PublicPort}/${Type}`] : [])),
    }));
  }

  async #connect(): Promise<Docker> {
    const { default: Client } = await import('dockerode');
    const { socketPath, host, port, certPath, tls } = this.#place;
    // Named all, so that the library takes none of them from the environment.
    const options = { ca: undefined, cert: undefined, key: undefined, timeout: undefined, pathPrefix: '/' };
    if (socketPath !== null) return new Client({ ...options, protocol: 'http', socketPath, host: undefined } as never);
    const at = { host, port, socketPath: undefined };
    const folder = certPath ?? (tls || this.#environment.DOCKER_TLS_VERIFY ? this.#environment.DOCKER_CERT_PATH : null);
    if (!folder) return new Client({ ...options, ...at, protocol: tls ? 'https' : 'http' } as never);
    // One after the other, so that it is always the first of those missing that is told.
    const [ca, cert, key] = [
      await read(join(folder, 'ca.pem')),
      await read(join(folder, 'cert.pem')),
      await read(join(folder, 'key.pem')),
    ];
    return new Client({ ...options, ...at, protocol: 'https', ca, cert, key } as never);
  }
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    throw new Error(`${path} can't be read: ${code === 'ENOENT' ? 'there is no such file' : message}`);
  }
}

interface Place {
  /** null: by TCP. */
  readonly socketPath: string | null;
  readonly host: string;
  readonly port: number;
  readonly certPath: string | null;
  readonly tls: boolean;
}

function placeAt(address: EngineAddress): Place {
  const { kind } = address;
  if (kind === 'socket') return { socketPath: address.path, host: '', port: 0, certPath: null, tls: false };
  return { socketPath: null, host: address.host, port: address.port, certPath: address.certPath, tls: false };
}

/** `DOCKER_HOST` as Docker's own client reads it. */
function placeOf(text: string): Place {
  if (text === '') return { socketPath: DEFAULT_SOCKET, host: '', port: 0, certPath: null, tls: false };
  if (text.startsWith('unix://')) {
    const socketPath = text.slice('unix://'.length) || DEFAULT_SOCKET;
    return { socketPath, host: '', port: 0, certPath: null, tls: false };
  }
  const url = URL.parse(text.includes('://') ? text : `tcp://${text}`);
  if (url === null || !['tcp:', 'http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new Error(`DOCKER_HOST must be unix://PATH or tcp://HOST:PORT, not ${JSON.stringify(text)}`);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const defaultPort = url.protocol === 'https:' ? 2376 : DEFAULT_PORT;
  const port = url.port === '' ? defaultPort : Number(url.port);
  return { socketPath: null, host, port, certPath: null, tls: url.protocol === 'https:' || port === 2376 };
}

function nameOf(names: readonly string[]): string {
  // A linked container has names under its links too: its own is the one without a further slash.
  const own = names.find((name) => name.lastIndexOf('/') === 0) ?? names[0] ?? '';
  return own.replace(/^\//, '');
}

const OTHER_AUTHORITY = 'its certificate is not of the authority in ca.pem';

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOENT: 'there is no such socket',
  EACCES: 'permission denied',
  ENOTFOUND: 'no such host',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ECONNRESET: 'connection reset',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OTHER_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OTHER_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: OTHER_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: OTHER_AUTHORITY,
  CERT_SIGNATURE_FAILURE: OTHER_AUTHORITY,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
};

/** Why a call failed, in the engine's own words where there are any; one line. */
export function faultText(error: unknown): string {
  const { code, name, json, message } = (error ?? {}) as {
    readonly code?: string;
    readonly name?: string;
    readonly json?: { readonly message?: string };
    readonly message?: string;
  };
  if (name === 'AbortError' || name === 'TimeoutError' || code === 'ABORT_ERR') return 'no answer in time';
  if (/^ERR_SSL.*ALERT.*(CERTIFICATE|UNKNOWN_CA)/.test(code ?? ''))
    return 'it does not take the certificate in cert.pem';
  if (message?.includes('HTTP request to an HTTPS server') === true) return 'it wants TLS, and there is no certPath';
  const text = json?.message ?? CAUSES[code ?? ''] ?? message ?? String(error);
  return text.replace(/\s+/g, ' ').trim();
}

export function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode;
}
