/** Starts the containers of a version on their engines, and takes it back when it can't be done. */
import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import type { LaunchRequest } from '../control/ports.ts';
import type { ContainerSpec, EngineAddress } from '../core/config/model.ts';
import { createBody } from '../core/containers/create-body.ts';
import { type Launched, type LaunchedContainer, LaunchFault, type RecordedImage } from '../core/containers/launch.ts';
import { engineKey, LABELS, labelsOf, type Plan, planLaunch, type Step } from '../core/containers/plan.ts';
import { publishFor, serverOf } from '../core/containers/servers.ts';
import { type Engine, faultText, within } from './engine.ts';
import { exitText } from './events.ts';
import { ensureImage } from './images.ts';
import { lastLines, tellFirstLines } from './output.ts';
import { joinNetwork, type OwnContainer, ownContainer } from './own-container.ts';

export interface LaunchParts {
  /** As `DockerParts.owner`. */
  readonly owner: string | null;
  readonly engineAt: (address: EngineAddress | null) => Engine;
  /** One launch or stop at a time looks at what is there and changes it. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly markStopping: (containerId: string) => void;
  /** A container runs; its health check, where it has one, may not have passed. */
  readonly onRunning: (engine: Engine, info: Docker.ContainerInspectInfo) => Promise<void>;
}

/** Pulls first, since that may take long and touches nothing that runs; then everything else without anybody between. */
export async function launch(parts: LaunchParts, request: LaunchRequest): Promise<Launched> {
  const surroundings = await lookAround(parts, request);
  const images = await pullAll(parts, request, planned(await plan(parts, request)));
  return parts.inTurn(async () => {
    const steps = planned(await plan(parts, request));
    const late = await pullAll(parts, request, steps, images);
    return new Launch(parts, request, { ...surroundings, images: late }).perform(steps);
  });
}

interface Around {
  /** By engine: our own container there, or null. */
  readonly own: ReadonlyMap<string, OwnContainer | null>;
}

/** By the engine and the place in `containers`. */
type Images = ReadonlyMap<number, RecordedImage>;

/** Every engine answers, or nothing is begun. */
async function lookAround({ engineAt }: LaunchParts, { containers }: LaunchRequest): Promise<Around> {
  const own = new Map<string, OwnContainer | null>();
  for (const { engine: address } of containers) {
    if (own.has(engineKey(address))) continue;
    const engine = engineAt(address);
    await engine.reach();
    own.set(engineKey(address), await ownContainer(engine));
  }
  return { own };
}

async function plan({ engineAt }: LaunchParts, request: LaunchRequest): Promise<Plan> {
  const found = new Map<string, Awaited<ReturnType<Engine['list']>>>();
  for (const { engine } of request.containers) {
    const key = engineKey(engine);
    if (!found.has(key)) found.set(key, await engineAt(engine).list());
  }
  return planLaunch(request, { found: (engine) => found.get(engineKey(engine)) ?? [], fingerprint });
}

function planned(made: Plan): readonly Step[] {
  if (!made.ok) throw new LaunchFault(made.reason);
  return made.steps;
}

async function pullAll(
  { engineAt }: LaunchParts,
  request: LaunchRequest,
  steps: readonly Step[],
  known: Images = new Map(),
): Promise<Images> {
  const images = new Map(known);
  for (const { kind, index, slot } of steps) {
    if (kind !== 'create' || index === null || images.has(index)) continue;
    const spec = request.containers[index] as ContainerSpec;
    const before = request.before.find((one) => one.slot === slot)?.image ?? null;
    const { progress, signal } = request;
    images.set(index, await ensureImage(engineAt(spec.engine), { spec, before, progress, signal }));
  }
  return images;
}

class Launch {
  readonly #parts: LaunchParts;
  readonly #request: LaunchRequest;
  readonly #around: Around & { readonly images: Images };
  /** What was created here, to be taken back. */
  readonly #created: Docker.Container[] = [];
  readonly #started: string[] = [];

  constructor(parts: LaunchParts, request: LaunchRequest, around: Around & { readonly images: Images }) {
    this.#parts = parts;
    this.#request = request;
    this.#around = around;
  }

  async perform(steps: readonly Step[]): Promise<Launched> {
    try {
      const containers: LaunchedContainer[] = [];
      for (const step of steps) {
        if (this.#request.signal.aborted) throw new Error('It is wanted no more');
        containers.push(await this.#take(step));
      }
      return { containers, started: this.#started };
    } catch (error) {
      const output = await this.#undo();
      if (error instanceof LaunchFault) throw new LaunchFault(error.message, [...error.output, ...output]);
      throw new LaunchFault(faultText(error), output);
    }
  }

  async #take(step: Step): Promise<LaunchedContainer> {
    const engine = this.#parts.engineAt(step.engine);
    const docker = await engine.client();
    const container = step.found === null ? await this.#create(step, engine) : docker.getContainer(step.found.id);
    if (step.found?.running !== true) await this.#start(container, step.name);
    else this.#request.progress({ kind: 'adopted', container: step.name });
    return this.#describe(step, engine, container);
  }

  async #create({ index, slot, name }: Step, engine: Engine): Promise<Docker.Container> {
    const spec = this.#specAt(index);
    const docker = await engine.client();
    const image = this.#around.images.get(index ?? -1);
    const own = this.#ownOn(engine);
    const body = createBody(
      { ...spec, network: spec.network ?? (own === null ? null : madeByPeople(own)) },
      {
        image: image === undefined || !this.#isPinned(image) ? spec.image : image.imageId,
        labels: {
          ...labelsOf(this.#request, slot ?? '', fingerprint(spec)),
          ...(this.#parts.owner === null ? {} : { [LABELS.owner]: this.#parts.owner }),
        },
        publish: publishFor(spec, { host: engine.host, inside: own !== null }),
      },
    );
    try {
      const options = { _query: { name }, _body: body, ...within() };
      const container = await docker.createContainer(options as unknown as Docker.ContainerCreateOptions);
      this.#created.push(container);
      this.#request.progress({ kind: 'created', container: name, image: spec.image });
      return container;
    } catch (error) {
      throw new LaunchFault(`Creating container "${name}" failed: ${faultText(error)}`);
    }
  }

  async #start(container: Docker.Container, name: string): Promise<void> {
    try {
      await container.start(within());
    } catch (error) {
      throw new LaunchFault(`Starting container "${name}" failed: ${faultText(error)}`, await lastLines(container));
    }
    this.#started.push(container.id);
    const { progress } = this.#request;
    progress({ kind: 'started', container: name });
    void tellFirstLines(container, (line) => progress({ kind: 'output', container: name, line }));
  }

  async #describe(step: Step, engine: Engine, container: Docker.Container): Promise<LaunchedContainer> {
    const { index, slot, name } = step;
    const info = await container.inspect(within());
    const spec = index === null ? null : this.#specAt(index);
    const own = this.#ownOn(engine);
    const recorded = index === null ? undefined : this.#around.images.get(index);
    const before = this.#request.before.find((one) => one.containerId === info.Id);
    const image: RecordedImage = before?.image ?? {
      reference: spec?.image ?? info.Config.Image,
      imageId: info.Image,
      digest: recorded?.imageId === info.Image ? recorded.digest : null,
      pulled: recorded?.imageId === info.Image && recorded.pulled,
    };
    const described = { slot, containerId: info.Id, name, engine: step.engine, image };
    if (spec === null || spec.portToProxy === null) return { ...described, server: null };
    if (!info.State.Running) {
      throw new LaunchFault(capital(exitText(name, info.State)), await lastLines(container));
    }
    await this.#parts.onRunning(engine, info);
    const [network = ''] = Object.keys(info.NetworkSettings.Networks);
    if (own !== null && spec.network !== 'host') await joinNetwork(engine, own, network);
    const view = { host: engine.host, inside: own !== null };
    const address = info.NetworkSettings.Networks[network]?.IPAddress || null;
    const server = serverOf(spec, view, { ports: portsOf(info.NetworkSettings.Ports), address });
    if (server === null) throw new LaunchFault(`Container "${name}" can't be reached: its port is not published`);
    return { ...described, server };
  }

  /** Removes what was created, the last first; gives the last lines that it wrote. */
  async #undo(): Promise<readonly string[]> {
    const output: string[] = [];
    for (const container of this.#created.toReversed()) {
      this.#parts.markStopping(container.id);
      output.unshift(...(await lastLines(container)));
      await container.remove({ force: true, ...within() }).catch(() => {});
    }
    return output;
  }

  /** True when the name may lead to another image than the one that is meant. */
  #isPinned(image: RecordedImage): boolean {
    return this.#request.before.some(({ image: before }) => before.imageId === image.imageId);
  }

  #specAt(index: number | null): ContainerSpec {
    return this.#request.containers[index ?? -1] as ContainerSpec;
  }

  #ownOn(engine: Engine): OwnContainer | null {
    return this.#around.own.get(engineKey(engine.address)) ?? null;
  }
}

/** The network in which containers that name none are put, so that they are reached by Cutover and by each other. */
function madeByPeople({ networks: [first] }: OwnContainer): string | null {
  return first === undefined || first === 'bridge' ? null : first;
}

/** The same for the same options, whatever version they belong to. */
function fingerprint(spec: ContainerSpec): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 32);
}

function portsOf(ports: Docker.PortMap | undefined) {
  return Object.fromEntries(
    Object.entries(ports ?? {}).map(([port, bindings]) => [
      port,
      ((bindings ?? []) as { HostIp?: string; HostPort?: string }[]).map(({ HostIp, HostPort }) => ({
        hostIp: HostIp ?? '',
        hostPort: Number(HostPort),
      })),
    ]),
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
