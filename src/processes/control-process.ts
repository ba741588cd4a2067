/** The control process as main sees it: the steps of its life as promises, and what it says in between. */
import { Child } from '../system/child.ts';
import { type ControlToMain, type MainToControl, PROTOCOL, type ToWorker, type WorkerId } from './messages.ts';
import type { TallyState } from './tally.ts';

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

export interface Applied {
  readonly ok: boolean;
  /** One line for people. */
  readonly text: string;
  /** The id of the version that was put, if one was. */
  readonly put: string | null;
}

export interface ControlHooks {
  toWorker(worker: WorkerId, message: ToWorker): void;
  /** The worker does not acknowledge. */
  workerHung(worker: WorkerId): void;
  /** The control process itself does nothing any more. */
  hung(): void;
  keep(document: string): void;
  keepTally(tally: TallyState): void;
  /** Somebody asks for a reload; `reloaded` is to tell what became of it. */
  reload(): void;
}

export class ControlProcess {
  /** What it made of the configuration. Rejects with a `ProcessFault`, as all of these do. */
  readonly loaded: Promise<Loaded>;
  /** Resolves when it has ended, with a clause that says how. */
  readonly ended: Promise<string>;
  readonly #child: Child<MainToControl, ControlToMain>;
  #serving = step<string | null>();
  #applied = step<Applied>();
  #retired = step<void>();

  constructor(program: string, hooks: ControlHooks) {
    const loaded = step<Loaded>();
    const ended = Promise.withResolvers<string>();
    const fail = (fault: ProcessFault): void => {
      for (const { reject } of [loaded, this.#serving, this.#applied]) reject(fault);
    };
    this.loaded = loaded.promise;
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
            this.#serving.resolve(message.put);
            break;
          case 'to-worker':
            hooks.toWorker(message.worker, message.message);
            break;
          case 'hung':
            hooks.workerHung(message.worker);
            break;
          case 'keep':
            hooks.keep(message.document);
            break;
          case 'tally':
            hooks.keepTally(message.tally);
            break;
          case 'applied':
            this.#applied.resolve({ ok: message.ok, text: message.text, put: message.put });
            break;
          case 'reload':
            hooks.reload();
            break;
          case 'retired':
            this.#retired.resolve();
            break;
        }
      },
      onHung: () => hooks.hung(),
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

  /** Puts it in charge. Resolves when the config service is open and something serves, with the id of what it put (`serving`). */
  serve(
    orders: Omit<Extract<MainToControl, { readonly kind: 'serve' }>, 'kind'>,
    socket: object,
  ): Promise<string | null> {
    const serving = step<string | null>();
    this.#serving = serving;
    void this.ended.then((how) => serving.reject(new ProcessFault([`The control process ${how}`], 1)));
    this.send({ kind: 'serve', ...orders }, socket);
    return serving.promise;
  }

  /** Puts the `cluster` of a configuration in force. */
  apply(text: string): Promise<Applied> {
    const applied = step<Applied>();
    this.#applied = applied;
    void this.ended.then((how) => applied.reject(new ProcessFault([`The control process ${how}`], 1)));
    this.send({ kind: 'apply', text });
    return applied.promise;
  }

  /** Resolves when it has nothing to do any more but to answer who is waiting; or when it is gone. */
  retire(): Promise<void> {
    const retired = step<void>();
    this.#retired = retired;
    void this.ended.then(() => retired.resolve());
    this.send({ kind: 'retire' });
    return retired.promise;
  }

  kill(): void {
    this.#child.kill();
  }
}

/** One that nobody may wait for. */
function step<T>(): PromiseWithResolvers<T> {
  const made = Promise.withResolvers<T>();
  made.promise.catch(() => {});
  return made;
}

export function otherProtocol(): ProcessFault {
  return new ProcessFault(['The installed Cutover is too different for a reload: it needs a restart'], 1);
}
