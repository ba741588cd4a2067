/** One server of a version under watch: its health, and the timers and probes that its health asks for. */
import type { HealthCheck } from '../core/config/model.ts';
import {
  HEALTHY,
  type HealthEvent,
  nextHealth,
  type ServerHealth,
  takesRequests,
} from '../core/health/server-health.ts';
import { SLOW_START_STEP_MS } from '../core/health/version-health.ts';
import type { Server } from '../core/routing/table.ts';
import type { Clock } from '../system/clock.ts';
import type { Probes } from './probes.ts';

export interface ServerWatchParts {
  readonly clock: Clock;
  readonly probes: Probes;
  readonly check: HealthCheck | null;
  readonly onChange: (watch: ServerWatch, turn: Turn | null) => void;
}

/** What others need to know of: it was ejected; it still is after a probe; it may be asked again; its share has risen. */
export type Turn = 'ejected' | 'kept-out' | 'back' | 'rose';

/** An ejected server that passes its check once may do so by luck: it returns after the second. */
const CHECKS_TO_RETURN = 2;

export class ServerWatch {
  readonly server: Server;
  /** Why it was ejected last, for people. */
  cause = '';
  /** False when the cause is that it asked for time: such a server takes no requests, but has not crashed. */
  crashed = false;
  readonly #parts: ServerWatchParts;
  #health: ServerHealth;
  #stopTimer: () => void = () => {};
  #stopChecks: () => void = () => {};
  #closed = false;

  constructor(parts: ServerWatchParts, server: Server, health: ServerHealth = HEALTHY) {
    this.#parts = parts;
    this.server = server;
    this.#health = health;
  }

  get health(): ServerHealth {
    return this.#health;
  }

  get takesRequests(): boolean {
    return takesRequests(this.#health);
  }

  /** True while an answered request means nothing new. */
  get isPlain(): boolean {
    const { phase, failures, proven, backoffMs } = this.#health;
    return failures === 0 && proven && (phase === 'returning' || (phase === 'healthy' && backoffMs === 0));
  }

  /** Goes on from what an earlier watch knew: sets the timer, or probes, as the health asks for it. */
  resume({ cause, crashed }: { readonly cause: string; readonly crashed: boolean }): void {
    this.cause = cause;
    this.crashed = crashed;
    // What an earlier watch has asked is answered to that one.
    if (this.#health.phase === 'probing') this.#health = { ...this.#health, phase: 'ejected', dueMs: 0 };
    if (this.#health.dueMs <= this.#parts.clock.nowMs()) {
      this.happened(this.#health.phase === 'ejected' ? 'sought' : 'due');
      return;
    }
    this.#setTimer();
    this.#parts.onChange(this, null);
  }

  /** Begins the periodic checks, if there are any; the first comes after `delayMs`. */
  begin(delayMs: number): void {
    if (this.#parts.check !== null) this.#checkAfter(this.#parts.check, delayMs);
  }

  /** `cause` says what happened, for people, when it can lead to an ejection. */
  happened(event: HealthEvent, cause = '', crashed = true): void {
    if (this.#closed) return;
    const before = this.#health;
    const nowMs = this.#parts.clock.nowMs();
    const passesNeeded = this.#parts.check === null ? 1 : CHECKS_TO_RETURN;
    const after = nextHealth(before, event, { nowMs, passesNeeded });
    if (after === before) return;
    this.#health = after;
    if (after.phase === before.phase) {
      this.#parts.onChange(this, null);
      return;
    }
    if (after.phase === 'ejected') {
      this.cause = cause || this.cause;
      this.crashed = crashed;
    }
    this.#setTimer();
    if (after.phase === 'probing') void this.#probe();
    this.#parts.onChange(this, turnOf(before, after));
  }

  close(): void {
    this.#closed = true;
    this.#stopTimer();
    this.#stopChecks();
  }

  #setTimer(): void {
    this.#stopTimer();
    const { phase, dueMs } = this.#health;
    const leftMs = dueMs - this.#parts.clock.nowMs();
    if (phase === 'ejected') this.#stopTimer = this.#parts.clock.after(leftMs, () => this.happened('due'));
    if (phase === 'returning') this.#stopTimer = this.#parts.clock.after(SLOW_START_STEP_MS, () => this.#rise());
  }

  #rise(): void {
    if (this.#health.dueMs <= this.#parts.clock.nowMs()) {
      this.happened('due');
      return;
    }
    this.#setTimer();
    this.#parts.onChange(this, 'rose');
  }

  async #probe(): Promise<void> {
    const look = await this.#parts.probes.look(this.server, this.#parts.check);
    if (look.kind === 'passed') this.happened('passed', this.cause, this.crashed);
    else this.happened('not-passed', look.text, look.kind === 'failed');
  }

  #checkAfter(check: HealthCheck, delayMs: number): void {
    this.#stopChecks = this.#parts.clock.after(delayMs, () => void this.#check(check));
  }

  /** An ejected server is probed as its back-off says, so the periodic check passes it over. */
  async #check(check: HealthCheck): Promise<void> {
    if (this.takesRequests) {
      const look = await this.#parts.probes.look(this.server, check);
      if (this.#closed) return;
      // What was asked before an ejection says nothing about the half-open probe.
      if (this.takesRequests) {
        if (look.kind === 'passed') this.happened('passed');
        else this.happened('not-passed', look.text, look.kind === 'failed');
      }
    }
    this.#checkAfter(check, check.intervalMs);
  }
}

function turnOf(before: ServerHealth, after: ServerHealth): Turn | null {
  switch (after.phase) {
    case 'ejected':
      return takesRequests(before) ? 'ejected' : 'kept-out';
    case 'probing':
      return null;
    case 'returning':
      return 'back';
    case 'healthy':
      return 'rose';
  }
}
