/**
 * The containers of versions: has them started and stopped, tries again what an engine that is away could not do, and tells
 * the health of servers what their engine says of them, before a request finds out.
 */
import { hostPort } from '../core/config/address.ts';
import type { ServerAddress } from '../core/config/model.ts';
import { prunable } from '../core/containers/images.ts';
import { type Launched, LaunchFault } from '../core/containers/launch.ts';
import { usedBy } from '../core/containers/plan.ts';
import { type Progress, progressText } from '../core/containers/progress.ts';
import type { LaunchEffect, StopEffect } from '../core/release/effects.ts';
import type { ReleaseEvent } from '../core/release/events.ts';
import { launchEffect } from '../core/release/handlers-health.ts';
import {
  isArriving,
  isLaunched,
  isLive,
  type ReleaseState,
  runsInContainers,
  serves,
  type VersionState,
} from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { ContainerFaults, isAt } from './container-faults.ts';
import type { Late } from './gates.ts';
import { OwnStarts } from './own-starts.ts';
import type { ContainerNotice, ContainerSink, ContainersPort, LaunchRequest, StopRequest } from './ports.ts';
import type { ServerFacts } from './probes.ts';
import { ProgressBoard } from './progress-board.ts';
import { type ShowLive, StartView } from './start-view.ts';
import { Tries } from './tries.ts';

export interface ContainersParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly port: ContainersPort;
  readonly state: () => ReleaseState;
  readonly take: (event: ReleaseEvent) => void;
  /** Lines that stand below the log while nothing serves, in place of those before, where somebody watches it; null: nobody does. */
  readonly live: ShowLive | null;
  /** A server is to be looked at now. */
  readonly onSuspect: (versionId: string, server: string) => void;
}

/** How long to wait before an engine is asked again; it doubles. */
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 30_000;

export class Containers implements ContainerSink, ServerFacts {
  readonly board = new ProgressBoard();
  readonly #parts: ContainersParts;
  /** By version id: launches under way or waiting to be tried again. */
  readonly #runs = new Map<string, Run>();
  /** Versions from the configuration file or the state: nobody waits for an answer, and nobody would put them again. */
  readonly #unattended = new Set<string>();
  /** Versions on trial that have lost a container: should they be trusted all the same, it is started again. */
  readonly #owed = new Set<string>();
  /** By version id: what came of its last try, until it serves. */
  readonly #tries = new Tries();
  readonly #faults = new ContainerFaults();
  readonly #starts = new OwnStarts();
  readonly #view: StartView;
  /** Nothing served when something was told last. */
  #isAwaited = false;
  readonly #timers = new Set<() => void>();
  #waiting: (() => void)[] | null = [];
  #closed = false;

  constructor(parts: ContainersParts) {
    this.#parts = parts;
    this.#view = new StartView(parts.live);
    parts.port.watch(this);
  }

  /** Both ports are open: from now on engines are asked. */
  begin(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const start of waiting) start();
  }

  launch(effect: LaunchEffect): void {
    if (this.#waiting !== null) this.keepTrying(effect.id);
    this.#tries.forget(effect.id);
    this.#whenBegun(() => this.#launch(effect));
  }

  /** This version is all that there will be when nothing serves: it is tried again, however it fails. */
  keepTrying(id: string): void {
    this.#unattended.add(id);
  }

  /** The servers of a version are not ready in time. Of a health check that is undecided its engine will tell more. */
  late(id: string, reason: string): Late {
    const version = this.#find(id);
    if (version === undefined) return 'give-up';
    if (!this.#mayWait(version)) return this.#faults.isWarming(version.launch) ? 'wait' : 'give-up';
    const text = `Version ${version.spec.version} is not ready yet, and is waited for, since nothing else serves: ${reason}`;
    if (this.#tries.isNews(id, reason)) this.#log('WARNING', text, version);
    return 'serve';
  }

  stop(effect: StopEffect): void {
    this.#whenBegun(() => {
      this.#cancel(effect.id);
      void this.#stop(effect, RETRY_FIRST_MS);
    });
  }

  /** Launches of versions that are gone are wanted no more. */
  keepOnly(state: ReleaseState): void {
    const { versions } = state;
    for (const id of this.#runs.keys()) {
      if (!versions.some((version) => version.id === id && isLive(version))) this.#cancel(id);
    }
    const arriving = new Set(versions.filter(isArriving).map(({ id }) => id));
    for (const id of this.#unattended) if (!arriving.has(id)) this.#unattended.delete(id);
    this.#tries.keepOnly((id) => arriving.has(id) || this.#runs.has(id));
    this.board.keepOnly(arriving);
    this.#showView();
    this.#sayReady(state);
    for (const id of this.#owed) {
      const version = this.#find(id);
      if (version?.trial != null) continue;
      this.#owed.delete(id);
      if (version !== undefined && serves(version)) this.#startAgain(version, RETRY_FIRST_MS);
    }
  }

  /** What an engine says against a server, for people; null: nothing. */
  faultOf(server: ServerAddress): string | null {
    return this.#faults.of(server, this.#parts.state().versions);
  }

  isInContainer(server: ServerAddress): boolean {
    return this.#parts
      .state()
      .versions.some(({ launch }) => launch?.containers.some((one) => isAt(one, server)) === true);
  }

  notice(notice: ContainerNotice): void {
    const version = this.#find(notice.versionId);
    if (this.#closed || version === undefined || !isLive(version)) return;
    const { condition } = notice;
    this.#faults.note(notice);
    if (condition === 'down') this.#down(version, notice);
    if (condition === 'unhealthy' || condition === 'down') this.#suspect(version, notice);
    if (condition !== 'running' && condition !== 'warming') return;
    const isOwn = this.#starts.isOwn(notice.containerId, this.#runs.has(version.id));
    // Started again by its engine, it may be found elsewhere.
    if (!isOwn && isLaunched(version)) this.#launch(launchEffect(version));
  }

  engineIsBack(): void {
    this.#starts.forget();
    for (const version of this.#parts.state().versions) {
      if (isLive(version) && runsInContainers(version)) this.launch(launchEffect(version));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#view.close();
    for (const id of this.#runs.keys()) this.#cancel(id);
    for (const stop of this.#timers) stop();
    await this.#parts.port.close();
  }

  #whenBegun(start: () => void): void {
    if (this.#waiting === null) start();
    else this.#waiting.push(start);
  }

  #launch(effect: LaunchEffect): void {
    const { id } = effect;
    this.#cancel(id);
    const run = new Run();
    this.#runs.set(id, run);
    const progress = (told: Progress): void => this.#told(effect, told);
    const isWanted: LaunchRequest['isWanted'] = ({ versionId, name }, engine) =>
      this.#find(versionId) !== undefined ||
      this.#living().some((version) => usedBy(version.spec.containers, name, engine));
    const before = effect.before?.containers ?? [];
    const request = { ...effect, before, isWanted, progress, signal: run.signal };
    this.#parts.port.launch(request).then(
      (launched) => this.#launched(id, run, launched),
      (error: unknown) => this.#launchFailed(effect, run, error),
    );
  }

  #launched(id: string, run: Run, launched: Launched): void {
    if (this.#runs.get(id) !== run) return;
    this.#runs.delete(id);
    this.#view.over(id);
    this.#faults.foundRunning(launched.containers);
    this.#starts.launched(launched.started);
    this.#parts.take({ kind: 'launched', id, atMs: this.#nowMs(), ...launched });
  }

  #launchFailed(effect: LaunchEffect, run: Run, error: unknown): void {
    const { id } = effect;
    if (this.#runs.get(id) !== run) return;
    this.#view.over(id);
    this.#showView();
    this.#starts.forget();
    const reason = error instanceof Error ? error.message : String(error);
    const output = error instanceof LaunchFault ? error.output : [];
    const version = this.#find(id);
    if (version === undefined || (isArriving(version) && !this.#mayWait(version))) {
      this.#runs.delete(id);
      this.#parts.take({ kind: 'launch-failed', id, atMs: this.#nowMs(), reason, output });
      return;
    }
    // It serves, as far as anybody knows, or is all that there is: its containers are looked for again.
    const failed = isArriving(version) ? 'be started yet' : 'be made sure of';
    const text = `The containers of version ${version.spec.version} could not ${failed}, and are tried again: ${reason}`;
    if (this.#tries.isNews(id, reason)) {
      this.#tellOutput(version, output);
      this.#log('WARNING', text, version);
    }
    run.wait(this.#after(this.#tries.takeDelayMs(id), () => this.#launch(effect)));
  }

  /** What is trusted, or came from the file, is all that there is while nothing serves; whoever puts a version is told at once instead. */
  #mayWait({ id, trusted }: VersionState): boolean {
    return (trusted || this.#unattended.has(id)) && !this.#parts.state().versions.some(serves);
  }

  async #stop(effect: StopEffect, retryMs: number): Promise<void> {
    const { id, containers, launch } = effect;
    // It may have been started again before an engine that was away could be asked.
    const version = this.#find(id);
    if (version !== undefined && isLive(version)) return;
    const isUsed: StopRequest['isUsed'] = (name, engine) =>
      this.#living().some((version) => version.id !== id && usedBy(version.spec.containers, name, engine));
    try {
      const output = await this.#parts.port.stop({ id, containers, launched: launch?.containers ?? [], isUsed });
      this.#faults.forget(launch);
      if (this.#closed) return;
      if (output.length > 0) this.#parts.take({ kind: 'output', id, atMs: this.#nowMs(), output });
      await this.#parts.port.removeImages(prunable(this.#parts.state().versions));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const text = `Stopping the containers of version ${id} failed, and is tried again: ${reason}`;
      if (retryMs === RETRY_FIRST_MS) this.#parts.log.write('WARNING', 'containers', text);
      this.#after(retryMs, () => void this.#stop(effect, Math.min(2 * retryMs, RETRY_MAX_MS)));
    }
  }

  #down(version: VersionState, { cause, restarts, done, output, slot }: ContainerNotice): void {
    this.#tellOutput(version, output);
    this.#log('WARNING', `Version ${version.spec.version}: ${cause}`, version);
    if (restarts) return;
    if (version.phase === 'starting') {
      // A helper that has done its work, a migration say, is no failure.
      const place = version.spec.containers[Number.parseInt(slot ?? '', 10)];
      if (done && place?.portToProxy === null) return;
      const mayWait = this.#mayWait(version);
      if (!mayWait) {
        this.#parts.take({ kind: 'container-down', id: version.id, atMs: this.#nowMs(), reason: cause, output });
      }
      // Also for one that turns out to have been overtaken meanwhile.
      this.#startAgain(version, mayWait ? this.#tries.takeDelayMs(version.id) : RETRY_FIRST_MS);
      return;
    }
    // On trial it is evidence. A trusted version has earned another start.
    if (version.trial !== null) this.#owed.add(version.id);
    else this.#startAgain(version, RETRY_FIRST_MS);
  }

  #startAgain({ id }: VersionState, delayMs: number): void {
    this.#after(delayMs, () => {
      const now = this.#find(id);
      if (now === undefined || !isLive(now)) return;
      // One that is under way has found it running before it ended.
      if (this.#runs.has(id)) this.#startAgain(now, RETRY_FIRST_MS);
      else this.#launch(launchEffect(now));
    });
  }

  #tellOutput(version: VersionState, output: readonly string[]): void {
    for (const line of output) this.#log('WARNING', `Last output of version ${version.spec.version}: ${line}`, version);
  }

  #suspect(version: VersionState, { condition, containerId, cause }: ContainerNotice): void {
    if (condition === 'unhealthy') this.#log('WARNING', `Version ${version.spec.version}: ${cause}`, version);
    const server = version.launch?.containers.find((one) => one.containerId === containerId)?.server;
    if (server != null) this.#parts.onSuspect(version.id, hostPort(server.host, server.port));
  }

  #told(effect: LaunchEffect, progress: Progress): void {
    this.board.tell(effect.id, progress);
    this.#view.told(effect.id, progress);
    this.#showView();
    if (progress.kind === 'layer') return;
    // While nothing serves, whoever has started Cutover waits for this.
    if (!this.#parts.state().versions.some(serves)) {
      this.#isAwaited = true;
      this.#parts.log.always('NOTICE', 'containers', progressText(progress));
      return;
    }
    const facts = { service: effect.service, versionId: effect.id, version: effect.version };
    this.#parts.log.write('INFO', 'containers', progressText(progress), facts);
  }

  #sayReady({ versions }: ReleaseState): void {
    const version = versions.find(serves);
    if (!this.#isAwaited || version === undefined) return;
    this.#isAwaited = false;
    this.#parts.log.always('NOTICE', 'containers', `Version ${version.spec.version} is ready, and serves`);
  }

  #showView(): void {
    this.#view.show(this.#parts.state(), (id) => this.#runs.has(id));
  }

  #living(): readonly VersionState[] {
    return this.#parts.state().versions.filter(isLive);
  }

  #find(id: string): VersionState | undefined {
    return this.#parts.state().versions.find((version) => version.id === id);
  }

  #cancel(id: string): void {
    this.#runs.get(id)?.cancel();
    this.#runs.delete(id);
    this.#view.over(id);
  }

  #after(delayMs: number, callback: () => void): () => void {
    if (this.#closed) return () => {};
    const stop = this.#parts.clock.after(delayMs, () => {
      this.#timers.delete(stop);
      callback();
    });
    this.#timers.add(stop);
    return () => {
      stop();
      this.#timers.delete(stop);
    };
  }

  #nowMs(): number {
    return this.#parts.clock.wallMs();
  }

  #log(level: 'WARNING', text: string, { service, id, spec }: VersionState): void {
    this.#parts.log.write(level, 'containers', text, { service, versionId: id, version: spec.version });
  }
}

/** One launch, which can be called off. */
class Run {
  readonly #abort = new AbortController();
  #stopWaiting: () => void = () => {};

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  wait(stop: () => void): void {
    this.#stopWaiting = stop;
  }

  cancel(): void {
    this.#stopWaiting();
    this.#abort.abort();
  }
}
