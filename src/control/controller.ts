/**
 * Where everything that happens to releases comes together: commands, what the data plane tells, what time brings about and what
 * probes find become events, and the writer works them through. What is asked about the state is answered here.
 */
import type { ClusterSpec } from '../core/config/model.ts';
import { sameJson } from '../core/config/same-json.ts';
import type { Progress } from '../core/containers/progress.ts';
import type { Difference, Finding } from '../core/messages.ts';
import type { Command, CommandResult, LedgerView, StatusView, VersionView } from '../core/release/command.ts';
import type { ReleaseEvent } from '../core/release/events.ts';
import { restore } from '../core/release/restore.ts';
import { isLive, type ReleaseState, serves, type VersionState } from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';
import type { Dice } from '../system/dice.ts';
import type { Log } from '../system/log.ts';
import type { Network } from '../system/network.ts';
import { Arrivals } from './arrivals.ts';
import { ComparisonMeter } from './comparison-meter.ts';
import { Containers } from './containers.ts';
import { Deadlines, type DrainBounds } from './deadlines.ts';
import { Effects } from './effects.ts';
import { Gates } from './gates.ts';
import { Health } from './health.ts';
import { Meter } from './meter.ts';
import type { Observer, ReleaseListener } from './observer.ts';
import type { ContainersPort, DataPlanePort, StorePort } from './ports.ts';
import { Probes } from './probes.ts';
import type { ShowLive } from './start-view.ts';
import { ledgerViewsOf, statusOf, viewOf } from './views.ts';
import { Writer } from './writer.ts';

export interface ControllerParts extends DrainBounds {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly network: Network;
  readonly log: Log;
  readonly dataPlane: DataPlanePort;
  readonly store: StorePort;
  readonly containers: ContainersPort;
  /** As `ContainersParts.live`; by default nobody watches. */
  readonly live?: ShowLive | null;
  /** What the data plane was given as its outcome sink. */
  readonly observer: Observer;
  /** Bound on one probe of one server, milliseconds. */
  readonly connectMs: number;
  /** How long a PUT waits for its version to serve before it is answered all the same, milliseconds. */
  readonly putWaitMs: number;
}

export interface WaitOptions {
  readonly wait: 'a-while' | 'no';
}

export interface FollowOptions {
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** How late what time brings about may be noticed; a quiet of one second has to be told from a longer one. */
const TICK_MS = 250;

export class Controller implements ReleaseListener {
  readonly #parts: ControllerParts;
  readonly #writer: Writer;
  readonly #gates: Gates;
  readonly #health: Health;
  readonly #deadlines: Deadlines;
  readonly #meter: Meter;
  readonly #comparisons: ComparisonMeter;
  readonly #arrivals: Arrivals;
  readonly #containers: Containers;
  readonly #stopTicking: () => void;
  #closed = false;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    const { clock, log, network, dataPlane, store, connectMs } = parts;
    this.#deadlines = new Deadlines(clock, dataPlane, parts);
    this.#meter = new Meter(dataPlane, parts.observer);
    this.#comparisons = new ComparisonMeter(dataPlane);
    this.#arrivals = new Arrivals(clock);
    this.#containers = new Containers({
      clock,
      log,
      port: parts.containers,
      live: parts.live ?? null,
      state: () => this.#state,
      take: (event) => this.#writer.take(event),
      onSuspect: (versionId, server) => this.#health.suspect(versionId, server),
    });
    const probes = new Probes(network, connectMs, this.#containers);
    this.#gates = new Gates({
      clock,
      probes,
      onLate: (id, reason) => this.#containers.late(id, reason),
      onDecided: (event) => this.#writer.take(event),
    });
    this.#health = new Health({
      clock,
      log,
      probes,
      dataPlane,
      onServers: () => effects.serversChanged(),
      onEvent: (event) => this.#writer.count(event),
    });
    parts.observer.alsoTell(this.#health);
    const effects = new Effects({
      log,
      dataPlane,
      health: this.#health,
      prepare: (request) => this.#gates.open(request),
      launch: (request) => this.#containers.launch(request),
      stop: (request) => this.#containers.stop(request),
      onChain: (table) => parts.observer.focusOn(table, this),
    });
    this.#writer = new Writer({
      clock,
      log,
      store,
      counted: (state) => [...this.#meter.read(state, clock.wallMs()), ...this.#comparisons.read(clock.wallMs())],
      onDecided: (state) => {
        this.#meter.begin(state);
        this.#comparisons.begin(state);
      },
      run: (wanted) => effects.run(wanted),
      allowRise: (rise) => dataPlane.allowRise(rise),
      onDone: (state) => {
        this.#containers.keepOnly(state);
        this.#gates.keepOnly(state.versions.filter(({ phase }) => phase === 'starting'));
        this.#takeDue();
      },
      onTurnOver: (state) => this.#arrivals.look(state),
    });
    this.#stopTicking = clock.every(TICK_MS, () => this.#tick());
  }

  /** Puts the state in force that an earlier process left. Comes before everything else. */
  restore(state: ReleaseState): void {
    this.#deadlines.resume(state);
    this.#writer.restore(state, restore(state));
  }

  /** Both ports are open: from now on engines are asked for containers. */
  beginContainers(): void {
    this.#containers.begin();
  }

  /**
   * Puts the configuration file's version in force, unless the state has applied this very `cluster` before and something
   * serves: then the state holds, so that what was deleted or rolled back stays so.
   *
   * @param asWritten the `cluster` of the file
   * @param options `a-while`: as a PUT by REST is waited for; at a start what serves already must get its traffic first
   */
  async start(
    spec: ClusterSpec,
    asWritten: unknown = null,
    options: WaitOptions = { wait: 'no' },
  ): Promise<CommandResult | { readonly kind: 'unchanged' }> {
    const { applied, versions } = this.#state;
    if (versions.some(isLive) && sameJson(applied, asWritten)) return { kind: 'unchanged' };
    return this.submit({ kind: 'put', spec, origin: 'file', asWritten }, options);
  }

  /**
   * Resolves when the command is in force, or after `putWaitMs` while the version that was put is still starting (at once for
   * one in containers); or when it is refused, and nothing changed. Never rejects.
   */
  async submit(command: Command, { wait }: WaitOptions = { wait: 'a-while' }): Promise<CommandResult> {
    if (this.#closed) return { kind: 'refused', because: 'internal', reason: 'Cutover is stopping' };
    const event = this.#eventOf(command);
    if (command.kind === 'put' && command.origin === 'file') this.#containers.keepTrying(event.id);
    const result = await this.#writer.write(event, this.#isReady(event));
    if (result === 'failed') {
      return { kind: 'refused', because: 'internal', reason: `The ${command.kind} failed; the log says why` };
    }
    if (result.kind === 'not-kept') {
      this.#parts.log.write('WARNING', 'controller', `The ${command.kind} is refused: ${result.reason}`);
      return { kind: 'refused', because: 'storage', reason: result.reason };
    }
    if (result.kind === 'done') {
      if (command.kind === 'put' && command.spec.containers.length === 0 && wait === 'a-while') {
        await this.#arrivals.of(this.#state, event.id, this.#parts.putWaitMs);
      }
      return { kind: 'accepted', id: event.id };
    }
    const because = result.because === 'unknown-id' ? 'unknown-id' : 'conflict';
    return { kind: 'refused', because, reason: result.reason };
  }

  /** Images for a version that the watcher has found, and that are too young. */
  seen(id: string, digests: readonly string[]): void {
    this.#writer.count({ kind: 'seen', id, digests, atMs: this.#parts.clock.wallMs() });
  }

  /** Whether the version of a put may take traffic at once: looked into while it waits for its turn. Undefined where nobody asks. */
  #isReady(event: ReleaseEvent): Promise<boolean> | undefined {
    if (event.kind !== 'put' || event.origin !== 'rest' || event.spec.containers.length > 0) return undefined;
    return this.#state.versions.some(serves) ? this.#gates.areReady(event.spec) : undefined;
  }

  /** All of it, for those who watch; it is immutable. */
  state(): ReleaseState {
    return this.#state;
  }

  /**
   * Tells how a version that was put comes to serve; resolves with null once it does, or with one line that says why it never
   * will. The signal ends it early.
   */
  async follow(id: string, { onProgress, signal }: FollowOptions): Promise<string | null> {
    const stop = this.#containers.board.follow(id, onProgress);
    const left = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([this.#arrivals.of(this.#state, id, null), left]);
    stop();
    const version = this.#version(id);
    if (version !== undefined && serves(version)) return null;
    if (this.#closed) return 'Cutover is stopping; the version goes on when it is started again';
    return version?.reason ?? 'It is gone';
  }

  /** Versions that GET shows, newest first. */
  list(): readonly VersionView[] {
    return this.#state.versions.filter(isLive).map(viewOf);
  }

  /** One of `list`, by its id in lower case. */
  find(id: string): VersionView | undefined {
    const version = this.#version(id);
    return version !== undefined && isLive(version) ? viewOf(version) : undefined;
  }

  /** Of any version that is remembered, also of one that has failed or retired. */
  status(id: string): StatusView | undefined {
    this.#readMeter();
    const version = this.#version(id);
    if (version === undefined) return undefined;
    const figures = this.#parts.dataPlane.figures(id);
    const standing = this.#gates.standing(id);
    return statusOf(version, { figures, standing, healthOf: (server) => this.#health.phaseOf(id, server) });
  }

  /**
   * The releases of one version or of all, the latest first, those that go on before those that were decided. Undefined for
   * an id that is not remembered.
   */
  ledger(): readonly LedgerView[];
  ledger(id: string): readonly LedgerView[] | undefined;
  ledger(id?: string): readonly LedgerView[] | undefined {
    this.#readMeter();
    const views = ledgerViewsOf(this.#state).filter((view) => id === undefined || view.id === id);
    const isKnown = id === undefined || views.length > 0 || this.#version(id) !== undefined;
    return isKnown ? views : undefined;
  }

  /** Called by the observer within the end of an attempt. */
  answered({ id, epoch }: { readonly id: string; readonly epoch: number }, count: number): void {
    this.#writer.count({ kind: 'answered', id, epoch, count, atMs: this.#parts.clock.wallMs() });
  }

  /** Called by the observer when an exchange is decided. What was answered before it is counted before it. */
  finding({ versionId: id, epoch, kind, server }: Finding): void {
    // What was in flight to a server when it was ejected says nothing more of its version.
    if (this.#health.isForgiven(id, server)) return;
    this.#readMeter(id);
    this.#writer.count({ kind: 'finding', id, epoch, finding: kind, server, atMs: this.#parts.clock.wallMs() });
  }

  /** Called by the observer when two answers were compared and are not alike. */
  difference({ versionId: id, epoch, ...difference }: Difference): void {
    this.#writer.count({ kind: 'difference', id, epoch, difference, atMs: this.#parts.clock.wallMs() });
  }

  /** Ends timers and probes; commands are refused from now on. Resolves when what was under way is done. */
  async close(): Promise<void> {
    this.#readMeter();
    this.#closed = true;
    this.#stopTicking();
    this.#gates.close();
    this.#health.close();
    this.#arrivals.close();
    const containersEnd = this.#containers.close();
    await this.#writer.close();
    await containersEnd;
  }

  get #state(): ReleaseState {
    return this.#writer.state;
  }

  #version(id: string): VersionState | undefined {
    return this.#state.versions.find((version) => version.id === id);
  }

  #eventOf(command: Command): ReleaseEvent {
    const atMs = this.#parts.clock.wallMs();
    if (command.kind !== 'put') return { ...command, atMs };
    return { ...command, id: command.spec.uuid ?? this.#parts.dice.versionId(), atMs };
  }

  #tick(): void {
    try {
      this.#writer.tick();
      this.#readMeter();
      // While a chain is about to be in force, what is in flight on the one before is not known for sure.
      if (!this.#writer.busy) this.#takeDue();
    } catch (error) {
      const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#parts.log.write('CRITICAL', 'controller', `Tick failed: ${cause}`);
    }
  }

  #readMeter(only?: string): void {
    const atMs = this.#parts.clock.wallMs();
    for (const event of this.#meter.read(this.#state, atMs, only)) this.#writer.count(event);
    for (const event of this.#comparisons.read(atMs, only)) this.#writer.count(event);
  }

  #takeDue(): void {
    for (const event of this.#deadlines.due(this.#state)) this.#writer.take(event);
  }
}
