/**
 * The one writer. Commands and events come in, one after the other each goes through the transition table, the next state is
 * made durable, and then its effects run. What changes no more than counters takes a shortcut: the very next request must
 * see a risen threshold, and the next failure its evidence, so it is in force at once and made durable a moment later.
 */
import type { ClusterSpec } from '../core/config/model.ts';
import type { Finding } from '../core/messages.ts';
import type { Command, CommandResult, LedgerView, StatusView, VersionView } from '../core/release/command.ts';
import type { ReleaseEvent } from '../core/release/events.ts';
import { EMPTY_STATE, isLive, type ReleaseState, type VersionState } from '../core/release/state.ts';
import { type Transition, transition } from '../core/release/transition.ts';
import { olderThan } from '../core/release/trial.ts';
import type { Clock } from '../system/clock.ts';
import type { Dice } from '../system/dice.ts';
import type { Log } from '../system/log.ts';
import type { Network } from '../system/network.ts';
import { Deadlines, type DrainBounds } from './deadlines.ts';
import { Effects } from './effects.ts';
import { Meter } from './meter.ts';
import type { Observer, ReleaseListener } from './observer.ts';
import type { DataPlanePort, StorePort } from './ports.ts';
import { Prober } from './prober.ts';
import { PutWait } from './put-wait.ts';
import { ledgerViewOf, openLedgerViewOf, statusOf, viewOf } from './views.ts';

export interface ControllerParts extends DrainBounds {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly network: Network;
  readonly log: Log;
  readonly dataPlane: DataPlanePort;
  readonly store: StorePort;
  /** What the data plane was given as its outcome sink. */
  readonly observer: Observer;
  /** Bound on one probe of one server, milliseconds. */
  readonly connectMs: number;
  /** A PUT is answered at the latest after this, milliseconds. */
  readonly putWaitMs: number;
}

/** How late what time brings about may be noticed; a quiet of one second has to be told from a longer one. */
const TICK_MS = 250;

export class Controller implements ReleaseListener {
  readonly #parts: ControllerParts;
  readonly #effects: Effects;
  readonly #prober: Prober;
  readonly #deadlines: Deadlines;
  readonly #meter: Meter;
  readonly #putWait: PutWait;
  readonly #stopTicking: () => void;
  #state: ReleaseState = EMPTY_STATE;
  /** Settles when everything taken so far has been worked through. */
  #queue: Promise<void> = Promise.resolve();
  #queued = 0;
  /** What would have taken the shortcut while the queue was at work. */
  #held: ReleaseEvent[] = [];
  #closed = false;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    const { clock, log, network, dataPlane, connectMs } = parts;
    this.#deadlines = new Deadlines(clock, dataPlane, parts);
    this.#meter = new Meter(dataPlane, parts.observer);
    this.#putWait = new PutWait(clock, parts.putWaitMs);
    this.#prober = new Prober({ clock, network, dataPlane, connectMs, onProbed: (event) => this.#take(event) });
    this.#effects = new Effects({
      clock,
      log,
      dataPlane,
      probe: (request) => this.#prober.probe(request),
      onChain: (table) => parts.observer.focusOn(table, this),
    });
    this.#stopTicking = clock.every(TICK_MS, () => this.#tick());
  }

  /** Puts the configuration file's version in force. */
  start(spec: ClusterSpec): Promise<CommandResult> {
    return this.submit({ kind: 'put', spec, origin: 'file' });
  }

  /**
   * Resolves when the command is in force (or refused, and nothing changed); that of a PUT whose version is still starting
   * after `putWaitMs`, when it is durable. Never rejects.
   */
  async submit(command: Command): Promise<CommandResult> {
    if (this.#closed) return { kind: 'refused', because: 'internal', reason: 'Cutover is stopping' };
    const event = this.#eventOf(command);
    const result = await this.#enqueue(event);
    if (result === 'failed') {
      return { kind: 'refused', because: 'internal', reason: `The ${command.kind} failed; the log says why` };
    }
    if (result.kind === 'done') {
      if (command.kind === 'put' && !this.#closed) await this.#putWait.whileStarting(this.#state, event.id);
      return { kind: 'accepted', id: event.id };
    }
    const because = result.because === 'unknown-id' ? 'unknown-id' : 'conflict';
    return { kind: 'refused', because, reason: result.reason };
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
    return version === undefined ? undefined : statusOf(version, this.#parts.dataPlane.figures(id));
  }

  /**
   * The releases of one version or of all, the latest first, those that go on before those that were decided. Undefined for
   * an id that is not remembered.
   */
  ledger(id?: string): readonly LedgerView[] | undefined {
    this.#readMeter();
    const { versions, ledger } = this.#state;
    const isAsked = (other: { readonly id: string }) => id === undefined || other.id === id;
    const open = versions
      .filter(isAsked)
      .map((version) => openLedgerViewOf(version, olderThan(versions, version)[0]?.spec.version ?? null));
    const entries = [...open.filter((view) => view !== null), ...ledger.filter(isAsked).map(ledgerViewOf)];
    return entries.length > 0 || versions.some(isAsked) ? entries : undefined;
  }

  /** Called by the observer within the end of an attempt. */
  answered(id: string, epoch: number): void {
    this.#apply({ kind: 'answered', id, epoch, count: 1, atMs: this.#parts.clock.wallMs() });
  }

  /** Called by the observer within the end of an attempt. */
  refused(id: string, epoch: number): void {
    this.#apply({ kind: 'refused', id, epoch, atMs: this.#parts.clock.wallMs() });
  }

  /** Called by the observer when an exchange is decided. What was answered before it is counted before it. */
  finding({ versionId: id, epoch, kind, server }: Finding): void {
    this.#readMeter(id);
    this.#apply({ kind: 'finding', id, epoch, finding: kind, server, atMs: this.#parts.clock.wallMs() });
  }

  /** Ends timers and probes; commands are refused from now on. */
  close(): void {
    this.#closed = true;
    this.#stopTicking();
    this.#prober.close();
    this.#putWait.close();
  }

  #version(id: string): VersionState | undefined {
    return this.#state.versions.find((version) => version.id === id);
  }

  #eventOf(command: Command): ReleaseEvent {
    const atMs = this.#parts.clock.wallMs();
    if (command.kind !== 'put') return { ...command, atMs };
    const { spec, origin } = command;
    return { kind: 'put', id: spec.uuid ?? this.#parts.dice.versionId(), spec, origin, atMs };
  }

  /** Takes an event that no one waits for. */
  #take(event: ReleaseEvent): void {
    if (!this.#closed) void this.#enqueue(event);
  }

  /** Works the event through when its turn comes. Never rejects. */
  #enqueue(event: ReleaseEvent): Promise<Transition | 'failed'> {
    this.#queued += 1;
    const turn = this.#queue.then(() => this.#work(event));
    this.#queue = turn.then(() => {
      this.#queued -= 1;
      this.#releaseHeld();
    });
    return turn;
  }

  /** What was counted until now belongs to the decision, so it comes first. */
  async #work(event: ReleaseEvent): Promise<Transition | 'failed'> {
    try {
      for (const counted of this.#meter.read(this.#state, event.atMs)) await this.#perform(counted);
      return await this.#perform(event);
    } catch (error) {
      this.#fault(event, error);
      return 'failed';
    }
  }

  async #perform(event: ReleaseEvent): Promise<Transition> {
    const result = transition(this.#state, event);
    if (result.kind === 'rejected') return result;
    if (result.weight === 'counted') {
      this.#count(result);
      return result;
    }
    await this.#parts.store.save(result.next);
    this.#state = result.next;
    this.#meter.begin(result.next);
    for (const following of this.#effects.run(result.effects)) await this.#perform(following);
    this.#putWait.look(this.#state);
    this.#takeDue();
    return result;
  }

  /** The shortcut. What turns out to be more than a count waits for its turn like any other event. */
  #apply(event: ReleaseEvent): void {
    if (this.#queued > 0) {
      this.#hold(event);
      return;
    }
    try {
      const result = transition(this.#state, event);
      if (result.kind === 'rejected') return;
      if (result.weight === 'counted') this.#count(result);
      else this.#take(event);
    } catch (error) {
      this.#fault(event, error);
    }
  }

  #count(result: Extract<Transition, { readonly kind: 'done' }>): void {
    if (result.next !== this.#state) {
      this.#state = result.next;
      this.#parts.store.note(result.next);
    }
    this.#effects.run(result.effects);
  }

  /** Answers that come one after the other are held as one. */
  #hold(event: ReleaseEvent): void {
    const last = this.#held.at(-1);
    if (last?.kind === 'answered' && event.kind === 'answered' && last.id === event.id && last.epoch === event.epoch) {
      this.#held[this.#held.length - 1] = { ...event, count: last.count + event.count };
    } else {
      this.#held.push(event);
    }
  }

  #releaseHeld(): void {
    if (this.#queued > 0) return;
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.#apply(event);
  }

  #readMeter(id?: string): void {
    for (const event of this.#meter.read(this.#state, this.#parts.clock.wallMs(), id)) this.#apply(event);
  }

  #tick(): void {
    try {
      this.#readMeter();
      this.#takeDue();
    } catch (error) {
      this.#parts.log.write('CRITICAL', 'controller', `Tick failed: ${causeOf(error)}`);
    }
  }

  #takeDue(): void {
    for (const event of this.#deadlines.due(this.#state)) this.#take(event);
  }

  #fault(event: ReleaseEvent, error: unknown): void {
    const text = `Event ${event.kind} of version ${event.id} failed: ${causeOf(error)}`;
    this.#parts.log.write('CRITICAL', 'controller', text);
  }
}

function causeOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
