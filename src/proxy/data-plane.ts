/**
 * The data plane, put together: a listener, the table in force, the pool of upstream connections. From above it is told
 * to publish a table and to drain; upward it reports the outcome of each attempt.
 */
import { Rotation } from '../core/balancing/round-robin.ts';
import type { PlaneConfig } from '../core/config/model.ts';
import { type Counters, newCounters } from '../core/counters.ts';
import { DateLine } from '../core/http/http-date.ts';
import type { VersionFigures } from '../core/messages.ts';
import { buildTable } from '../core/routing/build-table.ts';
import { CookieLines } from '../core/routing/cookies.ts';
import { ReplayBudget } from '../core/routing/replay-budget.ts';
import type { CutOrder, RoutingTable } from '../core/routing/table.ts';
import type { Clock } from '../system/clock.ts';
import type { Dice } from '../system/dice.ts';
import type { Log } from '../system/log.ts';
import type { Names } from '../system/names.ts';
import { BufferBudget } from './buffer-budget.ts';
import { BufferPool } from './buffer-pool.ts';
import { Comparisons } from './comparisons.ts';
import { ParserPool } from './http1/parser-pool.ts';
import { WriteTurn } from './http1/write-turn.ts';
import { type ListenAt, Listener } from './listener.ts';
import type { OutcomeReports, Plane } from './plane.ts';
import { Register } from './register.ts';
import { Sweeper } from './sweeper.ts';
import { Sockets } from './tcp/sockets.ts';
import { UpstreamPool } from './upstream-pool.ts';

interface DataPlaneParts {
  readonly config: PlaneConfig;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly log: Log;
  readonly names: Names;
  readonly sink: OutcomeReports;
}

/** How long a client connection must be silent before a drain closes it without an answer to say so. */
const SILENCE_MS = 1_000;
const SILENCE_STEP_MS = 100;

export class DataPlane {
  readonly #plane: Plane;
  readonly #listener: Listener;

  constructor(parts: DataPlaneParts) {
    const { config } = parts;
    const counters = newCounters();
    const buffers = new BufferPool();
    const messageLimits = {
      requestLineBytes: config.limits.requestLineBytes,
      headerBytes: config.limits.headerBytes,
      fieldCount: config.limits.fieldCount,
    };
    this.#plane = {
      ...parts,
      messageLimits,
      sweeper: new Sweeper(parts.clock),
      register: new Register(),
      budget: new BufferBudget(config.limits.bufferBytes, counters),
      cookies: new CookieLines(config.cookies),
      counters,
      pool: new UpstreamPool(),
      rotation: new Rotation(),
      replayBudget: new ReplayBudget(config.replay.budget),
      dateLine: new DateLine(),
      comparisons: new Comparisons(),
      tunnels: new Set(),
      sockets: new Sockets(buffers),
      buffers,
      parsers: new ParserPool(messageLimits),
      writes: new WriteTurn(),
      table: buildTable(0, [], []),
      draining: false,
      droppedAnswers: 0,
    };
    this.#listener = new Listener(this.#plane);
  }

  /** Opens the proxy port; resolves with its number. */
  listen(at: ListenAt): Promise<number> {
    return this.#listener.listen(at);
  }

  /** Puts a table in force: the next request is routed by it. Exchanges under way go on by the one they began with. */
  publish(table: RoutingTable): void {
    const before = this.#plane.table;
    this.#plane.table = table;
    for (const order of table.cut) {
      if (!before.cut.includes(order)) this.#cut(order);
    }
    if (before.chain === table.chain) return;
    const keys = new Set<string>();
    for (const route of table.chain) {
      for (const server of route.servers) keys.add(server.key);
    }
    this.#plane.names.watch(table.chain.flatMap((route) => route.servers.map((server) => server.host)));
    this.#plane.pool.keepOnly(keys);
    this.#plane.rotation.keepOnly(table.chain);
    this.#plane.register.prune(table);
  }

  figures(versionId: string): Readonly<VersionFigures> | undefined {
    return this.#plane.register.find(versionId);
  }

  get counters(): Readonly<Counters> {
    return this.#plane.counters;
  }

  /**
   * Takes no further connections, lets exchanges in flight finish, and closes each connection after its next answer or
   * when it has been silent for so long. Resolves when all are closed, at the latest after `timeouts.drain` (`tunnelDrain` for
   * tunnels); what is left then is cut.
   */
  async drain(silenceMs: number = SILENCE_MS): Promise<void> {
    const { clock, config } = this.#plane;
    this.#plane.draining = true;
    this.#listener.stopListening();
    const stopSilent = clock.every(SILENCE_STEP_MS, () => this.#listener.closeSilent(silenceMs));
    const stopCut = clock.after(config.timeouts.drainMs, () => this.#listener.destroyAllButTunnels());
    const stopTunnels = clock.after(config.timeouts.tunnelDrainMs, () => this.#closeTunnels());
    await this.#listener.whenEmpty();
    stopSilent();
    stopCut();
    stopTunnels();
    this.close();
  }

  /** Ends everything at once. */
  close(): void {
    this.#listener.stopListening();
    this.#closeTunnels();
    this.#listener.destroyAll();
    this.#plane.pool.close();
    this.#plane.sweeper.close();
  }

  /** Ends what a version that has left still has in flight: its time to drain is over. */
  #cut(order: CutOrder): void {
    if (order.what === 'exchanges') this.#listener.cutExchanges(order.versionId);
    else this.#closeTunnels(order.versionId);
  }

  #closeTunnels(versionId?: string): void {
    for (const tunnel of [...this.#plane.tunnels]) {
      if (versionId === undefined || tunnel.versionId === versionId) tunnel.close();
    }
  }
}
