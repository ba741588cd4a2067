/** A worker process as main sees it: the steps of its life as promises, and what it tells control. */
import type { PlaneConfig } from '../core/config/model.ts';
import { Child } from '../system/child.ts';
import { otherProtocol, ProcessFault } from './control-process.ts';
import {
  type FromWorker,
  type LogSettings,
  type MainToWorker,
  PROTOCOL,
  type WorkerId,
  type WorkerToMain,
} from './messages.ts';

export interface WorkerParts {
  readonly id: WorkerId;
  readonly program: string;
  readonly config: PlaneConfig;
  readonly log: LogSettings;
  readonly toControl: (message: FromWorker) => void;
  /** It does nothing any more. */
  readonly onHung: () => void;
}

/** The code of the system's error. */
export class ListenFault extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** From each handle of the listening socket a worker takes one connection in a turn of its event loop. */
const HANDLES = 4;

export class WorkerProcess {
  readonly id: WorkerId;
  /** It has loaded its program. Rejects with a `ProcessFault`, as all of these do. */
  readonly up: Promise<void>;
  /** It has a table. */
  readonly ready: Promise<void>;
  /** It takes connections. Rejects with a `ListenFault` where the system refuses. */
  readonly listening: Promise<void>;
  /** Resolves when it has ended, with a clause that says how. */
  readonly ended: Promise<string>;
  /** Waits for the answers to `hush`, in their order. */
  readonly #quiet: (() => void)[] = [];
  readonly #child: Child<MainToWorker, WorkerToMain>;

  constructor({ id, program, config, log, toControl, onHung }: WorkerParts) {
    this.id = id;
    const [up, ready, listening] = [steps(), steps(), steps()];
    const ended = Promise.withResolvers<string>();
    const fail = (fault: ProcessFault): void => {
      for (const { reject } of [up, ready, listening]) reject(fault);
    };
    this.up = up.promise;
    this.ready = ready.promise;
    this.listening = listening.promise;
    this.ended = ended.promise;
    this.#child = new Child({
      program,
      execArgv: process.execArgv,
      onMessage: (message: WorkerToMain) => {
        switch (message.kind) {
          case 'up':
            if (message.protocol === PROTOCOL) up.resolve();
            else fail(otherProtocol());
            break;
          case 'to-control':
            toControl(message.message);
            break;
          case 'quiet':
            this.#quiet.shift()?.();
            break;
          case 'ready':
            ready.resolve();
            break;
          case 'listening':
            listening.resolve();
            break;
          case 'listen-failed':
            listening.reject(new ListenFault(message.code));
            break;
        }
      },
      onHung,
      onEnd: (how) => {
        fail(new ProcessFault([`Starting a worker failed: it ${how}`], 1));
        for (const quiet of this.#quiet) quiet();
        ended.resolve(how);
      },
    });
    this.send({ kind: 'begin', config, log });
  }

  get pid(): number {
    return this.#child.pid;
  }

  send(message: MainToWorker, socket?: object): void {
    this.#child.send(message, socket);
  }

  /** Has it take connections from this socket; `listening` tells when it does. */
  listen(socket: object): void {
    for (let further = 1; further < HANDLES; further += 1) this.send({ kind: 'socket' }, socket);
    this.send({ kind: 'listen' }, socket);
  }

  /** Resolves when its reports wait for the next control, and all before have been passed on; or when it is gone. */
  hush(): Promise<void> {
    return new Promise((resolve) => {
      this.#quiet.push(resolve);
      this.send({ kind: 'hush' });
    });
  }

  kill(): void {
    this.#child.kill();
  }
}

/** A step that nobody may wait for. */
function steps(): PromiseWithResolvers<void> {
  const step = Promise.withResolvers<void>();
  step.promise.catch(() => {});
  return step;
}
