/** A child process that runs a program of ours, and the channel to it. Its standard error is this process's. */
import { type ChildProcess, fork, type SendHandle } from 'node:child_process';
import { BEAT } from './parent.ts';

export interface ChildParts<Out> {
  readonly program: string;
  /** Options of Node for it. */
  readonly execArgv: readonly string[];
  readonly onMessage: (message: Out) => void;
  /** It lives and does nothing any more: stopped, or in a loop without an end. Called once at most. */
  readonly onHung: () => void;
  /** Called once; every message has come by then. `how` is a clause for people. */
  readonly onEnd: (how: string) => void;
}

/** How often a child is asked for a sign of life, and how many of them it may owe: ten seconds. */
const BEAT_MS = 2_000;
const OWED_MAX = 5;

export class Child<In, Out> {
  readonly #process: ChildProcess;

  constructor({ program, execArgv, onMessage, onHung, onEnd }: ChildParts<Out>) {
    this.#process = fork(program, [], { execArgv: [...execArgv], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    // Null until it has said something: how long a program takes to load is not judged here.
    let owed: number | null = null;
    this.#process.on('message', (message) => {
      owed = 0;
      if (message !== BEAT) onMessage(message as Out);
    });
    // This process's own turns are counted, not time: when the machine slept, or was too busy for either of us, it was not the child.
    const beats = setInterval(() => {
      if (owed === null) return;
      if (owed === OWED_MAX) {
        clearInterval(beats);
        onHung();
        return;
      }
      owed += 1;
      this.send(BEAT as In);
    }, BEAT_MS);
    let failure: string | null = null;
    this.#process.on('error', (error) => {
      failure = error.message;
      if (this.#process.pid !== undefined) return;
      clearInterval(beats);
      onEnd(`could not be started: ${failure}`);
    });
    // Other than `exit`, it comes after the last message.
    this.#process.once('close', (code, signal) => {
      clearInterval(beats);
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
