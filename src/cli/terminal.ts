/** What a command has of the world around it, and how it fails. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** The width of standard error, where that is a terminal that shows lines which change; else null. */
  readonly columns: () => number | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The version of this package. */
  readonly version: string;
}

/** Ends a command: its message (one line or more) is shown as it is, without a stack trace. */
export class Failure extends Error {
  /** 1: the work failed. 2: what was asked for is wrong (usage, a configuration file). */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2) {
    super(message);
    this.exitCode = exitCode;
  }
}
