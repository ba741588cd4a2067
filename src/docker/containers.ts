/** The containers port on Docker engines: keeps the engines that were asked, and has one launch or stop at a time change them. */
import type { ContainerSink, ContainersPort, LaunchRequest, StopRequest } from '../control/ports.ts';
import type { EngineAddress } from '../core/config/model.ts';
import type { Launched, LaunchedContainer } from '../core/containers/launch.ts';
import { engineKey } from '../core/containers/plan.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { Engine } from './engine.ts';
import { Events } from './events.ts';
import { removeImage } from './images.ts';
import { launch } from './launch.ts';
import { removeLeft, stop } from './stop.ts';

export interface DockerParts {
  readonly clock: Clock;
  readonly log: Log;
  /** What is left of an earlier process of this owner is removed; null: the state tells what is left. */
  readonly owner: string | null;
}

interface Known {
  readonly engine: Engine;
  readonly events: Events;
  readonly listening: Promise<void>;
}

export class DockerContainers implements ContainersPort {
  readonly #parts: DockerParts;
  readonly #known = new Map<string, Known>();
  /** Containers that Cutover itself stops: their end is no news. */
  readonly #stopping = new Set<string>();
  #sink: ContainerSink | null = null;
  /** Engines that have nothing left of an earlier process. */
  readonly #swept = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(parts: DockerParts) {
    this.#parts = parts;
  }

  async launch(request: LaunchRequest): Promise<Launched> {
    const engineAt = (address: EngineAddress | null): Engine => this.#engineAt(address);
    if (this.#parts.owner !== null) await this.#sweep(request, this.#parts.owner);
    const launched = await launch(
      {
        owner: this.#parts.owner,
        engineAt,
        inTurn: (work) => this.#inTurn(work),
        markStopping: (id) => this.#stopping.add(id),
        onRunning: async ({ address }, info) => this.#known.get(engineKey(address))?.events.tellHealth(info),
      },
      request,
    );
    return launched;
  }

  stop(request: StopRequest): Promise<readonly string[]> {
    return this.#inTurn(() =>
      stop({ engineAt: (address) => this.#engineAt(address), markStopping: (id) => this.#stopping.add(id) }, request),
    );
  }

  async removeImages(containers: readonly LaunchedContainer[]): Promise<void> {
    for (const { engine, image } of containers) await removeImage(this.#engineAt(engine), image.imageId);
  }

  watch(sink: ContainerSink): void {
    this.#sink = sink;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { events } of this.#known.values()) events.close();
    await this.#turn.catch(() => {});
  }

  #engineAt(address: EngineAddress | null): Engine {
    const key = engineKey(address);
    const known = this.#known.get(key);
    if (known !== undefined) return known.engine;
    const engine = new Engine(address, process.env);
    const events = new Events({
      engine,
      ...this.#parts,
      isStopping: (id) => this.#stopping.has(id),
      onNotice: (notice) => this.#sink?.notice(notice),
      onBack: () => this.#sink?.engineIsBack(),
    });
    this.#known.set(key, { engine, events, listening: events.begin() });
    return engine;
  }

  /** Without a state nobody knows the versions of an earlier process any more; what is wanted of their containers is found by the plan. */
  async #sweep({ containers, isWanted }: LaunchRequest, owner: string): Promise<void> {
    for (const { engine: address } of containers) {
      if (this.#swept.has(engineKey(address))) continue;
      const engine = this.#engineAt(address);
      await engine.reach();
      this.#swept.add(engineKey(address));
      await this.#inTurn(async () => {
        const markStopping = (id: string): void => void this.#stopping.add(id);
        await removeLeft({ engine, owner, markStopping, isWanted, log: this.#parts.log });
      });
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => {
      if (this.#closed) throw new Error('Cutover is stopping');
      return work();
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
