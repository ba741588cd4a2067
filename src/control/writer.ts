/**
 * The single writer of the release state. Events come in, one after the other each goes through the transition table, the next
 * state is made durable, and then its effects run. What changes no more than counters takes a shortcut: the very next
 * request must see a risen threshold, and the next failure its evidence, so it is in force at once and kept a moment later; only
 * a threshold has to be durable ahead of its use (`keeper.ts`).
 *
 * What can't be kept is not done: a command is refused, and what a release does by itself waits. Traffic goes on meanwhile, and what
 * it needs to go on is done all the same, and kept later.
 */
import type { Effect } from '../core/release/effects.ts';
import type { AnsweredEvent, ReleaseEvent } from '../core/release/events.ts';
import { withReady } from '../core/release/ready-at-once.ts';
import { comesAnew } from '../core/release/restore.ts';
import { type Rise, riseOf, risingVersion } from '../core/release/rise.ts';
import { EMPTY_STATE, type ReleaseState } from '../core/release/state.ts';
import { type Transition, transition } from '../core/release/transition.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { Keeper } from './keeper.ts';
import type { StorePort } from './ports.ts';

export interface WriterParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: StorePort;
  /** What was counted until now: it belongs to the decision that is about to be made, so it comes before it. */
  readonly counted: (state: ReleaseState) => readonly ReleaseEvent[];
  /** This state is decided, and its effects are about to run. */
  readonly onDecided: (state: ReleaseState) => void;
  /** Resolves when the chain that the effects publish is in force. */
  readonly run: (effects: readonly Effect[]) => Promise<void>;
  /** As `DataPlanePort.allowRise`. */
  readonly allowRise: (rise: Rise | null) => Promise<void>;
  /** The effects of a decision have run, and its chain is in force. */
  readonly onDone: (state: ReleaseState) => void;
  /** One event has been worked through; what was counted meanwhile is in force too. */
  readonly onTurnOver: (state: ReleaseState) => void;
}

/** The state could not be kept: nothing was changed. */
interface NotKept {
  readonly kind: 'not-kept';
  readonly reason: string;
}

/** `failed`: a fault of the proxy itself; the log says why. */
export type Written = Transition | NotKept | 'failed';

const AT_ONCE: Promise<void> = Promise.resolve();

/** How soon a state that could not be kept is tried again. */
const RETRY_MS = 1000;

/** What someone waits for: refused when it can't be kept, and not tried again. */
const COMMANDS: readonly ReleaseEvent['kind'][] = ['put', 'delete', 'promote', 'pause', 'resume', 'rollback'];

/** What time brings about comes again as long as it is due; when it could not be kept at first it may be due no longer. */
const OF_TIME: readonly ReleaseEvent['kind'][] = ['quiet', 'counted', 'regret-over', 'drain-over', 'drained'];

export class Writer {
  readonly #parts: WriterParts;
  readonly #keeper: Keeper;
  #state: ReleaseState = EMPTY_STATE;
  /** Settles when everything taken so far has been worked through. */
  #queue: Promise<void> = Promise.resolve();
  #queued = 0;
  /** What was counted while the queue was at work. */
  #held: ReleaseEvent[] = [];
  /** Rises that came while the queue was at work, or ahead of what is durable. */
  #heldRise: AnsweredEvent | null = null;
  /** A save of thresholds ahead of their use is under way. */
  #reserving = false;
  /** A threshold is being raised. */
  #rises = false;
  /** What happened by itself and could not be kept, to be taken again. */
  readonly #waiting = new Map<string, ReleaseEvent>();
  #retryAtMs = 0;
  #closed = false;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#keeper = new Keeper(parts.store, () => this.#state);
  }

  /** Events are being worked through. */
  get busy(): boolean {
    return this.#queued > 0;
  }

  /** What is in force. */
  get state(): ReleaseState {
    return this.#state;
  }

  /** Takes over the state that an earlier process left, durable as it is, and runs what it wants done. */
  restore(state: ReleaseState, effects: readonly Effect[]): void {
    this.#state = state;
    this.#keeper.restored(state);
    this.#parts.onDecided(state);
    void this.#tellRise();
    void this.#parts.run(effects);
  }

  /**
   * Works the event through when its turn comes. Never rejects.
   * @param isReady says soon whether the version of a put may take traffic already; what one step can do is kept once
   */
  write(event: ReleaseEvent, isReady?: Promise<boolean>): Promise<Written> {
    this.#queued += 1;
    const turn = this.#queue.then(() => this.#work(event, isReady));
    this.#queue = turn.then(() => {
      this.#queued -= 1;
      this.#release();
      this.#parts.onTurnOver(this.#state);
    });
    return turn;
  }

  /** The same for an event that no one waits for. */
  take(event: ReleaseEvent): void {
    if (!this.#closed) void this.write(event);
  }

  /** The shortcut for what is counted. What turns out to be more than that waits for its turn like any other event. */
  count(event: ReleaseEvent): void {
    if (this.#closed) return;
    if (event.kind === 'answered' && (this.#queued > 0 || this.#heldRise !== null)) this.#holdRise(event);
    else if (this.#queued > 0) this.#held.push(event);
    else this.#countNow(event);
  }

  /** Takes up what has been waiting; called a few times a second. */
  tick(): void {
    this.#release();
    if (this.#waiting.size === 0 || this.#parts.clock.nowMs() < this.#retryAtMs) return;
    const events = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const event of events) this.take(event);
  }

  /** Takes nothing more. Resolves when what was under way is done. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue;
    for (const event of [...this.#held, ...(this.#heldRise === null ? [] : [this.#heldRise])]) this.#countLast(event);
    this.#keeper.close();
  }

  /** What was counted and had to wait is kept with the rest; nothing is put in force by it any more. */
  #countLast(event: ReleaseEvent): void {
    const result = transition(this.#state, event);
    if (result.kind === 'done' && result.weight === 'counted') this.#state = result.next;
  }

  async #work(event: ReleaseEvent, isReady?: Promise<boolean>): Promise<Written> {
    try {
      for (const counted of this.#parts.counted(this.#state)) await this.#perform(counted);
      return await this.#perform(event, event.kind === 'put' && (await isReady) === true);
    } catch (error) {
      this.#fault(event, error);
      return 'failed';
    }
  }

  async #perform(event: ReleaseEvent, isReady = false): Promise<Transition | NotKept> {
    const decided = transition(this.#state, event);
    const result = isReady && event.kind === 'put' ? withReady(decided, event) : decided;
    if (result.kind === 'rejected') return result;
    if (result.weight === 'counted') {
      this.#counted(result.next, result.effects);
      return result;
    }
    const kept = await this.#keep(event, result.next);
    if (typeof kept === 'object') return kept;
    this.#state = result.next;
    if (kept === 'later') this.#keeper.note();
    this.#parts.onDecided(result.next);
    await Promise.all([this.#tellRise(), this.#parts.run(result.effects)]);
    this.#parts.onDone(this.#state);
    return result;
  }

  /** Makes the next state durable, or says that this may come later. What happened by itself and must wait is taken again. */
  async #keep(event: ReleaseEvent, next: ReleaseState): Promise<NotKept | 'kept' | 'later'> {
    try {
      await this.#keeper.save(next);
      // What has waited is older news of the same.
      this.#waiting.delete(waitingKey(event));
      return 'kept';
    } catch (error) {
      if (!COMMANDS.includes(event.kind)) {
        if (comesAnew(event.kind, this.#state, next)) return 'later';
        if (!OF_TIME.includes(event.kind)) this.#waiting.set(waitingKey(event), event);
      }
      this.#retryLater();
      return { kind: 'not-kept', reason: (error as Error).message };
    }
  }

  #countNow(event: ReleaseEvent): void {
    try {
      const result = transition(this.#state, event);
      if (result.kind === 'rejected') return;
      if (result.weight === 'durable') this.take(event);
      else if (event.kind === 'answered') this.#rise(event, result);
      else this.#counted(result.next, result.effects);
    } catch (error) {
      this.#fault(event, error);
    }
  }

  #counted(next: ReleaseState, effects: readonly Effect[]): void {
    if (next !== this.#state) {
      this.#state = next;
      this.#keeper.note();
    }
    void this.#tellRise();
    if (effects.length > 0) void this.#parts.run(effects);
  }

  /** Called before the effects are run, so that nothing rises any more that is to stand still. */
  #tellRise(): Promise<void> {
    const version = risingVersion(this.#state.versions);
    if (version === undefined && !this.#rises) return AT_ONCE;
    this.#rises = version !== undefined;
    return this.#parts.allowRise(version === undefined ? null : riseOf(version, this.#keeper.ceilingOf(version)));
  }

  #rise(event: AnsweredEvent, { next, effects }: { readonly next: ReleaseState; readonly effects: readonly Effect[] }) {
    const version = next.versions.find(({ id }) => id === event.id);
    if (version !== undefined && !this.#keeper.covers(version)) {
      this.#heldRise = event;
      this.#reserve(next);
      return;
    }
    this.#counted(next, effects);
    if (version !== undefined && this.#keeper.isLow(version)) this.#reserve(next);
  }

  /**
   * Makes higher thresholds durable than the state has. Requests never wait for it; a rise may, for a moment. Not while the
   * queue is at work: this state would be written over the one that is about to be in force.
   */
  #reserve(state: ReleaseState): void {
    if (this.#queued > 0 || this.#reserving || this.#parts.clock.nowMs() < this.#retryAtMs) return;
    this.#reserving = true;
    void this.#keeper
      .save(state)
      .catch(() => this.#retryLater())
      .then(() => {
        this.#reserving = false;
        void this.#tellRise();
        this.#release();
        if (!this.#closed && this.#state.versions.some((version) => this.#keeper.isLow(version))) {
          this.#reserve(this.#state);
        }
      });
  }

  /** Refused commands, however many, don't put off what waits. */
  #retryLater(): void {
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs >= this.#retryAtMs) this.#retryAtMs = nowMs + RETRY_MS;
  }

  /** Rises that come one after the other are held as one. */
  #holdRise(event: AnsweredEvent): void {
    const held = this.#heldRise;
    const same = held !== null && held.id === event.id && held.epoch === event.epoch;
    this.#heldRise = same ? { ...event, count: held.count + event.count } : event;
  }

  #release(): void {
    if (this.#queued > 0 || this.#closed) return;
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.count(event);
    const rise = this.#heldRise;
    if (rise === null || this.#queued > 0 || this.#reserving) return;
    this.#heldRise = null;
    this.#countNow(rise);
  }

  #fault(event: ReleaseEvent, error: unknown): void {
    const text = `Event ${event.kind} of version ${event.id} failed: ${causeOf(error)}`;
    this.#parts.log.write('CRITICAL', 'controller', text);
  }
}

function waitingKey({ kind, id }: ReleaseEvent): string {
  return `${kind} ${id}`;
}

function causeOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
