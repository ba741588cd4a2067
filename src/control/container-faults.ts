/** What engines say against containers, for as long as it holds. */
import type { ServerAddress } from '../core/config/model.ts';
import type { LaunchedContainer } from '../core/containers/launch.ts';
import type { Launch, VersionState } from '../core/release/state.ts';
import type { ContainerNotice } from './ports.ts';

type Fault = Pick<ContainerNotice, 'condition' | 'cause'>;

export class ContainerFaults {
  /** By the engine's id of the container. */
  readonly #faults = new Map<string, Fault>();

  note({ containerId, condition, cause }: ContainerNotice): void {
    if (condition === 'running' || condition === 'healthy') this.#faults.delete(containerId);
    else this.#faults.set(containerId, { condition, cause });
  }

  /** They run, whether the engine's event has come or not. */
  foundRunning(containers: readonly LaunchedContainer[]): void {
    for (const { containerId } of containers) {
      if (this.#faults.get(containerId)?.condition === 'down') this.#faults.delete(containerId);
    }
  }

  forget(launch: Launch | null): void {
    for (const { containerId } of launch?.containers ?? []) this.#faults.delete(containerId);
  }

  /** A health check is undecided. */
  isWarming(launch: Launch | null): boolean {
    return (
      launch?.containers.some(({ containerId }) => this.#faults.get(containerId)?.condition === 'warming') === true
    );
  }

  /** What speaks against a server, for people; null: nothing. */
  of(server: ServerAddress, versions: readonly VersionState[]): string | null {
    if (this.#faults.size === 0) return null;
    for (const { launch } of versions) {
      const container = launch?.containers.find((one) => isAt(one, server));
      const fault = container === undefined ? undefined : this.#faults.get(container.containerId);
      if (fault !== undefined) return fault.cause;
    }
    return null;
  }
}

export function isAt({ server }: LaunchedContainer, { host, port }: ServerAddress): boolean {
  return server !== null && server.host === host && server.port === port;
}
