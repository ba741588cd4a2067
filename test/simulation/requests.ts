/** The requests of a world's clients: asked, left, and judged when they end. */
import { hasBody } from '../../src/core/http/message.ts';
import { decide } from '../../src/core/routing/decide.ts';
import { Exchange } from '../../src/proxy/exchange.ts';
import { Http1RequestFacts } from '../../src/proxy/http1/request-facts.ts';
import type { Chance } from '../kit/chance.ts';
import { type Asked, Client, requestHead, SimulatedSide } from './client.ts';
import { judgeExchange } from './exchange-rules.ts';
import { HOLD_BYTES } from './inputs.ts';
import type { Process } from './process.ts';
import type { TableRules } from './table-rules.ts';
import type { SimulatedTime } from './time.ts';
import type { Upstreams } from './upstreams.ts';

export const CLIENTS = 8;

export interface RequestsParts {
  readonly chance: Chance;
  readonly time: SimulatedTime;
  readonly upstreams: Upstreams;
  readonly tables: TableRules;
  /** The process that is asked now. */
  readonly process: () => Process;
  /** A request went wrong; told inside the data plane, so nothing may be thrown. */
  readonly onWrong: (what: string) => void;
}

interface Entry {
  readonly asked: Asked;
  readonly exchange: Exchange;
}

export class Requests {
  readonly #parts: RequestsParts;
  readonly #clients = Array.from({ length: CLIENTS }, (_, index) => new Client(index, index % 4 !== 3));
  readonly #open = new Set<Entry>();
  #count = 0;

  constructor(parts: RequestsParts) {
    this.#parts = parts;
  }

  /** How many are under way. */
  get open(): number {
    return this.#open.size;
  }

  /** One of the clients asks, unless it is waiting for an answer. */
  ask(): void {
    const { chance, time, tables } = this.#parts;
    const process = this.#parts.process();
    const { plane, clock, exchanges } = process;
    const client = chance.pick(this.#clients);
    // Without a version everybody is told 503.
    if (client.busy || plane.table.chain.length === 0) return;
    const method = chance.pick(['GET', 'GET', 'GET', 'PUT', 'POST', 'POST', 'DELETE']);
    const bytes = chance.hits(0.8) ? 40 : 100;
    const bodyBytes = method === 'PUT' || method === 'POST' ? 20 : 0;
    this.#count += 1;
    const id = `${this.#count}`;
    const isRepeated = method === 'POST' && chance.hits(0.3);
    const cookies = client.cookies(time.nowMs);
    const fields = {
      ...(cookies === '' ? {} : { Cookie: cookies }),
      ...(isRepeated ? { 'Idempotency-Key': id } : {}),
    };
    const request = requestHead(method, `/${id}/${bytes}`, { fields, bodyBytes });
    const facts = new Http1RequestFacts(plane, client.ip);
    facts.of(request);
    const { table } = plane;
    const plan = decide(table, facts);
    tables.admitted(table, plan);
    const asked: Asked = {
      id,
      client,
      method,
      repeatable: method !== 'POST' || isRepeated,
      bytes,
      begunMs: time.nowMs,
      table,
      plan,
      cookie: client.versionCookie(time.nowMs),
      budgetRefusedBefore: process.budgetRefused,
      outcome: 'open',
      status: 0,
      answeredBy: '',
      headMs: -1,
      body: '',
    };
    const side = new SimulatedSide(request, {
      facts,
      clientIp: client.ip,
      asked: () => asked,
      nowMs: () => time.nowMs,
      onEnd: () => this.#ended(entry),
    });
    const exchange = new Exchange(plane, side);
    const entry = { asked, exchange };
    this.#open.add(entry);
    exchanges.add(exchange);
    client.busy = true;
    side.requestComplete = !hasBody(request);
    exchange.begin();
    if (hasBody(request)) {
      clock.after(chance.below(5), () => {
        if (asked.outcome !== 'open') return;
        exchange.requestBody(Buffer.alloc(bodyBytes), 0, bodyBytes);
        side.requestComplete = true;
        exchange.requestEnd(null);
        exchange.requestFlush();
      });
    }
    if (chance.hits(0.03)) clock.after(chance.below(3000), () => this.#leave(entry));
  }

  #leave(entry: Entry): void {
    if (entry.asked.outcome !== 'open') return;
    entry.asked.outcome = 'left';
    entry.exchange.clientGone();
    this.#ended(entry);
  }

  #ended(entry: Entry): void {
    const { asked, exchange } = entry;
    const { upstreams, time, onWrong } = this.#parts;
    const process = this.#parts.process();
    this.#open.delete(entry);
    process.exchanges.delete(exchange);
    asked.client.busy = false;
    const wrong = judgeExchange(asked, {
      upstreams,
      nowMs: time.nowMs,
      serving: new Set(process.plane.table.chain.map(({ id }) => id)),
      budgetRefused: process.budgetRefused - asked.budgetRefusedBefore,
      holdBytes: HOLD_BYTES,
    });
    if (wrong !== null) onWrong(`Request ${asked.id} of ${asked.client.name}: ${wrong}`);
  }

  /** The process is gone, and with it everything that was under way. */
  drop(): void {
    for (const { asked } of this.#open) {
      asked.outcome = 'left';
      asked.client.busy = false;
    }
    this.#open.clear();
  }
}
