/** Main's worker processes: those in traffic, those that are to come into it, and those that drain. */
import { portFaultText } from '../core/port-fault.ts';
import { BackOff } from './back-off.ts';
import type { Code } from './code.ts';
import { type Loaded, ProcessFault } from './control-process.ts';
import type { FromWorker, MainToControl, WorkerId } from './messages.ts';
import { endHung, type RestartParts, restart } from './restart.ts';
import type { Sockets } from './sockets.ts';
import { ListenFault, WorkerProcess } from './worker-process.ts';

/** The configuration and the code that processes are started with, and the sockets that they share. */
export interface InForce {
  readonly loaded: Loaded;
  readonly code: Code;
  readonly sockets: Sockets;
}

/** What control hears of workers. */
export type WorkerNews = Extract<MainToControl, { readonly kind: 'joined' | 'left' | 'from-worker' }>;

export interface WorkersParts extends RestartParts {
  readonly inForce: () => InForce;
  readonly tell: (news: WorkerNews) => void;
}

export class Workers {
  readonly #parts: WorkersParts;
  readonly #all = new Map<WorkerId, WorkerProcess>();
  /** Those that are to end, or not yet in traffic: when one ends no other is started. */
  readonly #passing = new Set<WorkerProcess>();
  #last = 0;

  constructor(parts: WorkersParts) {
    this.#parts = parts;
  }

  get all(): readonly WorkerProcess[] {
    return [...this.#all.values()];
  }

  get(id: WorkerId): WorkerProcess | undefined {
    return this.#all.get(id);
  }

  /** Starts as many as are configured; `bring` brings each into traffic. */
  start({ loaded, code }: Omit<InForce, 'sockets'>): readonly WorkerProcess[] {
    return Array.from({ length: loaded.settings.workers }, () => this.#start(new BackOff(), loaded, code));
  }

  /** The same for those that are to take the place of all others (`succeed`), or else are ended (`dismiss`). */
  startSuccessors(started: Omit<InForce, 'sockets'>): readonly WorkerProcess[] {
    const successors = this.start(started);
    for (const worker of successors) this.#passing.add(worker);
    return successors;
  }

  dismiss(successors: readonly WorkerProcess[]): void {
    for (const worker of successors) worker.kill();
  }

  /** All others drain. */
  succeed(successors: readonly WorkerProcess[], silenceMs: number): void {
    for (const worker of successors) this.#passing.delete(worker);
    for (const worker of this.all.filter((worker) => !successors.includes(worker))) {
      this.#passing.add(worker);
      worker.send({ kind: 'drain', silenceMs });
    }
  }

  /** Brings a worker into traffic. Rejects with a `ProcessFault`. */
  async bring(worker: WorkerProcess, { proxy }: Sockets = this.#parts.inForce().sockets): Promise<void> {
    await worker.ready;
    if (this.#parts.stage() === 'stopping') return;
    worker.listen(proxy.handle);
    await worker.listening.catch((error: Error) => {
      if (!(error instanceof ListenFault)) throw error;
      const { hostname: host, port } = this.#parts.inForce().loaded.settings.proxy;
      throw new ProcessFault([portFaultText('proxy', { host, port }, error)], 1);
    });
  }

  /** Resolves when all that they have counted has been told; what they count from now on waits for the next control. */
  async hush(): Promise<void> {
    await Promise.all(this.all.map((worker) => worker.hush()));
  }

  #start(backOff: BackOff, { plane: config, settings }: Loaded, code: Code): WorkerProcess {
    this.#last += 1;
    const id = this.#last;
    const worker = new WorkerProcess({
      id,
      program: code.worker,
      config,
      log: settings.log,
      toControl: (message: FromWorker) => this.#parts.tell({ kind: 'from-worker', worker: id, message }),
      onHung: () => endHung(this.#parts, 'A worker', worker),
    });
    backOff.started(this.#parts.clock.nowMs());
    this.#all.set(id, worker);
    this.#parts.tell({ kind: 'joined', worker: id });
    void worker.ended.then((how) => this.#ended(worker, how, backOff));
    return worker;
  }

  #ended(worker: WorkerProcess, how: string, backOff: BackOff): void {
    this.#all.delete(worker.id);
    this.#parts.tell({ kind: 'left', worker: worker.id });
    const isPassing = this.#passing.delete(worker);
    if (this.#parts.stage() !== 'running' || isPassing) return;
    restart(this.#parts, backOff, {
      what: `A worker (${worker.pid}) ${how}: its connections are lost`,
      start: () => this.#startAgain(backOff),
    });
  }

  #startAgain(backOff: BackOff): void {
    const { inForce, log, stage } = this.#parts;
    const { loaded, code } = inForce();
    // A reload may have replaced all of them meanwhile.
    if (this.#all.size - this.#passing.size >= loaded.settings.workers) return;
    this.bring(this.#start(backOff, loaded, code)).catch((error: Error) => {
      if (stage() === 'running') log.write('ERROR', 'main', error.message);
    });
  }
}
