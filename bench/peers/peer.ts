/** A proxy under measurement. A new one is one file beside this, and an entry in `peers.ts`. */
import type { Running } from '../process.ts';

export interface Setting {
  /** An empty folder for configuration and temporary files. */
  readonly folder: string;
  readonly port: number;
  readonly upstreamPort: number;
}

export interface Peer {
  readonly name: string;
  /** Debian packages by the command that is looked for. */
  readonly packages: Readonly<Record<string, string>>;
  /** One line. */
  version(): string;
  start(setting: Setting): Promise<Running>;
}

/** So many connections that clients may open at once; each proxy is told so where it has to be. */
export const CLIENT_CONNECTIONS = 10_000;
