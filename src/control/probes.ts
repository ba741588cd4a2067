/** Looks at servers: does it take a connection, does it pass its check. */

import type { HealthCheck, ServerAddress } from '../core/config/model.ts';
import { judgeAnswer, type Look } from '../core/health/check.ts';
import type { Network } from '../system/network.ts';

/** What is known of a server without asking it. */
export interface ServerFacts {
  /** What speaks against it, for people; null: nothing. */
  faultOf(server: ServerAddress): string | null;
  isInContainer(server: ServerAddress): boolean;
}

/** An engine takes connections for a container from the start, and closes them at once while nobody listens in there. */
const STAYS_MS = 150;

export class Probes {
  readonly #network: Network;
  readonly #connectMs: number;
  readonly #facts: ServerFacts;

  /** @param connectMs bound on one connection */
  constructor(network: Network, connectMs: number, facts: ServerFacts) {
    this.#network = network;
    this.#connectMs = connectMs;
    this.#facts = facts;
  }

  isInContainer(server: ServerAddress): boolean {
    return this.#facts.isInContainer(server);
  }

  /** Opens a connection and closes it at once. */
  async connect(server: ServerAddress): Promise<Look> {
    const fault = this.#facts.faultOf(server);
    if (fault !== null) return { kind: 'failed', text: fault };
    const staysMs = this.#facts.isInContainer(server) ? STAYS_MS : 0;
    const failure = await this.#network.tryConnect(server, this.#connectMs + staysMs, staysMs);
    return failure === null ? PASSED : { kind: 'failed', text: failure.text };
  }

  /** Its check where there is one, else a connection. */
  async look(server: ServerAddress, check: HealthCheck | null): Promise<Look> {
    if (check === null || this.#facts.faultOf(server) !== null) return this.connect(server);
    const answer = await this.#network.checkHttp(server, check);
    return answer.kind === 'answered' ? judgeAnswer(check, answer) : { kind: 'failed', text: answer.text };
  }
}

const PASSED: Look = { kind: 'passed' };
