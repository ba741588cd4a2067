/** Clients: some keep their cookies, some do not; each has one request in flight at a time. */
import { kindOfName } from '../../src/core/http/field-kinds.ts';
import type { FieldLines } from '../../src/core/http/fields.ts';
import { FieldLines as Fields } from '../../src/core/http/fields.ts';
import type { RequestHead, ResponseHead } from '../../src/core/http/message.ts';
import type { RequestFacts } from '../../src/core/routing/request-facts.ts';
import type { Plan, RoutingTable } from '../../src/core/routing/table.ts';
import type { ClientSide, OwnStatus, TunnelEnd } from '../../src/proxy/message-level.ts';
import { bodyOf } from './upstreams.ts';

/** What the client got. `open`: nothing that is whole yet. `left`: the client went away, or the proxy died. */
export type Outcome = 'open' | 'whole' | 'own' | 'cut' | 'left';

/** One request and its answer, with what is needed to judge it. */
export interface Asked {
  readonly id: string;
  readonly client: Client;
  readonly method: string;
  readonly repeatable: boolean;
  readonly bytes: number;
  readonly begunMs: number;
  /** At admission. */
  readonly table: RoutingTable;
  readonly plan: Plan;
  /** The version cookie that was sent, or ''. */
  readonly cookie: string;
  readonly budgetRefusedBefore: number;
  outcome: Outcome;
  status: number;
  /** The key of the server whose answer came, or ''. */
  answeredBy: string;
  headMs: number;
  body: string;
}

export class Client {
  readonly name: string;
  readonly ip: string;
  readonly keepsCookies: boolean;
  busy = false;
  version: { readonly id: string; readonly untilMs: number } | null = null;
  transition: string | null = null;

  constructor(index: number, keepsCookies: boolean) {
    this.name = `client ${index}`;
    this.ip = `192.0.2.${index}`;
    this.keepsCookies = keepsCookies;
  }

  /** The version cookie, '' when there is none or its time is over. */
  versionCookie(nowMs: number): string {
    if (this.version === null || nowMs >= this.version.untilMs) return '';
    return this.version.id;
  }

  /** The Cookie field's value. */
  cookies(nowMs: number): string {
    const version = this.versionCookie(nowMs);
    const pairs = [version === '' ? '' : `dynsoftup=${version}`];
    if (this.transition !== null) pairs.push(`transition=${this.transition}`);
    return pairs.filter((pair) => pair !== '').join('; ');
  }

  keep(setCookies: string, nowMs: number): void {
    if (!this.keepsCookies) return;
    for (const [, name, value = '', attributes = ''] of setCookies.matchAll(/^Set-Cookie: (\w+)=([^;]*)(.*)$/gm)) {
      if (name === 'transition') this.transition = value;
      else {
        const age = /Max-Age=(\d+)/.exec(attributes);
        this.version = { id: value, untilMs: age === null ? Number.POSITIVE_INFINITY : nowMs + Number(age[1]) * 1000 };
      }
    }
  }
}

/** The client's end of one exchange. */
export class SimulatedSide implements ClientSide {
  readonly request: RequestHead;
  readonly facts: RequestFacts;
  readonly clientIp: string;
  readonly hasBytesAhead = false;
  requestComplete = false;
  readonly #asked: () => Asked;
  readonly #nowMs: () => number;
  readonly #onEnd: () => void;
  #length = 0;

  constructor(
    request: RequestHead,
    options: {
      readonly facts: RequestFacts;
      readonly clientIp: string;
      readonly asked: () => Asked;
      readonly nowMs: () => number;
      /** The answer is over, in whatever way. */
      readonly onEnd: () => void;
    },
  ) {
    this.request = request;
    this.facts = options.facts;
    this.clientIp = options.clientIp;
    this.#asked = options.asked;
    this.#nowMs = options.nowMs;
    this.#onEnd = options.onEnd;
  }

  head(head: ResponseHead, setCookies: string): void {
    const asked = this.#asked();
    if (asked.headMs >= 0) throw new Error(`Request ${asked.id} was answered twice`);
    asked.headMs = this.#nowMs();
    asked.status = head.status;
    asked.answeredBy = head.reason;
    this.#length = head.length;
    asked.client.keep(setCookies, this.#nowMs());
  }

  body(bytes: Buffer, from: number, to: number): boolean {
    this.#asked().body += bytes.toString('latin1', from, to);
    return true;
  }

  end(): void {
    const asked = this.#asked();
    if (asked.body !== bodyOf(asked.answeredBy, asked.id, this.#length)) {
      throw new Error(`The body of request ${asked.id} is not what ${asked.answeredBy} sent`);
    }
    this.#settle('whole');
  }

  ownAnswer(status: OwnStatus): void {
    this.#asked().status = status;
    this.#settle('own');
  }

  cutOff(): void {
    this.#settle('cut');
  }

  interim(): void {}
  continueBody(): void {}
  flush(): void {}
  pauseRequest(): void {}
  resumeRequest(): void {}

  upgrade(): TunnelEnd {
    throw new Error('No request of the simulation offers an upgrade');
  }

  #settle(outcome: Outcome): void {
    const asked = this.#asked();
    if (asked.outcome !== 'open') throw new Error(`Request ${asked.id} ended twice: ${asked.outcome}, ${outcome}`);
    asked.outcome = outcome;
    this.#onEnd();
  }
}

export function requestHead(
  method: string,
  target: string,
  options: { readonly fields: Readonly<Record<string, string>>; readonly bodyBytes: number },
): RequestHead {
  return {
    method,
    target,
    forwardTarget: target,
    host: 'service',
    minor: 1,
    fields: fieldLines(options.fields),
    framing: options.bodyBytes > 0 ? 'length' : 'none',
    length: options.bodyBytes,
    keepAlive: true,
    expectsContinue: false,
    upgrade: '',
    takesTrailers: false,
    nominates: false,
    maxForwards: -1,
  };
}

function fieldLines(fields: Readonly<Record<string, string>>): FieldLines {
  const lines = new Fields();
  for (const [name, value] of Object.entries(fields)) {
    const start = lines.text.length;
    const valueStart = start + name.length + 2;
    lines.text += `${name}: ${value}\r\n`;
    const kind = kindOfName(Buffer.from(name), 0, name.length);
    lines.add(start, start + name.length, valueStart, valueStart + value.length, kind);
  }
  return lines;
}
