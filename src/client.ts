/**
 * A client of the config service, for the command line and for programs: one method a REST call.
 *
 * @example
 * const client = createClient({ url: 'http://127.0.0.1:9090' });
 * const id = await client.put({ servers: [{ hostname: '127.0.0.1', port: 1036 }], version: '1.1' });
 */
import { CLUSTER_PATH, COUNTERS_PATH, LEDGER_PATH, RELOAD_PATH } from './api/contract.ts';
import type { Progress } from './core/containers/progress.ts';
import type { CountersView } from './core/counters.ts';
import type { Control, LedgerView, StatusView, VersionView } from './core/release/command.ts';

export type { CountersView } from './core/counters.ts';
export type { Control, LedgerView, StatusView, VersionView } from './core/release/command.ts';

/** What a PUT may say of a version; docs/configuration.md has the meaning and the defaults. */
export interface ClusterInput {
  /** These, */
  readonly servers?: readonly { readonly hostname: string; readonly port: number }[];
  /** or these: docs/containers.md has their fields. */
  readonly containers?: readonly Readonly<Record<string, unknown>>[];
  readonly version?: string | number;
  readonly uuid?: string;
  /** `mode`, and the options of that mode. */
  readonly upgradeTransition?: Readonly<Record<string, unknown>>;
}

export interface ClientOptions {
  /** Where the config service listens: `http://127.0.0.1:9090`. */
  readonly url: string;
  /** What `configService.token` asks for. */
  readonly token?: string | null;
  /** How long an answer is waited for, milliseconds; 30 000 by default. */
  readonly timeoutMs?: number;
}

export interface PutOptions {
  /** Called with each line that tells how containers come to run, */
  readonly onProgress?: (line: string) => void;
  /** or, where it is given, this with each step of it: docs/rest-api.md lists their kinds. */
  readonly onStep?: (step: PutStep) => void;
}

/** How containers come to run; `waiting`: nothing has happened for a while. */
export type PutStep =
  | Progress
  | { readonly kind: 'accepted'; readonly id: string }
  | { readonly kind: 'waiting'; readonly seconds: number };

export interface Reloaded {
  /** One line that says what came of it. */
  readonly text: string;
  /** The id of the version that was put, if one was; it may still be starting. */
  readonly put: string | null;
}

/** Every method rejects with a `ClientError`. */
export interface Client {
  /**
   * Adds a version, given as an object or as the text of a whole request body. Resolves with its id; for a version in containers
   * once it serves, and rejects when it never will.
   */
  put(cluster: ClusterInput | string, options?: PutOptions): Promise<string>;
  /** All versions, newest first. */
  list(): Promise<readonly VersionView[]>;
  show(id: string): Promise<VersionView>;
  delete(id: string): Promise<void>;
  /** Promotes, pauses, resumes or rolls back a version; the reason goes to the log and the ledger. */
  control(id: string, what: Control, reason?: string): Promise<void>;
  status(id: string): Promise<StatusView>;
  /** The releases of one version or of all, the latest first. */
  ledger(id?: string): Promise<readonly LedgerView[]>;
  /** What all workers have counted: refusals, limits that were reached and the like. */
  counters(): Promise<CountersView>;
  /** Has the configuration file read again. */
  reload(): Promise<Reloaded>;
  /** Tells how a version that was put comes to serve. Resolves once it does, and rejects when it never will. */
  follow(id: string, options?: PutOptions): Promise<void>;
}

/** The service refused, or gave no (sensible) answer. The message is one line for people. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  /** The status that the service answered with; null when there was no answer. */
  readonly status: number | null;

  constructor(message: string, status: number | null) {
    super(message);
    this.status = status;
  }
}

export function createClient(options: ClientOptions): Client {
  const one = (id: string): string => `${CLUSTER_PATH}/${encodeURIComponent(id)}`;
  return {
    async put(cluster, told = {}) {
      const body = typeof cluster === 'string' ? cluster : JSON.stringify({ cluster });
      return lastLine(options, { method: 'PUT', path: CLUSTER_PATH, body }, told);
    },
    async list() {
      return fromJson(await call(options, { method: 'GET', path: CLUSTER_PATH }), options);
    },
    async show(id) {
      return fromJson(await call(options, { method: 'GET', path: one(id) }), options);
    },
    async delete(id) {
      await call(options, { method: 'DELETE', path: one(id) });
    },
    async control(id, what, reason) {
      const body = JSON.stringify(reason === undefined ? {} : { reason });
      await call(options, { method: 'POST', path: `${one(id)}/${what}`, body });
    },
    async status(id) {
      return fromJson(await call(options, { method: 'GET', path: `${one(id)}/status` }), options);
    },
    async ledger(id) {
      const path = id === undefined ? LEDGER_PATH : `${one(id)}/ledger`;
      return fromJson(await call(options, { method: 'GET', path }), options);
    },
    async counters() {
      return fromJson(await call(options, { method: 'GET', path: COUNTERS_PATH }), options);
    },
    async reload() {
      let put: string | null = null;
      const onHead = ({ headers }: Response): void => {
        put = headers.get('location')?.split('/').at(-1) ?? null;
      };
      const text = await call(options, { method: 'POST', path: RELOAD_PATH, onHead });
      return { text: text.trim(), put };
    },
    async follow(id, told = {}) {
      await lastLine(options, { method: 'GET', path: `${one(id)}/progress` }, told);
    },
  };
}

interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly accept?: string;
  readonly onHead?: (response: Response) => void;
  /** Called with each line of an answer as it comes. */
  readonly onLine?: (line: string) => void;
}

/** What the last line of a progress begins with when it came to nothing. */
const FAILED = 'error: ';

/** Gives the id in the last line of a progress; those before are told. */
async function lastLine(options: ClientOptions, what: Call, { onProgress, onStep }: PutOptions): Promise<string> {
  if (onStep !== undefined) return lastStep(options, what, onStep);
  let last = '';
  const onLine = (line: string): void => {
    if (last !== '') onProgress?.(last);
    last = line;
  };
  await call(options, { ...what, onLine });
  if (last.startsWith(FAILED)) throw new ClientError(`The version does not serve: ${last.slice(FAILED.length)}`, 202);
  return last;
}

type LastStep =
  | { readonly kind: 'serving'; readonly id: string }
  | { readonly kind: 'error'; readonly id: string; readonly reason: string };

/** The same where each line is an object. A version that is given by its servers is answered with its id alone. */
async function lastStep(options: ClientOptions, what: Call, onStep: (step: PutStep) => void): Promise<string> {
  let last: LastStep | null = null as LastStep | null;
  await call(options, {
    ...what,
    accept: 'application/x-ndjson',
    onLine: (line) => {
      const step = line.startsWith('{') ? fromJson<PutStep | LastStep>(line, options) : serving(line);
      if (step.kind === 'serving' || step.kind === 'error') last = step;
      else onStep(step);
    },
  });
  if (last?.kind === 'serving') return last.id;
  throw new ClientError(`The version does not serve: ${last?.reason ?? 'the answer broke off'}`, 202);
}

const serving = (id: string): LastStep => ({ kind: 'serving', id });

async function call(options: ClientOptions, { method, path, body, accept, onHead, onLine }: Call): Promise<string> {
  const headers: Record<string, string> = body === undefined ? {} : { 'Content-Type': 'application/json' };
  if (accept !== undefined) headers.Accept = accept;
  if (options.token) headers.Authorization = `Bearer ${options.token}`;
  // Silence counts, not the whole: an image may take long to come, and tells how it does.
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new DOMException('', 'TimeoutError')), options.timeoutMs ?? 30_000);
  try {
    const init = {
      method,
      headers,
      signal: silence.signal,
      redirect: 'manual' as const,
      ...(body === undefined ? {} : { body }),
    };
    const response = await fetch(new URL(path, options.url), init);
    onHead?.(response);
    const text = await readText(response, { onLine: response.ok ? onLine : undefined, onChunk: () => timer.refresh() });
    if (response.ok) return text;
    const reason = firstLine(text) || response.statusText || 'no reason given';
    throw new ClientError(`The config service answered ${response.status}: ${reason}`, response.status);
  } catch (error) {
    if (error instanceof ClientError) throw error;
    throw new ClientError(`Calling the config service at ${options.url} failed: ${causeOf(error)}`, null);
  } finally {
    clearTimeout(timer);
  }
}

interface Reading {
  readonly onLine: ((line: string) => void) | undefined;
  readonly onChunk: () => void;
}

async function readText(response: Response, { onLine, onChunk }: Reading): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let told = 0;
  const tell = (end: number): void => {
    const lines = text.slice(told, end).split('\n');
    told = end;
    for (const line of lines) if (line.trim() !== '') onLine?.(line.trim());
  };
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    onChunk();
    tell(text.lastIndexOf('\n') + 1);
  }
  tell(text.length);
  return text;
}

function fromJson<T>(text: string, { url }: ClientOptions): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ClientError(`Calling the config service at ${url} failed: its answer is not JSON`, null);
  }
}

const firstLine = (text: string): string => text.trim().split('\n', 1)[0] ?? '';

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name could not be resolved',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  UND_ERR_SOCKET: 'the connection broke',
  'bad port': 'this is one of the ports that fetch refuses to call',
};

/** fetch says "fetch failed" and hides the cause one level down. */
function causeOf(error: unknown): string {
  const { name, message, cause } = error as {
    name?: string;
    message?: string;
    cause?: { code?: string; message?: string };
  };
  if (name === 'TimeoutError') return 'no answer in time';
  const text = cause?.code ?? firstLine(cause?.message ?? message ?? String(error));
  return CAUSES[text] ?? text;
}
