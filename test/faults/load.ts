/**
 * The load of the matrix: twenty keep-alive clients, half of them with a cookie jar, each with one request in flight. Every
 * answer is checked whole: its status, the id that it echoes, what the application says it received, and the length and
 * hash of its body.
 */
import { Agent, type IncomingMessage, request } from 'node:http';
import { patterned, sha256 } from '../kit/bytes.ts';
import { bodyOf, ERROR_BODY, receipt } from './bodies.ts';
import type { Row } from './matrix.ts';

export const CLIENTS = 20;

/**
 * What one request came to. `whole`: the right answer. `error`: a whole answer that says what went wrong. `cut`: the answer
 * began and broke off. `none`: no answer. `wrong`: it looked whole and was not what a version sends.
 */
export type ResultKind = 'whole' | 'error' | 'cut' | 'none' | 'wrong';

export interface Result {
  readonly id: string;
  readonly method: string;
  /** Bytes that were asked for. */
  readonly size: number;
  readonly kind: ResultKind;
  readonly status: number;
  /** Which version answered, or ''. */
  readonly version: string;
  /** For people. */
  readonly text: string;
  readonly tookMs: number;
}

const ANSWER_LIMIT_MS = 15_000;
const UPLOAD = patterned(2000);

export class Load {
  readonly results: Result[] = [];
  readonly #port: number;
  readonly #row: Row;
  readonly #clients: readonly Promise<void>[];
  #over = false;
  #changed = Promise.withResolvers<void>();

  constructor(port: number, row: Row) {
    this.#port = port;
    this.#row = row;
    this.#clients = Array.from({ length: CLIENTS }, (_, index) => this.#client(index));
  }

  /** Resolves when so many results are there, or when no more time is left. */
  async until(count: number, limitMs: number): Promise<void> {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.#changed.resolve();
    }, limitMs);
    while (this.results.length < count && !timedOut) await this.#changed.promise;
    clearTimeout(timer);
  }

  /** Lets each client finish the request that it is at. */
  async end(): Promise<readonly Result[]> {
    this.#over = true;
    await Promise.all(this.#clients);
    return this.results;
  }

  async #client(index: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const jar = index % 2 === 0 ? new Map<string, string>() : null;
    for (let n = 0; !this.#over; n += 1) {
      this.results.push(await ask({ port: this.#port, agent, jar }, this.#question(index, n)));
      const changed = this.#changed;
      this.#changed = Promise.withResolvers();
      changed.resolve();
    }
    agent.destroy();
  }

  /** Among ten requests: the row's POSTs, two PUTs, the rest GETs of each size in turn. */
  #question(client: number, n: number): Question {
    const { posts, sizes } = this.#row;
    const id = `${client}-${n}`;
    // Clients start at different places, so that not all POST at once.
    const place = (n + client) % 10;
    if (place < posts) return { id, method: 'POST', size: 40 };
    if (place >= 8) return { id, method: 'PUT', size: 40 };
    return { id, method: 'GET', size: sizes[(n + client) % sizes.length] ?? 40 };
  }
}

interface Question {
  readonly id: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly size: number;
}

interface Way {
  readonly port: number;
  readonly agent: Agent;
  readonly jar: Map<string, string> | null;
}

function ask({ port, agent, jar }: Way, { id, method, size }: Question): Promise<Result> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  const upload = method === 'GET' ? Buffer.alloc(0) : UPLOAD;
  const begunMs = performance.now();
  let answer: IncomingMessage | null = null;
  const settle = (kind: ResultKind, text: string): void => {
    const { statusCode = 0, headers = {} } = answer ?? {};
    const version = String(headers['x-version'] ?? '');
    const tookMs = performance.now() - begunMs;
    resolve({ id, method, size, kind, status: statusCode, version, text, tookMs });
  };
  const broke = (error: Error): void => settle(answer === null ? 'none' : 'cut', error.message);
  const headers: Record<string, string | number> = { 'X-Request-Id': id };
  if (upload.length > 0) headers['Content-Length'] = upload.length;
  if (jar !== null && jar.size > 0) headers.Cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const outgoing = request({ host: '127.0.0.1', port, agent, method, path: `/${size}`, headers }, (incoming) => {
    answer = incoming;
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', broke);
    incoming.on('end', () => {
      if (jar !== null) keepCookies(jar, incoming);
      const fault = faultOf(incoming, Buffer.concat(chunks), { id, size, receipt: receipt(upload) });
      const status = incoming.statusCode ?? 0;
      if (fault !== null) settle('wrong', fault);
      else settle(status === 200 ? 'whole' : 'error', `${status}`);
    });
  });
  outgoing.on('error', broke);
  outgoing.setTimeout(ANSWER_LIMIT_MS, () => outgoing.destroy(new Error('No answer in time')));
  outgoing.end(upload);
  return promise;
}

/** What is wrong with an answer that came whole, or null. */
function faultOf(
  { statusCode = 0, headers }: IncomingMessage,
  body: Buffer,
  asked: { readonly id: string; readonly size: number; readonly receipt: string },
): string | null {
  const version = headers['x-version'];
  if (version !== undefined && headers['x-request-id'] !== asked.id) return 'Another request is echoed';
  if (statusCode !== 200) {
    if (statusCode < 500) return `Status ${statusCode}`;
    return version === undefined || body.equals(ERROR_BODY) ? null : `Status ${statusCode} with a wrong body`;
  }
  if (version !== 'old' && version !== 'new') return `Version ${version}`;
  if (headers['x-receipt'] !== asked.receipt) return 'The request body was not received as it was sent';
  const right = bodyOf(version, asked.size);
  if (body.length !== right.bytes.length) return `${body.length} bytes of ${right.bytes.length}`;
  return sha256(body) === right.sha256 ? null : 'The body is not what was sent';
}

function keepCookies(jar: Map<string, string>, { headers }: IncomingMessage): void {
  for (const line of headers['set-cookie'] ?? []) {
    const [pair = ''] = line.split(';');
    const at = pair.indexOf('=');
    jar.set(pair.slice(0, at), pair.slice(at + 1));
  }
}
