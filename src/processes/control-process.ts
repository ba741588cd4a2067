/** The control process as main sees it: the steps of its life as promises, and what it says in between. */
import { Child } from '../system/child.ts';
import { type ControlToMain, type MainToControl, PROTOCOL, type ToWorker, type WorkerId } from './messages.ts';

export type Loaded = Extract<ControlToMain, { readonly kind: 'loaded' }>;

/** What main can't go on with. `lines` are for people. */
export class ProcessFault extends Error {
  readonly lines: readonly string[];
  readonly exitCode: number;

  constructor(lines: readonly string[], exitCode: number) {
    super(lines.join('\n'));
    this.lines = lines;
    this.exitCode = exitCode;
  }
}

export interface ControlHooks {
  toWorker(worker: WorkerId, message: ToWorker): void;
  hung(worker: WorkerId): void;
  keep(document: string): void;
}

export class ControlProcess {
  /** What it made of the configuration. Rejects with a `ProcessFault`, as all of these do. */
  readonly loaded: Promise<Loaded>;
  /** The config service is open and something serves. */
  readonly serving: Promise<void>;
  /** Resolves when it has ended, with a clause that says how. */
  readonly ended: Promise<string>;
  readonly #child: Child<MainToControl, ControlToMain>;

  constructor(program: string, hooks: ControlHooks) {
    const loaded = Promise.withResolvers<Loaded>();
    const serving = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<string>();
    const steps = [loaded, serving];
    for (const { promise } of steps) promise.catch(() => {});
    const fail = (fault: ProcessFault): void => {
      for (const { reject } of steps) reject(fault);
    };
    this.loaded = loaded.promise;
    this.serving = serving.promise;
    this.ended = ended.promise;
    this.#child = new Child({
      program,
      // It has few objects that live short.
      execArgv: process.execArgv.filter((option) => !option.startsWith('--max-semi-space-size')),
      onMessage: (message: ControlToMain) => {
        switch (message.kind) {
          case 'up':
            if (message.protocol !== PROTOCOL) fail(otherProtocol());
            break;
          case 'loaded':
            loaded.resolve(message);
            break;
          case 'failed':
            fail(new ProcessFault(message.lines, message.exitCode));
            break;
          case 'serving':
            serving.resolve();
            break;
          case 'to-worker':
            hooks.toWorker(message.worker, message.message);
            break;
          case 'hung':
            hooks.hung(message.worker);
            break;
          case 'keep':
            hooks.keep(message.document);
            break;
        }
      },
      onEnd: (how) => {
        fail(new ProcessFault([`Starting the control process failed: it ${how}`], 1));
        ended.resolve(how);
      },
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  send(message: MainToControl, socket?: object): void {
    this.#child.send(message, socket);
  }

  kill(): void {
    this.#child.kill();
  }
}

export function otherProtocol(): ProcessFault {
  return new ProcessFault(['The installed Cutover is too different for a reload: it needs a restart'], 1);
}
