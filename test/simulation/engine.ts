/** A Docker engine: containers that outlive Cutover, listen a while after they were started, and end when chance has it. */
import type { ContainerSink, ContainersPort, LaunchRequest, StopRequest } from '../../src/control/ports.ts';
import { type Launched, type LaunchedContainer, LaunchFault } from '../../src/core/containers/launch.ts';
import type { Chance } from '../kit/chance.ts';
import type { ProcessClock, SimulatedTime } from './time.ts';
import type { Upstreams } from './upstreams.ts';

interface Container {
  readonly id: string;
  readonly versionId: string;
  readonly slot: string;
  /** Another one after each start. */
  server: { readonly host: string; readonly port: number };
  running: boolean;
}

export interface EngineParts {
  readonly time: SimulatedTime;
  readonly chance: Chance;
  readonly upstreams: Upstreams;
  /** An address that nobody has had. */
  readonly newAddress: () => { readonly host: string; readonly port: number };
  /** A version whose containers are stopped. */
  readonly onStop: (versionId: string) => void;
}

const LAUNCH_FAILS = 0.15;

export class SimulatedEngine {
  /** How likely a launch fails. */
  failing = LAUNCH_FAILS;
  readonly #parts: EngineParts;
  #containers: readonly Container[] = [];
  #sink: ContainerSink | null = null;
  #told = new Map<string, { readonly servers: readonly string[]; readonly atMs: number }>();
  #made = 0;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** The ids of the versions with so many containers that run. */
  running(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { versionId, running } of this.#containers) {
      if (running) counts.set(versionId, (counts.get(versionId) ?? 0) + 1);
    }
    return counts;
  }

  /** By version id: where the process that runs was told last that its containers run, as `host:port`, and when. */
  get told(): ReadonlyMap<string, { readonly servers: readonly string[]; readonly atMs: number }> {
    return this.#told;
  }

  /** As one process sees it: what it asks for takes a while, one thing after the other, and ends with it. */
  portOf(clock: ProcessClock): ContainersPort {
    const later = () => new Promise<void>((resolve) => clock.after(this.#parts.chance.below(400), resolve));
    let turn: Promise<unknown> = Promise.resolve();
    this.#told = new Map();
    const inTurn = <T>(work: () => T): Promise<T> => {
      const done = turn.then(later).then(work);
      turn = done.catch(() => {});
      return done;
    };
    return {
      launch: (request) => inTurn(() => this.#launch(request)),
      stop: (request) => inTurn(() => this.#stop(request)),
      removeImages: async () => {},
      watch: (sink) => {
        this.#sink = sink;
      },
      close: async () => {},
    };
  }

  /** One of them ends, whatever it is doing; its name, or null where none runs. */
  endOne(): string | null {
    const running = this.#containers.filter((one) => one.running);
    if (running.length === 0) return null;
    const container = this.#parts.chance.pick(running);
    this.#end(container);
    this.#sink?.notice({
      versionId: container.versionId,
      containerId: container.id,
      slot: container.slot,
      condition: 'down',
      cause: `container "${container.id}" exited with code 1`,
      restarts: false,
      done: false,
      output: [],
    });
    return container.id;
  }

  #launch({ id, containers, signal }: LaunchRequest): Launched {
    if (signal.aborted) throw new LaunchFault('It is wanted no more');
    const slots = containers.flatMap(({ replicas }) =>
      Array.from({ length: replicas }, (_, index) => `0.${index + 1}`),
    );
    const before = this.#containers;
    const made = slots.map((slot) => this.#find(id, slot) ?? this.#create(id, slot));
    if (this.#parts.chance.hits(this.failing)) {
      for (const container of this.#containers) if (!before.includes(container)) this.#end(container);
      this.#containers = before;
      throw new LaunchFault('The image can not be pulled');
    }
    const stopped = made.filter(({ running }) => !running);
    for (const container of stopped) this.#start(container);
    this.#told.set(id, { servers: made.map(keyOf), atMs: this.#parts.time.nowMs });
    return { containers: made.map(told), started: stopped.map((container) => container.id) };
  }

  #stop({ id }: StopRequest): readonly string[] {
    this.#parts.onStop(id);
    this.#told.delete(id);
    for (const container of this.#containers) if (container.versionId === id) this.#end(container);
    this.#containers = this.#containers.filter(({ versionId }) => versionId !== id);
    return [];
  }

  #find(versionId: string, slot: string): Container | undefined {
    return this.#containers.find((one) => one.versionId === versionId && one.slot === slot);
  }

  #create(versionId: string, slot: string): Container {
    this.#made += 1;
    const container = { id: `c${this.#made}`, versionId, slot, server: { host: '', port: 0 }, running: false };
    this.#containers = [...this.#containers, container];
    return container;
  }

  #start(container: Container): void {
    const { time, chance, upstreams, newAddress } = this.#parts;
    container.server = newAddress();
    container.running = true;
    const key = keyOf(container);
    upstreams.addWarming(key);
    time.add({
      atMs: time.nowMs + chance.below(1500),
      periodMs: null,
      callback: () => upstreams.listens(key, time.nowMs),
    });
  }

  #end(container: Container): void {
    container.running = false;
    this.#parts.upstreams.end(keyOf(container));
  }
}

function keyOf({ server: { host, port } }: Container): string {
  return `${host}:${port}`;
}

function told({ id, slot, server }: Container): LaunchedContainer {
  const image = { reference: 'app:1', imageId: 'sha256:1', digest: null, pulled: true };
  return { slot, containerId: id, name: id, engine: null, image, server };
}
