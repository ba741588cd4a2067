/** The REST API's routes and what it needs of the controller; shared with the CLI and the docs. */
import type { Command, CommandResult, VersionView } from '../core/release/command.ts';

export const CLUSTER_PATH = '/configuration/cluster';
/** Largest request body, bytes. */
export const BODY_BYTES_MAX = 1024 * 1024;

/** The controller as the API uses it. */
export interface ReleaseControl {
  /** Resolves when the command is in force (or refused, and nothing changed). Never rejects. */
  submit(command: Command): Promise<CommandResult>;
  /** Versions that GET shows, newest first. */
  list(): readonly VersionView[];
  /** One of `list`, by its id in lower case. */
  find(id: string): VersionView | undefined;
}
