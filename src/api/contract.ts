/** The REST API's routes and what it needs of the controller; shared with the CLI and the docs. */
import type { ClusterSpec, LogLevel, Parsed } from '../core/config/model.ts';
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

/** Reads the body of a PUT: `{"cluster": {...}}`. */
export type ClusterParser = (body: string) => Parsed<ClusterSpec>;

/** Who may ask. */
export interface ApiSecurity {
  /** What `Authorization: Bearer` must carry, or null: nothing is asked for. */
  readonly token: string | null;
  /** Host names (any port) by which the service may be addressed, beside loopback names and its own address. */
  readonly allowedHosts: readonly string[];
}

/** The log as the API uses it; `system/log` has the real one. */
export interface ApiLog {
  write(level: LogLevel, component: string, text: string): void;
}
