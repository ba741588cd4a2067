/** Listens to one engine: what happens to our containers, whether it is away, and when it is back. */
import type Docker from 'dockerode';
import type { ContainerNotice } from '../control/ports.ts';
import { LABELS } from '../core/containers/plan.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { type Engine, faultText, statusOf, within } from './engine.ts';
import { lastLines } from './output.ts';

export interface EventsParts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  /** True for a container that Cutover itself is stopping. */
  readonly isStopping: (containerId: string) => boolean;
  readonly onNotice: (notice: ContainerNotice) => void;
  readonly onBack: () => void;
}

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 5_000;

interface EngineEvent {
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
}

export class Events {
  readonly #parts: EventsParts;
  #stream: { destroy(): void } | null = null;
  #stopTimer: () => void = () => {};
  #away = false;
  #closed = false;

  constructor(parts: EventsParts) {
    this.#parts = parts;
  }

  /** Begins to listen; once and for all. Resolves when it does, or when the engine turns out to be away. */
  async begin(): Promise<void> {
    await this.#listen(RETRY_FIRST_MS);
  }

  close(): void {
    this.#closed = true;
    this.#stopTimer();
    this.#stream?.destroy();
  }

  async #listen(retryMs: number): Promise<void> {
    if (this.#closed) return;
    const { engine, log, onBack } = this.#parts;
    try {
      const docker = await engine.reach();
      const filters = { type: ['container'], label: [LABELS.id], event: ['start', 'die', 'oom', 'health_status'] };
      const stream = (await docker.getEvents({ filters: JSON.stringify(filters) })) as NodeJS.ReadableStream & {
        destroy(): void;
      };
      if (this.#closed) {
        stream.destroy();
        return;
      }
      this.#stream = stream;
      this.#read(stream);
      if (!this.#away) return;
      this.#away = false;
      log.write('NOTICE', 'docker', `The Docker engine at ${engine.name} answers again`);
      onBack();
    } catch (error) {
      this.#lost(faultText(error), retryMs);
    }
  }

  #read(stream: NodeJS.ReadableStream): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') this.#happened(JSON.parse(line) as EngineEvent);
    });
    let over = false;
    const ended = (cause: string): void => {
      if (over || this.#closed) return;
      over = true;
      this.#stream = null;
      this.#lost(cause, RETRY_FIRST_MS);
    };
    stream.on('error', (error) => ended(faultText(error)));
    stream.on('end', () => ended('it has ended the connection'));
    stream.on('close', () => ended('it has ended the connection'));
  }

  #lost(cause: string, retryMs: number): void {
    if (this.#closed) return;
    const { engine, clock, log } = this.#parts;
    if (!this.#away) {
      const text = `The Docker engine at ${engine.name} is away (${cause}): what serves goes on as it is known`;
      log.write('WARNING', 'docker', text);
    }
    this.#away = true;
    this.#stopTimer = clock.after(retryMs, () => void this.#listen(Math.min(2 * retryMs, RETRY_MAX_MS)));
  }

  #happened({ Action: action = '', Actor: actor }: EngineEvent): void {
    const id = actor?.ID ?? '';
    const attributes = actor?.Attributes ?? {};
    if (this.#parts.isStopping(id)) return;
    const name = attributes.name ?? id.slice(0, 12);
    const about = { versionId: attributes[LABELS.id] ?? '', containerId: id, slot: attributes[LABELS.slot] ?? null };
    if (action === 'die') void this.#died(about, name);
    else if (action === 'oom') this.#parts.log.write('WARNING', 'docker', `Container "${name}" is out of memory`);
    else if (action === 'start') void this.#started(about, name);
    else if (action.includes('unhealthy')) this.#parts.onNotice(healthNotice(about, name, 'unhealthy'));
    else if (action.includes('healthy')) this.#parts.onNotice(healthNotice(about, name, 'healthy'));
  }

  async #started(about: About, name: string): Promise<void> {
    const { State } = (await this.#inspect(about.containerId)) ?? {};
    if (State?.Health?.Status !== 'starting') {
      this.#parts.onNotice({ ...about, ...WELL, condition: 'running', cause: '' });
      return;
    }
    await this.#warms(about, name);
  }

  /** Tells what its health check says of a container that was found running. */
  async tellHealth({ Id: containerId, Name, Config: { Labels: labels }, State }: Docker.ContainerInspectInfo) {
    const versionId = labels[LABELS.id];
    if (versionId === undefined) return;
    const about = { versionId, containerId, slot: labels[LABELS.slot] ?? null };
    const name = Name.replace(/^\//, '');
    if (State.Health?.Status === 'unhealthy') this.#parts.onNotice(healthNotice(about, name, 'unhealthy'));
    if (State.Health?.Status === 'starting') await this.#warms(about, name);
  }

  /** The event that says otherwise may have come a moment too early, so it is looked at once more. */
  async #warms(about: About, name: string): Promise<void> {
    const cause = 'its health check has not passed yet';
    this.#parts.onNotice({ ...about, ...WELL, condition: 'warming', cause });
    const health = (await this.#inspect(about.containerId))?.State.Health?.Status;
    if (health === 'healthy' || health === 'unhealthy') this.#parts.onNotice(healthNotice(about, name, health));
  }

  async #inspect(containerId: string): Promise<Docker.ContainerInspectInfo | null> {
    try {
      const docker = await this.#parts.engine.client();
      return await docker.getContainer(containerId).inspect(within(5_000));
    } catch {
      // It is gone, or its engine is: other events tell that.
      return null;
    }
  }

  /** An engine that is stopping ends its containers and answers nobody any more: that speaks against none of them. */
  async #died(about: About, name: string): Promise<void> {
    const notice = { ...about, ...WELL, condition: 'down' as const };
    try {
      const docker = await this.#parts.engine.client();
      const container = docker.getContainer(about.containerId);
      const { State, HostConfig } = await container.inspect(within(5_000));
      const output = await lastLines(container);
      const policy = HostConfig.RestartPolicy?.Name ?? '';
      this.#parts.onNotice({
        ...notice,
        cause: exitText(name, State),
        restarts: State.Restarting || State.Running || policy === 'always' || policy === 'unless-stopped',
        done: State.ExitCode === 0 && !State.OOMKilled,
        output,
      });
    } catch (error) {
      if (statusOf(error) === 404) this.#parts.onNotice({ ...notice, cause: `container "${name}" was removed` });
    }
  }
}

type About = Pick<ContainerNotice, 'versionId' | 'containerId' | 'slot'>;

const WELL = { restarts: false, done: false, output: [] };

function healthNotice(about: About, name: string, condition: 'healthy' | 'unhealthy'): ContainerNotice {
  return { ...about, ...WELL, condition, cause: condition === 'healthy' ? '' : `container "${name}" is unhealthy` };
}

/** How a container ended, for people. */
export function exitText(name: string, state: { readonly ExitCode: number; readonly OOMKilled: boolean }): string {
  return state.OOMKilled
    ? `container "${name}" was killed: it was out of memory`
    : `container "${name}" exited with code ${state.ExitCode}`;
}
