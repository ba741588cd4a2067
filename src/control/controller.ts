/**
 * The one writer. Commands and events come in, one after the other each goes through the transition table, the next state is
 * made durable, and then its effects run. Only the rise of a GRADUAL threshold takes a shortcut: the very next request must
 * see it, so it runs at once and its count is made durable a moment later.
 */
import type { ClusterSpec } from '../core/config/model.ts';
import type { Command, CommandResult, VersionView } from '../core/release/command.ts';
import type { ReleaseEvent } from '../core/release/events.ts';
import { EMPTY_STATE, isLive, type ReleaseState } from '../core/release/state.ts';
import { type Transition, transition } from '../core/release/transition.ts';
import type { Clock } from '../system/clock.ts';
import type { Dice } from '../system/dice.ts';
import type { Log } from '../system/log.ts';
import type { Network } from '../system/network.ts';
import { Deadlines } from './deadlines.ts';
import { Effects } from './effects.ts';
import type { Observer, ReleaseListener } from './observer.ts';
import type { DataPlanePort, StorePort } from './ports.ts';
import { Prober } from './prober.ts';
import { viewOf } from './views.ts';

export interface ControllerParts {
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
}

/** How late what time brings about may be noticed; a quiet of one second has to be told from a longer one. */
const TICK_MS = 250;

export class Controller implements ReleaseListener {
  readonly #parts: ControllerParts;
  readonly #effects: Effects;
  readonly #prober: Prober;
  readonly #deadlines: Deadlines;
  readonly #stopTicking: () => void;
  #state: ReleaseState = EMPTY_STATE;
  /** Settles when everything taken so far has been worked through. */
  #queue: Promise<void> = Promise.resolve();
  #queued = 0;
  /** Rises that came while the queue was at work. */
  #heldRise: { readonly id: string; readonly epoch: number; count: number } | null = null;
  #closed = false;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    const { clock, log, network, dataPlane, connectMs } = parts;
    this.#deadlines = new Deadlines(clock, dataPlane);
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

  /** Resolves when the command is in force (or refused, and nothing changed). Never rejects. */
  async submit(command: Command): Promise<CommandResult> {
    if (this.#closed) return { kind: 'refused', because: 'internal', reason: 'Cutover is stopping' };
    const event = this.#eventOf(command);
    const result = await this.#enqueue(event);
    if (result === 'failed') {
      return { kind: 'refused', because: 'internal', reason: `The ${command.kind} failed; the log says why` };
    }
    if (result.kind === 'done') return { kind: 'accepted', id: event.id };
    const because = result.because === 'unknown-id' ? 'unknown-id' : 'conflict';
    return { kind: 'refused', because, reason: result.reason };
  }

  /** Versions that GET shows, newest first. */
  list(): readonly VersionView[] {
    return this.#state.versions.filter(isLive).map(viewOf);
  }

  /** One of `list`, by its id in lower case. */
  find(id: string): VersionView | undefined {
    const version = this.#state.versions.find((candidate) => candidate.id === id);
    return version !== undefined && isLive(version) ? viewOf(version) : undefined;
  }

  /** Called by the observer within the end of an attempt. */
  answered(id: string, epoch: number): void {
    if (this.#queued === 0) this.#raise(id, epoch, 1);
    else if (this.#heldRise?.id === id && this.#heldRise.epoch === epoch) this.#heldRise.count += 1;
    else this.#heldRise = { id, epoch, count: 1 };
  }

  /** Called by the observer within the end of an attempt. */
  refused(id: string, epoch: number): void {
    this.#take({ kind: 'refused', id, epoch, atMs: this.#parts.clock.wallMs() });
  }

  /** Ends timers and probes; commands are refused from now on. */
  close(): void {
    this.#closed = true;
    this.#stopTicking();
    this.#prober.close();
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
      this.#releaseHeldRise();
    });
    return turn;
  }

  async #work(event: ReleaseEvent): Promise<Transition | 'failed'> {
    try {
      const result = transition(this.#state, event);
      if (result.kind === 'rejected') return result;
      const changed = result.next !== this.#state;
      if (changed) await this.#parts.store.save(result.next);
      this.#state = result.next;
      for (const following of this.#effects.run(result.effects)) await this.#work(following);
      if (changed) this.#takeDue();
      return result;
    } catch (error) {
      this.#fault(event, error);
      return 'failed';
    }
  }

  /** The shortcut. What is more than a rise (the version is released) waits for its turn like any other event. */
  #raise(id: string, epoch: number, count: number): void {
    const event: ReleaseEvent = { kind: 'answered', id, epoch, count, atMs: this.#parts.clock.wallMs() };
    try {
      const result = transition(this.#state, event);
      if (result.kind === 'rejected') return;
      if (result.effects.some(({ kind }) => kind !== 'raise')) {
        this.#take(event);
        return;
      }
      this.#state = result.next;
      this.#effects.run(result.effects);
      this.#parts.store.note(result.next);
    } catch (error) {
      this.#fault(event, error);
    }
  }

  #releaseHeldRise(): void {
    const held = this.#heldRise;
    if (held === null || this.#queued > 0) return;
    this.#heldRise = null;
    this.#raise(held.id, held.epoch, held.count);
  }

  #tick(): void {
    try {
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
