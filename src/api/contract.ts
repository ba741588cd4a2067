/** The REST API's routes and what it needs of the controller; shared with the CLI and the docs. */
import type { ClusterSpec, LogLevel, Parsed } from '../core/config/model.ts';
import type { Progress } from '../core/containers/progress.ts';
import type { Command, CommandResult, LedgerView, StatusView, VersionView } from '../core/release/command.ts';

export const CLUSTER_PATH = '/configuration/cluster';
export const LEDGER_PATH = '/configuration/ledger';
export const RELOAD_PATH = '/configuration/reload';
export const COUNTERS_PATH = '/configuration/counters';
/** Largest request body, bytes. */
export const BODY_BYTES_MAX = 1024 * 1024;

/** The controller as the API uses it. */
export interface ReleaseControl {
  /**
   * Resolves when the command is in force, or after a while when the version that was put is still starting; or when it is refused,
   * and nothing changed. Never rejects.
   * @param options `no`: a version that was put is not waited for
   */
  submit(command: Command, options?: { readonly wait: 'a-while' | 'no' }): Promise<CommandResult>;
  /**
   * Tells how a version that was put comes to serve; resolves with null once it does, or with one line that says why it never will.
   * The signal ends it early.
   */
  follow(
    id: string,
    options: { readonly onProgress: (progress: Progress) => void; readonly signal: AbortSignal },
  ): Promise<string | null>;
  /** Versions that GET shows, newest first. */
  list(): readonly VersionView[];
  /** One of `list`, by its id in lower case. */
  find(id: string): VersionView | undefined;
  /** Where a version stands, also one that has failed or is gone; undefined for an id that is not remembered. */
  status(id: string): StatusView | undefined;
  /** Releases, the latest first: those of all versions, or of one; undefined for an id that is not remembered. */
  ledger(): readonly LedgerView[];
  ledger(id: string): readonly LedgerView[] | undefined;
}

/** Reads the body of a PUT: `{"cluster": {...}}`. */
export type ClusterParser = (body: string) => Parsed<ClusterSpec>;

/** What became of a reload. */
export interface ReloadResult {
  /** False: nothing has changed. */
  readonly ok: boolean;
  /** One line for people. */
  readonly text: string;
  /** The id of the version that was put, if one was. */
  readonly put?: string | null;
}

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
