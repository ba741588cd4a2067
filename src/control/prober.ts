/**
 * Looks into refused connections: tries all servers of the version on trial and of the older ones at once. Traffic reports
 * refusals by the hundred, so one probe of a version is under way at a time, and one begins per `PROBE_GAP_MS`.
 */
import type { ServerAddress } from '../core/config/model.ts';
import type { ProbeEffect } from '../core/release/effects.ts';
import type { ProbedEvent } from '../core/release/events.ts';
import type { Clock } from '../system/clock.ts';
import type { ConnectFailure, Network } from '../system/network.ts';
import type { DataPlanePort } from './ports.ts';

export interface ProberParts {
  readonly clock: Clock;
  readonly network: Network;
  readonly dataPlane: DataPlanePort;
  /** Bound on one connection, milliseconds. */
  readonly connectMs: number;
  readonly onProbed: (event: ProbedEvent) => void;
}

const PROBE_GAP_MS = 250;

interface Run {
  /** What was asked for while a probe was under way or too recent. */
  next: ProbeEffect | null;
}

export class Prober {
  readonly #parts: ProberParts;
  /** By version id. */
  readonly #runs = new Map<string, Run>();
  readonly #gaps = new Set<() => void>();
  #closed = false;

  constructor(parts: ProberParts) {
    this.#parts = parts;
  }

  /** Probes now, or as soon as the last probe of this version is over and its gap has passed. */
  probe(request: ProbeEffect): void {
    if (this.#closed) return;
    const run = this.#runs.get(request.id);
    if (run !== undefined) {
      run.next = request;
      return;
    }
    this.#begin(request);
  }

  /** No result is reported from now on. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#gaps) cancel();
    this.#gaps.clear();
    this.#runs.clear();
  }

  #begin(request: ProbeEffect): void {
    const run: Run = { next: null };
    this.#runs.set(request.id, run);
    const { promise: gapOver, resolve } = Promise.withResolvers<void>();
    const cancel = this.#parts.clock.after(PROBE_GAP_MS, () => {
      this.#gaps.delete(cancel);
      resolve();
    });
    this.#gaps.add(cancel);
    const reported = this.#look(request).then((event) => {
      if (!this.#closed) this.#parts.onProbed(event);
    });
    void Promise.all([reported, gapOver]).then(() => {
      this.#runs.delete(request.id);
      if (run.next !== null) this.probe(run.next);
    });
  }

  async #look(request: ProbeEffect): Promise<ProbedEvent> {
    const before = request.older.map(({ id }) => this.#answered(id));
    const [own, older] = await Promise.all([
      this.#tryAll(request.servers),
      Promise.all(request.older.map(({ servers }) => this.#tryAll(servers))),
    ]);
    const answers = request.older.find(
      ({ id }, index) => older[index]?.includes(null) || this.#answered(id) > (before[index] ?? 0),
    );
    return {
      kind: 'probed',
      id: request.id,
      epoch: request.epoch,
      atMs: this.#parts.clock.wallMs(),
      servers: own.length,
      failures: own.filter((result) => result !== null).map(({ text }) => text),
      olderAnswers: answers?.id ?? null,
    };
  }

  /** How many exchanges a version has answered: a count that rose during the probe proves that it answers. */
  #answered(id: string): number {
    return this.#parts.dataPlane.figures(id)?.answered ?? 0;
  }

  #tryAll(servers: readonly ServerAddress[]): Promise<(ConnectFailure | null)[]> {
    return Promise.all(servers.map((server) => this.#parts.network.tryConnect(server, this.#parts.connectMs)));
  }
}
