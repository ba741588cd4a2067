/** Looks at servers: does it take a connection, does it pass its check. */

import type { HealthCheck, ServerAddress } from '../core/config/model.ts';
import { judgeAnswer, type Look } from '../core/health/check.ts';
import type { Network } from '../system/network.ts';

export class Probes {
  readonly #network: Network;
  readonly #connectMs: number;

  /** @param connectMs bound on one connection */
  constructor(network: Network, connectMs: number) {
    this.#network = network;
    this.#connectMs = connectMs;
  }

  /** Opens a connection and closes it at once. */
  async connect(server: ServerAddress): Promise<Look> {
    const failure = await this.#network.tryConnect(server, this.#connectMs);
    return failure === null ? PASSED : { kind: 'failed', text: failure.text };
  }

  /** Its check where there is one, else a connection. */
  async look(server: ServerAddress, check: HealthCheck | null): Promise<Look> {
    if (check === null) return this.connect(server);
    const answer = await this.#network.checkHttp(server, check);
    return answer.kind === 'answered' ? judgeAnswer(check, answer) : { kind: 'failed', text: answer.text };
  }
}

const PASSED: Look = { kind: 'passed' };
