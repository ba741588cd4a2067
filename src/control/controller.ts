/**
 * The one writer. Commands and events come in, one after the other each goes through the transition table, the next state is
 * made durable, and then its effects run. Only the rise of a GRADUAL threshold takes a shortcut: the very next request must
 * see it, so it runs at once; a higher threshold is durable already (`keeper.ts`), and its count is made so a moment later.
 *
 * What can't be kept is not done: a command is refused, and what a release does by itself waits. Traffic goes on meanwhile.
 */
import type { ClusterSpec } from '../core/config/model.ts';
import { sameJson } from '../core/config/same-json.ts';
import type { Command, CommandResult, VersionView } from '../core/release/command.ts';
import type { ReleaseEvent } from '../core/release/events.ts';
import { restore, takesBack } from '../core/release/restore.ts';
import { EMPTY_STATE, isLive, type ReleaseState, serves } from '../core/release/state.ts';
import { type Transition, transition } from '../core/release/transition.ts';
import type { Clock } from '../system/clock.ts';
import type { Dice } from '../system/dice.ts';
import type { Log } from '../system/log.ts';
import type { Network } from '../system/network.ts';
import { Deadlines } from './deadlines.ts';
import { Effects } from './effects.ts';
import { Keeper } from './keeper.ts';
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
/** How soon a state that could not be kept is tried again. */
const RETRY_MS = 1000;

/** The state could not be kept: nothing was changed. */
interface NotKept {
  readonly kind: 'not-kept';
  readonly reason: string;
}

export class Controller implements ReleaseListener {
  readonly #parts: ControllerParts;
  readonly #effects: Effects;
  readonly #prober: Prober;
  readonly #deadlines: Deadlines;
  readonly #keeper: Keeper;
  readonly #stopTicking: () => void;
  #state: ReleaseState = EMPTY_STATE;
  /** Settles when everything taken so far has been worked through. */
  #queue: Promise<void> = Promise.resolve();
  #queued = 0;
  /** Rises that came while the queue was at work, or ahead of what is durable. */
  #heldRise: { readonly id: string; readonly epoch: number; count: number } | null = null;
  /** A save of thresholds ahead of their use is under way. */
  #reserving = false;
  /** What happened by itself and could not be kept, to be taken again. */
  readonly #waiting = new Map<string, ReleaseEvent>();
  #retryAtMs = 0;
  #closed = false;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    const { clock, log, network, dataPlane, connectMs } = parts;
    this.#deadlines = new Deadlines(clock, dataPlane);
    this.#keeper = new Keeper(parts.store, () => this.#state);
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

  /** Puts the state in force that an earlier process left. Comes before everything else. */
  async restore(state: ReleaseState): Promise<void> {
    this.#state = state;
    this.#keeper.restored(state);
    this.#deadlines.resume(state);
    const following = this.#effects.run(restore(state));
    await Promise.all(following.map((event) => this.#enqueue(event)));
  }

  /**
   * Puts the configuration file's version in force, unless the state has applied this very `cluster` before and something
   * serves: then the state holds, so that what was deleted or rolled back stays so.
   *
   * @param asWritten the `cluster` of the file
   */
  async start(spec: ClusterSpec, asWritten: unknown = null): Promise<CommandResult | { readonly kind: 'unchanged' }> {
    const { applied, versions } = this.#state;
    if (versions.some(serves) && sameJson(applied, asWritten)) return { kind: 'unchanged' };
    return this.submit({ kind: 'put', spec, origin: 'file', asWritten });
  }

  /** Resolves when the command is in force (or refused, and nothing changed). Never rejects. */
  async submit(command: Command): Promise<CommandResult> {
    if (this.#closed) return { kind: 'refused', because: 'internal', reason: 'Cutover is stopping' };
    const event = this.#eventOf(command);
    const result = await this.#enqueue(event);
    if (result === 'failed') {
      return { kind: 'refused', because: 'internal', reason: `The ${command.kind} failed; the log says why` };
    }
    if (result.kind === 'not-kept') {
      this.#parts.log.write('WARNING', 'controller', `The ${command.kind} is refused: ${result.reason}`);
      return { kind: 'refused', because: 'storage', reason: result.reason };
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
    if (this.#closed) return;
    if (this.#heldRise?.id === id && this.#heldRise.epoch === epoch) this.#heldRise.count += 1;
    else if (this.#queued === 0) this.#raise(id, epoch, 1);
    else this.#heldRise = { id, epoch, count: 1 };
  }

  /** Called by the observer within the end of an attempt. */
  refused(id: string, epoch: number): void {
    this.#take({ kind: 'refused', id, epoch, atMs: this.#parts.clock.wallMs() });
  }

  /** Ends timers and probes; commands are refused from now on. Resolves when what was under way is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTicking();
    this.#prober.close();
    await this.#queue;
    this.#keeper.close();
  }

  #eventOf(command: Command): Extract<ReleaseEvent, { kind: 'put' | 'delete' }> {
    const atMs = this.#parts.clock.wallMs();
    if (command.kind === 'delete') return { kind: 'delete', id: command.id, atMs };
    return { ...command, id: command.spec.uuid ?? this.#parts.dice.versionId(), atMs };
  }

  /** Takes an event that no one waits for. */
  #take(event: ReleaseEvent): void {
    if (!this.#closed) void this.#enqueue(event);
  }

  /** Works the event through when its turn comes. Never rejects. */
  #enqueue(event: ReleaseEvent): Promise<Transition | NotKept | 'failed'> {
    this.#queued += 1;
    const turn = this.#queue.then(() => this.#work(event));
    this.#queue = turn.then(() => {
      this.#queued -= 1;
      this.#releaseHeldRise();
    });
    return turn;
  }

  async #work(event: ReleaseEvent): Promise<Transition | NotKept | 'failed'> {
    try {
      const result = transition(this.#state, event);
      if (result.kind === 'rejected') return result;
      const changed = result.next !== this.#state;
      const kept = changed ? await this.#keep(event, result.next) : 'kept';
      if (typeof kept === 'object') return kept;
      this.#state = result.next;
      if (kept === 'later') this.#keeper.note();
      for (const following of this.#effects.run(result.effects)) await this.#work(following);
      if (changed) this.#takeDue();
      return result;
    } catch (error) {
      this.#fault(event, error);
      return 'failed';
    }
  }

  /** Makes the next state durable, or says that this may come later. What happened by itself and must wait is taken again. */
  async #keep(event: ReleaseEvent, next: ReleaseState): Promise<NotKept | 'kept' | 'later'> {
    try {
      await this.#keeper.save(next);
      return 'kept';
    } catch (error) {
      if (event.kind !== 'put' && event.kind !== 'delete') {
        if (takesBack(this.#state, next)) return 'later';
        this.#waiting.set(`${event.kind} ${event.id}`, event);
      }
      this.#retryAtMs = this.#parts.clock.nowMs() + RETRY_MS;
      return { kind: 'not-kept', reason: (error as Error).message };
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
      const version = result.next.versions.find((one) => one.id === id);
      if (version !== undefined && !this.#keeper.covers(version)) {
        this.#heldRise = { id, epoch, count };
        this.#reserve(result.next);
        return;
      }
      this.#state = result.next;
      this.#effects.run(result.effects);
      this.#keeper.note();
      this.#reserveIfLow();
    } catch (error) {
      this.#fault(event, error);
    }
  }

  #reserveIfLow(): void {
    if (this.#state.versions.some((version) => this.#keeper.isLow(version))) this.#reserve(this.#state);
  }

  /**
   * Makes higher thresholds durable than the state has. Requests never wait for it; a rise may, for a moment. Not while the
   * queue is at work: this state would be written over the one that is about to be in force.
   */
  #reserve(state: ReleaseState): void {
    if (this.#queued > 0 || this.#reserving || this.#parts.clock.nowMs() < this.#retryAtMs) return;
    this.#reserving = true;
    const retryLater = (): void => {
      this.#retryAtMs = this.#parts.clock.nowMs() + RETRY_MS;
    };
    void this.#keeper
      .save(state)
      .catch(retryLater)
      .then(() => {
        this.#reserving = false;
        this.#releaseHeldRise();
        if (!this.#closed) this.#reserveIfLow();
      });
  }

  #releaseHeldRise(): void {
    const held = this.#heldRise;
    if (held === null || this.#queued > 0 || this.#reserving || this.#closed) return;
    this.#heldRise = null;
    this.#raise(held.id, held.epoch, held.count);
  }

  #tick(): void {
    try {
      this.#releaseHeldRise();
      this.#takeWaiting();
      this.#takeDue();
    } catch (error) {
      this.#parts.log.write('CRITICAL', 'controller', `Tick failed: ${causeOf(error)}`);
    }
  }

  #takeDue(): void {
    for (const event of this.#deadlines.due(this.#state)) this.#take(event);
  }

  #takeWaiting(): void {
    if (this.#waiting.size === 0 || this.#parts.clock.nowMs() < this.#retryAtMs) return;
    const events = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const event of events) this.#take(event);
  }

  #fault(event: ReleaseEvent, error: unknown): void {
    const text = `Event ${event.kind} of version ${event.id} failed: ${causeOf(error)}`;
    this.#parts.log.write('CRITICAL', 'controller', text);
  }
}

function causeOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
