/**
 * The load of the soak: clients of several kinds, each asking one request after the other at its pace, so that the rate stays the
 * same whatever the proxy does.
 */
import { Agent } from 'node:http';
import { setTimeout as passed } from 'node:timers/promises';
import { ask, type Question, type Way } from './client.ts';

interface Kind {
  readonly name: string;
  /** Among a hundred clients. */
  readonly share: number;
  readonly connection: 'kept' | 'fresh';
  /** `jar`: keeps its cookies, for a hundred requests. */
  readonly cookies: 'jar' | 'none';
  ask(id: string, n: number): Question;
}

const PLAIN = { query: '', upload: null, sends: 'length', leaves: 'never' } as const;
const SIZES = [40, 2000, 40, 50_000, 40, 10_000, 300_000, 0];

/** Among ten requests three POSTs and a PUT; answers of all sizes, some in chunks. */
function ordinary(id: string, n: number): Question {
  const size = SIZES[n % SIZES.length] ?? 0;
  const place = n % 10;
  if (place === 3) return { ...PLAIN, id, method: 'POST', size: 40, upload: 'large', sends: 'chunked' };
  if (place === 5 || place === 8) return { ...PLAIN, id, method: 'POST', size: 40, upload: 'small' };
  if (place === 6) return { ...PLAIN, id, method: 'PUT', size: 40, upload: 'small' };
  return { ...PLAIN, id, method: 'GET', size, query: n % 3 === 0 ? '?chunked' : '' };
}

/** An answer or an upload that takes half a second. */
function slow(id: string, n: number): Question {
  return n % 2 === 0
    ? { ...PLAIN, id, method: 'GET', size: 20_000, query: '?paceMs=600' }
    : { ...PLAIN, id, method: 'POST', size: 40, upload: 'small', sends: 'paced' };
}

/** Leaves somewhere in the middle. */
function leaving(id: string, n: number): Question {
  const uploads = { method: 'POST', size: 40, upload: 'large' } as const;
  const downloads = { method: 'GET', size: 300_000 } as const;
  switch (n % 4) {
    case 0:
      return { ...PLAIN, ...downloads, id, leaves: 'in the answer' };
    case 1:
      return { ...PLAIN, ...uploads, id, leaves: 'in the upload' };
    case 2:
      return { ...PLAIN, ...downloads, id, query: '?paceMs=600', leaves: 'in the answer' };
    default:
      return { ...PLAIN, ...downloads, id, leaves: 'before the answer' };
  }
}

const KINDS: readonly Kind[] = [
  { name: 'kept connection, cookies', share: 35, connection: 'kept', cookies: 'jar', ask: ordinary },
  { name: 'kept connection', share: 30, connection: 'kept', cookies: 'none', ask: ordinary },
  { name: 'a connection per request', share: 20, connection: 'fresh', cookies: 'jar', ask: ordinary },
  { name: 'slow', share: 10, connection: 'kept', cookies: 'none', ask: slow },
  { name: 'leaving', share: 5, connection: 'fresh', cookies: 'none', ask: leaving },
];

/** After so many requests a client is another one: its cookies are new. */
const SESSION_REQUESTS = 100;

export interface Failure {
  /** `performance.now()` when the request was sent and when it had failed. */
  readonly askedMs: number;
  readonly failedMs: number;
  readonly client: string;
  readonly text: string;
  /** The connection broke: what came was no answer, or a cut one. */
  readonly broke: boolean;
}

export interface LoadOptions {
  readonly clients: number;
  /** Requests per second, of all clients together. */
  readonly rate: number;
  readonly onFailure: (failure: Failure) => void;
}

export class Load {
  readonly failures: Failure[] = [];
  /** Whole requests, those of clients that left not among them. */
  answered = 0;
  left = 0;
  /** By whole milliseconds, the last one for all that took longer. Answers that are slow by themselves are not among them. */
  readonly tookMs = new Uint32Array(2001);
  readonly #port: number;
  readonly #onFailure: (failure: Failure) => void;
  readonly #clients: readonly Promise<void>[];
  #over = false;

  constructor(port: number, { clients, rate, onFailure }: LoadOptions) {
    this.#port = port;
    this.#onFailure = onFailure;
    const everyMs = (1000 * clients) / rate;
    const kinds = KINDS.flatMap((kind) => Array<Kind>(Math.round((kind.share * clients) / 100)).fill(kind));
    this.#clients = kinds.map((kind, index) =>
      this.#client(kind, { index, everyMs, fromMs: (index / clients) * everyMs }),
    );
  }

  /** Lets each client finish the request that it is at. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#clients);
  }

  /** The time within which this share of answers came, milliseconds. */
  quantile(share: number): number {
    const wanted = share * this.tookMs.reduce((sum, count) => sum + count, 0);
    let sum = 0;
    return this.tookMs.findIndex((count) => {
      sum += count;
      return sum >= wanted;
    });
  }

  async #client(
    kind: Kind,
    { index, everyMs, fromMs }: { readonly index: number; readonly everyMs: number; readonly fromMs: number },
  ): Promise<void> {
    const agent = kind.connection === 'kept' ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
    const way: Way = { port: this.#port, agent, jar: kind.cookies === 'jar' ? new Map() : null };
    let nextMs = performance.now() + fromMs;
    for (let n = 0; !this.#over; n += 1) {
      // One that is late does not make up for it: that would be a burst.
      nextMs = Math.max(nextMs, performance.now() - everyMs);
      await passed(Math.max(0, nextMs - performance.now()));
      nextMs += everyMs;
      if (this.#over) break;
      if (n % SESSION_REQUESTS === 0) way.jar?.clear();
      await this.#ask(kind, way, kind.ask(`${index}-${n}`, n + index));
    }
    if (agent !== false) agent.destroy();
  }

  async #ask({ name }: Kind, way: Way, question: Question): Promise<void> {
    const askedMs = performance.now();
    const fault = await ask(way, question);
    const failedMs = performance.now();
    if (fault !== null) {
      const text = `${question.method} /${question.size}${question.query}: ${fault.text}`;
      const failure = { askedMs, failedMs, client: name, text, broke: fault.broke };
      this.failures.push(failure);
      this.#onFailure(failure);
    } else if (question.leaves !== 'never') {
      this.left += 1;
    } else {
      this.answered += 1;
      const isSlow = question.query === '?paceMs=600' || question.sends === 'paced';
      const at = Math.min(this.tookMs.length - 1, Math.floor(failedMs - askedMs));
      if (!isSlow) this.tookMs[at] = (this.tookMs[at] ?? 0) + 1;
    }
  }
}
