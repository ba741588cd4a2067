/**
 * A Docker engine: containers that outlive Cutover, listen a while after they were started, and end when chance has it. Some are
 * found where they were when they are started again, others elsewhere; some it starts again by itself. At times it is away: it does
 * not answer and its news are lost, and its containers go on.
 */
import type {
  ContainerNotice,
  ContainerSink,
  ContainersPort,
  LaunchRequest,
  StopRequest,
} from '../../src/control/ports.ts';
import { hostPort } from '../../src/core/config/address.ts';
import { EngineAway, type Launched, type LaunchedContainer, LaunchFault } from '../../src/core/containers/launch.ts';
import type { Chance } from '../kit/chance.ts';
import type { ProcessClock, SimulatedTime } from './time.ts';
import type { Upstreams } from './upstreams.ts';

interface Container {
  readonly id: string;
  readonly versionId: string;
  readonly slot: string;
  /** Null before the first start. */
  server: { readonly host: string; readonly port: number } | null;
  /** The same after each start, as with a published port that was asked for. */
  readonly stays: boolean;
  /** Its engine starts it again when it ends. */
  readonly restarts: boolean;
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
  #isAway = false;
  #told = new Map<string, { readonly servers: readonly string[]; readonly atMs: number }>();
  #made = 0;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** By version id: where its containers run, as `host:port`. */
  running(): ReadonlyMap<string, readonly string[]> {
    const servers = new Map<string, string[]>();
    for (const container of this.#containers.filter(({ running }) => running)) {
      servers.set(container.versionId, [...(servers.get(container.versionId) ?? []), keyOf(container)]);
    }
    return servers;
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
      close: async () => this.unwatched(),
    };
  }

  /** The process that watched has ended. */
  unwatched(): void {
    this.#sink = null;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** What it has told holds no more: nobody hears what comes of its containers. */
  goAway(): void {
    this.#isAway = true;
    this.#told = new Map();
  }

  comeBack(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#sink?.engineIsBack();
  }

  /** One of them ends, whatever it is doing; its name, or null where none runs. */
  endOne(): string | null {
    const running = this.#containers.filter((one) => one.running);
    if (running.length === 0) return null;
    const container = this.#parts.chance.pick(running);
    const { id, restarts } = container;
    this.#end(container);
    this.#tell(container, 'down', `container "${id}" exited with code 1`);
    if (restarts) this.#after(this.#parts.chance.below(1500), () => this.#restart(container));
    return id;
  }

  #launch({ id, containers, signal }: LaunchRequest): Launched {
    if (signal.aborted) throw new LaunchFault('It is wanted no more');
    this.#mustAnswer();
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

  #mustAnswer(): void {
    if (this.#isAway) throw new EngineAway('The engine does not answer');
  }

  #stop({ id }: StopRequest): readonly string[] {
    this.#mustAnswer();
    this.#parts.onStop(id);
    for (const container of this.#containers) if (container.versionId === id) this.#end(container);
    this.#containers = this.#containers.filter(({ versionId }) => versionId !== id);
    return [];
  }

  #find(versionId: string, slot: string): Container | undefined {
    return this.#containers.find((one) => one.versionId === versionId && one.slot === slot);
  }

  #create(versionId: string, slot: string): Container {
    this.#made += 1;
    const { chance } = this.#parts;
    const [stays, restarts] = [chance.hits(0.4), chance.hits(0.3)];
    const container: Container = {
      id: `c${this.#made}`,
      versionId,
      slot,
      server: null,
      stays,
      restarts,
      running: false,
    };
    this.#containers = [...this.#containers, container];
    return container;
  }

  #start(container: Container): void {
    const { time, chance, upstreams, newAddress } = this.#parts;
    const before = container.stays ? container.server : null;
    container.server = before ?? newAddress();
    container.running = true;
    const key = keyOf(container);
    upstreams.addWarming(key);
    this.#after(chance.below(1500), () => upstreams.listens(key, time.nowMs));
    this.#after(chance.below(100), () => this.#tell(container, 'running', ''));
  }

  /** Unless somebody else has started it meanwhile, or wants it no more. */
  #restart(container: Container): void {
    if (!container.running && this.#containers.includes(container)) this.#start(container);
  }

  #tell({ versionId, id, slot, restarts }: Container, condition: ContainerNotice['condition'], cause: string): void {
    if (this.#isAway) return;
    this.#sink?.notice({ versionId, containerId: id, slot, condition, cause, restarts, done: false, output: [] });
  }

  #after(delayMs: number, callback: () => void): void {
    const { time } = this.#parts;
    time.add({ atMs: time.nowMs + delayMs, periodMs: null, callback });
  }

  #end(container: Container): void {
    container.running = false;
    this.#parts.upstreams.end(keyOf(container));
  }
}

function keyOf({ server }: Container): string {
  return server === null ? '' : hostPort(server.host, server.port);
}

function told({ id, slot, server }: Container): LaunchedContainer {
  const image = { reference: 'app:1', imageId: 'sha256:1', digest: null, pulled: true };
  return { slot, containerId: id, name: id, engine: null, image, server };
}
