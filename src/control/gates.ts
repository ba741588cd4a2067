/**
 * The readiness gate: before traffic moves to a version that replaces something, each of its servers must have taken a
 * connection, and passed its check where it has one. What is not ready is asked again, at first often, until the time is up.
 */
import { hostPort } from '../core/config/address.ts';
import type { ClusterSpec, ServerAddress } from '../core/config/model.ts';
import type { PrepareEffect } from '../core/release/effects.ts';
import type { ReadyEvent, UnreadyEvent } from '../core/release/events.ts';
import type { Clock } from '../system/clock.ts';
import type { Probes } from './probes.ts';

export interface GateParts {
  readonly clock: Clock;
  readonly probes: Probes;
  /** The time of a version that is not ready is up. `reason` is one line. */
  readonly onLate: (id: string, reason: string) => Late;
  /** Called once for each gate that is not cancelled. */
  readonly onDecided: (event: ReadyEvent | UnreadyEvent) => void;
}

/** `wait`: for as long again. `serve`: with the servers that are ready; while there are none they are waited for. */
export type Late = 'give-up' | 'wait' | 'serve';

/** What happens meanwhile waits as long. */
const MOMENT_MS = 15;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 1_000;
const RETRY_GROWTH = 1.5;

export class Gates {
  readonly #parts: GateParts;
  /** By version id. */
  readonly #gates = new Map<string, Gate>();
  /** Of versions that are about to be put. */
  readonly #ready = new WeakSet<ServerAddress>();
  /** Each ends one that is waited for. */
  readonly #moments = new Set<() => void>();

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** Why a version is not let through yet, as far as that is known; null: nothing is. */
  standing(id: string): string | null {
    return this.#gates.get(id)?.standing() ?? null;
  }

  /** Waits for the servers of a version; a gate that this version had before is cancelled. */
  open(effect: PrepareEffect): void {
    const { id } = effect;
    this.#gates.get(id)?.cancel();
    const missing = effect.servers.filter((server) => !this.#ready.has(server));
    for (const server of effect.servers) this.#ready.delete(server);
    const gate = new Gate(this.#parts, { ...effect, missing }, (event) => {
      this.#gates.delete(id);
      this.#parts.onDecided(event);
    });
    this.#gates.set(id, gate);
    gate.begin();
  }

  /** True when all servers of a version that is about to be put are ready, as far as the next moment shows. */
  areReady({ servers, healthCheck }: ClusterSpec): Promise<boolean> {
    const { clock, probes } = this.#parts;
    const look = async (server: ServerAddress): Promise<void> => {
      const { kind } = await probes.look(server, healthCheck);
      if (kind === 'passed') this.#ready.add(server);
    };
    return new Promise((resolve) => {
      const end = (): void => {
        stop();
        this.#moments.delete(end);
        resolve(servers.every((server) => this.#ready.has(server)));
      };
      const stop = clock.after(MOMENT_MS, end);
      this.#moments.add(end);
      void Promise.all(servers.map(look)).then(end);
    });
  }

  /** Cancels the gates of all versions but these. */
  keepOnly(starting: readonly { readonly id: string; readonly epoch: number }[]): void {
    for (const [id, gate] of this.#gates) {
      if (starting.some((version) => version.id === id && version.epoch === gate.epoch)) continue;
      gate.cancel();
      this.#gates.delete(id);
    }
  }

  close(): void {
    this.keepOnly([]);
    for (const end of this.#moments) end();
  }
}

interface Missing {
  readonly text: string;
  readonly tries: number;
}

function causeOf({ host, port }: ServerAddress, { text }: Missing): string {
  return `${hostPort(host, port)}: ${text}`;
}

interface Wanted extends PrepareEffect {
  /** Those of its servers that were not found ready just now. */
  readonly missing: readonly ServerAddress[];
}

class Gate {
  readonly #parts: GateParts;
  readonly #effect: Wanted;
  readonly #decide: (event: ReadyEvent | UnreadyEvent) => void;
  /** The servers that are not ready yet, with what was found last. */
  readonly #missing: Map<ServerAddress, Missing>;
  readonly #timers = new Set<() => void>();
  #over = false;

  constructor(parts: GateParts, effect: Wanted, decide: (event: ReadyEvent | UnreadyEvent) => void) {
    this.#parts = parts;
    this.#effect = effect;
    this.#decide = decide;
    this.#missing = new Map(effect.missing.map((server) => [server, { text: 'it did not answer', tries: 0 }]));
  }

  get epoch(): number {
    return this.#effect.epoch;
  }

  begin(): void {
    this.#after(this.#effect.timeoutMs, () => this.#late());
    for (const server of this.#effect.missing) void this.#ask(server, RETRY_FIRST_MS);
    if (this.#effect.missing.length === 0) void Promise.resolve().then(() => this.#letThrough());
  }

  cancel(): void {
    this.#over = true;
    for (const stop of this.#timers) stop();
    this.#timers.clear();
  }

  async #ask(server: ServerAddress, retryMs: number): Promise<void> {
    const look = await this.#parts.probes.look(server, this.#effect.check);
    if (this.#over) return;
    if (look.kind !== 'passed') {
      this.#missing.set(server, { text: look.text, tries: (this.#missing.get(server)?.tries ?? 0) + 1 });
      this.#after(retryMs, () => void this.#ask(server, Math.min(retryMs * RETRY_GROWTH, RETRY_MAX_MS)));
      return;
    }
    this.#missing.delete(server);
    if (this.#missing.size === 0) this.#letThrough();
  }

  #letThrough(): void {
    if (!this.#over) this.#end({ kind: 'ready', ...this.#stamp() });
  }

  standing(): string | null {
    const causes = [...this.#missing].filter(([, { tries }]) => tries > 0);
    if (causes.length === 0) return null;
    const texts = causes.map(([server, missing]) => {
      return `${causeOf(server, missing)}, ${missing.tries === 1 ? 'one try' : `${missing.tries} tries`}`;
    });
    return `not ready yet (${texts.join('; ')})`;
  }

  #late(): void {
    const { id, servers, timeoutMs } = this.#effect;
    const reason = this.#whatIsMissing();
    const late = this.#parts.onLate(id, reason);
    if (late === 'give-up') this.#end({ kind: 'unready', ...this.#stamp(), reason });
    else if (late === 'serve' && this.#missing.size < servers.length) this.#end({ kind: 'ready', ...this.#stamp() });
    else this.#after(timeoutMs, () => this.#late());
  }

  #whatIsMissing(): string {
    const causes = [...this.#missing].map(([server, missing]) => causeOf(server, missing));
    const { servers, timeoutMs } = this.#effect;
    const count =
      causes.length === servers.length && causes.length === 1
        ? 'its server was'
        : `${causes.length} of ${servers.length} servers were`;
    return `${count} not ready within ${timeoutMs / 1000} s (${causes.join('; ')})`;
  }

  #end(event: ReadyEvent | UnreadyEvent): void {
    this.cancel();
    this.#decide(event);
  }

  #stamp() {
    const { id, epoch } = this.#effect;
    return { id, epoch, atMs: this.#parts.clock.wallMs() };
  }

  #after(delayMs: number, callback: () => void): void {
    const stop = this.#parts.clock.after(delayMs, () => {
      this.#timers.delete(stop);
      callback();
    });
    this.#timers.add(stop);
  }
}
