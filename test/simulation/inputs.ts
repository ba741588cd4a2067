/** What a world gives Cutover: configurations, clusters, and addresses that nobody has had before. */
import type { ClusterSpec, Config } from '../../src/core/config/model.ts';
import { parseCluster, parseConfig } from '../../src/core/config/parse.ts';
import type { Chance } from '../kit/chance.ts';
import type { SimulatedTime } from './time.ts';
import type { Upstreams } from './upstreams.ts';

/** What is held back of an answer at most. */
export const HOLD_BYTES = 64;

/** Where a version's code runs, as a cluster says it. */
export type RunsOn = { readonly servers: object } | { readonly containers: object };

export class Inputs {
  readonly #chance: Chance;
  readonly #time: SimulatedTime;
  readonly #upstreams: Upstreams;
  /** How many groups of servers there have been. */
  #groups = 0;

  constructor(parts: { readonly chance: Chance; readonly time: SimulatedTime; readonly upstreams: Upstreams }) {
    this.#chance = parts.chance;
    this.#time = parts.time;
    this.#upstreams = parts.upstreams;
  }

  config(): Config {
    const runsOn = this.#chance.hits(0.2) ? this.containers() : this.servers(1);
    const parsed = parseConfig(
      JSON.stringify({
        proxy: { port: 0 },
        configService: { port: 0 },
        putWait: 0.5,
        timeouts: { connect: 0.3, response: 3, idleBody: 1, drain: 3, tunnelDrain: 5, abandonAfter: 1 },
        replay: { holdBytes: HOLD_BYTES, budget: this.#chance.pick([0.2, 1]) },
        cluster: {
          ...runsOn,
          version: `${1 + this.#chance.below(3)}.0`,
          upgradeTransition: { mode: 'INSTANT', readyTimeout: this.#chance.pick([1, 30]) },
        },
      }),
    );
    if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
    return parsed.value;
  }

  /** A cluster to put, with a transition of any kind. */
  cluster(runsOn: RunsOn, { clusterDefaults }: Config): ClusterSpec {
    const chance = this.#chance;
    const version = `${1 + chance.below(6)}.${chance.below(3)}`;
    const upgradeTransition = {
      mode: chance.pick(['INSTANT', 'SESSION', 'GRADUAL', 'CONCURRENT']),
      sessionTimeout: 1 + chance.below(4),
      percentageTransitionPerRequest: chance.pick([0.5, 1, 3, 10, 40]),
      patience: 0.5,
      regretWindow: chance.pick([1, 5, 60]),
      promoteAfter: chance.pick(['never', 5, 20]),
      readyTimeout: 1,
      verdict: { preset: chance.pick(['patient', 'patient', 'strict']) },
    };
    const parsed = parseCluster(
      JSON.stringify({ cluster: { ...runsOn, version, upgradeTransition } }),
      clusterDefaults,
    );
    if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
    return parsed.value;
  }

  /** So many servers in a network of their own. */
  servers(count: number): RunsOn {
    this.#groups += 1;
    const servers = Array.from({ length: count }, (_, index) => {
      const { host, port } = this.#addressOf(index + 1);
      return { hostname: host, port };
    });
    for (const { hostname, port } of servers) this.#upstreams.add(`${hostname}:${port}`, this.#time.nowMs);
    return { servers };
  }

  containers(): RunsOn {
    return { containers: [{ image: 'app', portToProxy: 80, replicas: this.#chance.hits(0.3) ? 2 : 1 }] };
  }

  /** For a container. */
  address(): Address {
    this.#groups += 1;
    return this.#addressOf(1);
  }

  #addressOf(index: number): Address {
    return { host: `10.${this.#groups >> 8}.${this.#groups & 255}.${index}`, port: 80 };
  }
}

interface Address {
  readonly host: string;
  readonly port: number;
}
