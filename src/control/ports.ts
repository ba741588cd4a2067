/** What the control plane needs of others. Adapters and the data plane implement these. */
import type { ClusterSpec, ContainerSpec, EngineAddress } from '../core/config/model.ts';
import type { Launched, LaunchedContainer } from '../core/containers/launch.ts';
import type { LaunchOrder } from '../core/containers/plan.ts';
import type { Progress } from '../core/containers/progress.ts';
import type { Answers, Difference, Finding, Outcome, VersionFigures } from '../core/messages.ts';
import type { CommandResult } from '../core/release/command.ts';
import type { Rise } from '../core/release/rise.ts';
import type { ReleaseState } from '../core/release/state.ts';
import type { RoutingTable } from '../core/routing/table.ts';

/** The data plane seen from above. */
export interface DataPlanePort {
  /** Puts a table in force. Resolves when every request that comes from now on is routed by it. Never rejects. */
  publish(table: RoutingTable): Promise<void>;
  /** The figures of one version, or undefined when no table ever named it. */
  figures(versionId: string): Readonly<VersionFigures> | undefined;
  /**
   * How far a threshold may rise before the next table says so; null: no further. Resolves when that is so everywhere. Never
   * rejects.
   */
  allowRise(rise: Rise | null): Promise<void>;
}

/** The control plane seen from below. Called synchronously at the end of each attempt; must not throw. */
export interface OutcomeSink {
  outcome(outcome: Outcome): void;
  /** Answers that were given a while ago. */
  answers(answers: Answers): void;
  /** What an exchange proved about a version that failed in it; called when the exchange is decided. Must not throw. */
  finding(finding: Finding): void;
}

/** The same for answers that were compared and are not alike. Must not throw. */
export interface DifferenceSink {
  difference(difference: Difference): void;
}

/** The control plane seen by what watches registries: it reads, and asks for a version as a person does. */
export interface ReleaseWatchPort {
  state(): ReleaseState;
  /** It has found these images for a version, which are too young. */
  seen(versionId: string, digests: readonly string[]): void;
  /** Never rejects. */
  submit(spec: ClusterSpec): Promise<CommandResult>;
}

/** Where the release state is kept. */
export interface StorePort {
  /** With `nothing` there is no state to come back to after a crash, so that nothing need be durable before it is used. */
  readonly keeps: 'everything' | 'nothing';
  /**
   * Resolves when the state, or one that was given later, is durable; a command is answered and its effects run only then.
   * Rejects with the reason, one line, when it can't be kept: then the state before is what stays kept.
   */
  save(state: ReleaseState): Promise<void>;
  /** Counters have changed: within a second `current` is asked for the state and made durable; no one waits for it. Must not throw. */
  note(current: () => ReleaseState): void;
}

/** Where containers run: one Docker engine or several. */
export interface ContainersPort {
  /**
   * Makes the containers of a version run, in their order: what runs already is found by its labels, the others are
   * started or created. Idempotent. When it can't, what it started is removed again, and it rejects with a `LaunchFault`.
   */
  launch(request: LaunchRequest): Promise<Launched>;
  /**
   * Stops and removes the containers of a version, the last first, but for those that are used. Resolves with the last lines
   * that they wrote, once they are gone; rejects with one line when an engine can't be reached. Idempotent.
   */
  stop(request: StopRequest): Promise<readonly string[]>;
  /** Removes the images of these containers where nothing runs from them. Never rejects. */
  removeImages(containers: readonly LaunchedContainer[]): Promise<void>;
  /** Tells from now on how the containers of versions fare, on every engine that was ever asked. */
  watch(sink: ContainerSink): void;
  /** Ends what is under way; containers go on. */
  close(): Promise<void>;
}

export interface LaunchRequest extends LaunchOrder {
  /** True when the state knows the version with this id, or one that lives has or uses a container of this name. */
  readonly isWanted: (
    container: { readonly versionId: string; readonly name: string },
    engine: EngineAddress | null,
  ) => boolean;
  /** What the version ran in before; the same images are taken again. */
  readonly before: readonly LaunchedContainer[];
  readonly progress: (progress: Progress) => void;
  /** It is wanted no more. */
  readonly signal: AbortSignal;
}

export interface StopRequest {
  /** The version's id. */
  readonly id: string;
  readonly containers: readonly ContainerSpec[];
  /** What it ran in or used. */
  readonly launched: readonly LaunchedContainer[];
  /** True when a version that lives has or uses a container of this name: asked right before it would be stopped. */
  readonly isUsed: (name: string, engine: EngineAddress | null) => boolean;
}

/** How one container fares. */
export interface ContainerNotice {
  readonly versionId: string;
  readonly containerId: string;
  /** Its place in the version, by its label. */
  readonly slot: string | null;
  /** `running`, `warming`: it was started, and with the second has a health check that has not passed yet. */
  readonly condition: 'running' | 'warming' | 'healthy' | 'unhealthy' | 'down';
  /** What happened, for people: `container "web" exited with code 1`. */
  readonly cause: string;
  /** With `down`: its engine starts it again by itself. */
  readonly restarts: boolean;
  /** With `down`: it ended as programs do that have done their work. */
  readonly done: boolean;
  /** With `down`: the last lines that it wrote. */
  readonly output: readonly string[];
}

/** Must not throw. */
export interface ContainerSink {
  notice(notice: ContainerNotice): void;
  /** An engine answers again after it had not: nobody knows what has become of its containers. */
  engineIsBack(): void;
}
