/** The application's process as the harness sees it: versions that are started and stopped. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Fault, Order, Started } from './application.ts';

export class Versions {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #waiting = new Map<string, (port: number) => void>();

  constructor() {
    this.#child = fork(join(import.meta.dirname, 'application.ts'), { stdio: 'inherit', execArgv: [] });
    this.#child.on('message', ({ version, port }: Started) => this.#waiting.get(version)?.(port));
    this.#ended = new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }

  /** Resolves with its port. */
  start(version: string, fault: Fault = 'none'): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.set(version, resolve);
      this.#order({ kind: 'start', version, fault });
    });
  }

  stop(version: string): void {
    this.#waiting.delete(version);
    this.#order({ kind: 'stop', version });
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #order(order: Order): void {
    this.#child.send(order);
  }
}
