/** The whole program: a configuration file in, a serving proxy until a signal, an exit code out. */
import type { LogFormat, LogLevel } from './core/config/model.ts';

export interface RunOptions {
  readonly configFile: string;
  /** null: what the configuration says, else WARNING. */
  readonly logLevel: LogLevel | null;
  /** null: what the configuration says, else text. */
  readonly logFormat: LogFormat | null;
}

/** Resolves with the exit code once everything is drained. */
export async function runCutover(options: RunOptions): Promise<number> {
  throw new Error(`Starting with ${options.configFile} is not possible yet`);
}
