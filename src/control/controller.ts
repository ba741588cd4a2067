import type { ClusterSpec } from '../core/config/model.ts';
import type { Command, CommandResult, VersionView } from '../core/release/command.ts';
import type { Clock } from '../system/clock.ts';
import type { Dice } from '../system/dice.ts';
import type { Log } from '../system/log.ts';
import type { Network } from '../system/network.ts';
import type { Observer } from './observer.ts';
import type { DataPlanePort, StorePort } from './ports.ts';

export interface ControllerParts {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly network: Network;
  readonly log: Log;
  readonly dataPlane: DataPlanePort;
  readonly store: StorePort;
  /** What the data plane was given as its outcome sink. */
  readonly observer: Observer;
  /** Bound on one probe of one server, milliseconds. */
  readonly connectMs: number;
}

/** The one writer: every start, stop and change of a version goes through it as a command or an event. */
export class Controller {
  constructor(_parts: ControllerParts) {}

  /** Puts the configuration file's version in force. */
  start(_spec: ClusterSpec): Promise<CommandResult> {
    return Promise.reject(new Error('Not built'));
  }

  /** Resolves when the command is in force (or refused, and nothing changed). Never rejects. */
  submit(_command: Command): Promise<CommandResult> {
    return Promise.reject(new Error('Not built'));
  }

  /** Versions that GET shows, newest first. */
  list(): readonly VersionView[] {
    return [];
  }

  /** One of `list`, by its id in lower case. */
  find(_id: string): VersionView | undefined {
    return undefined;
  }

  /** Ends the timers; commands are refused from then on. */
  close(): void {}
}
