/** A proxy under test: Cutover, or another one that is measured in the same way. */

export interface Setting {
  /** An empty folder for configuration and other files. */
  readonly folder: string;
  /** Ports of the older version's servers. */
  readonly older: readonly number[];
  /** Ports of the new version's servers. */
  readonly candidate: readonly number[];
}

export interface RunningSubject {
  readonly port: number;
  /** Brings the new version in, with the older one to fall back on. Other proxies are started with both. */
  upgrade(): Promise<void>;
  /** True while the new version is still in use; null where a proxy has no such notion. */
  candidateServes(): Promise<boolean | null>;
  stop(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** Debian packages by the command that is looked for. */
  readonly packages: Readonly<Record<string, string>>;
  /** One line. */
  version(): string;
  start(setting: Setting): Promise<RunningSubject>;
}

/** The same bounds for all, short so that a row takes a second: connection, answer's head, pause in a body. */
export const TIMEOUTS_S = { connect: 0.3, response: 1, idleBody: 1 } as const;
