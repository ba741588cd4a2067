/** A child process that runs a program of ours, and the channel to it. Its standard error is this process's. */
import { type ChildProcess, fork, type SendHandle } from 'node:child_process';

export interface ChildParts<Out> {
  readonly program: string;
  /** Options of Node for it. */
  readonly execArgv: readonly string[];
  readonly onMessage: (message: Out) => void;
  /** Called once; every message has come by then. `how` is a clause for people. */
  readonly onEnd: (how: string) => void;
}

export class Child<In, Out> {
  readonly #process: ChildProcess;

  constructor({ program, execArgv, onMessage, onEnd }: ChildParts<Out>) {
    this.#process = fork(program, [], { execArgv: [...execArgv], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#process.on('message', (message) => onMessage(message as Out));
    let failure: string | null = null;
    this.#process.on('error', (error) => {
      failure = error.message;
      if (this.#process.pid === undefined) onEnd(`could not be started: ${failure}`);
    });
    // Other than `exit`, it comes after the last message.
    this.#process.once('close', (code, signal) => {
      onEnd(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`);
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** @param socket one that this process keeps open as well */
  send(message: In, socket?: object): void {
    if (!this.#process.connected) return;
    // What can't be sent any more is for a process that is about to be found gone.
    this.#process.send(message as object, socket as SendHandle | undefined, () => {});
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
