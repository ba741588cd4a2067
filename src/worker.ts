/**
 * A worker process: the data plane and nothing else. Main starts it and gives it the listening socket; control, by way of main, gives
 * it routing tables and is told what its attempts showed. When main is gone it stops listening, finishes what is in flight and ends.
 */
import { type MainToWorker, PROTOCOL, type WorkerToMain } from './processes/messages.ts';
import { WorkerEnd } from './processes/worker-end.ts';
import { DataPlane } from './proxy/data-plane.ts';
import { realClock } from './system/clock.ts';
import { realDice } from './system/dice.ts';
import { createLog, endOnUncaught, type ProcessLog } from './system/log.ts';
import { openStandardError } from './system/log-destination.ts';
import { BackgroundNames } from './system/names.ts';
import { type Parent, parentOf } from './system/parent.ts';

type Begin = Extract<MainToWorker, { readonly kind: 'begin' }>;

class Worker {
  readonly #parent: Parent<MainToWorker, WorkerToMain>;
  readonly #log: ProcessLog;
  readonly #end: WorkerEnd;
  readonly #dataPlane: DataPlane;
  /** Of the listening socket. */
  readonly #handles: object[] = [];

  constructor(parent: Parent<MainToWorker, WorkerToMain>, { config, log }: Begin) {
    this.#parent = parent;
    this.#log = createLog({ ...log, destination: openStandardError('others') });
    endOnUncaught(this.#log, 'worker');
    const clock = realClock;
    this.#end = new WorkerEnd({
      clock,
      publish: (table) => this.#dataPlane.publish(table),
      figures: (versionId) => this.#dataPlane.figures(versionId),
      counters: () => this.#dataPlane.counters,
      send: (message) => parent.send({ kind: 'to-control', message }),
      onReady: () => parent.send({ kind: 'ready' }),
    });
    const names = new BackgroundNames();
    this.#dataPlane = new DataPlane({ config, clock, dice: realDice, log: this.#log, names, sink: this.#end });
    parent.onLost(() => {
      this.#log.write('ERROR', 'worker', 'The main process is gone: no new connections, what is in flight finishes');
      void this.#drain();
    });
  }

  take(message: Exclude<MainToWorker, Begin>, handle: unknown): void {
    switch (message.kind) {
      case 'from-control':
        this.#end.take(message.message);
        break;
      case 'hush':
        this.#end.hush();
        this.#parent.send({ kind: 'quiet' });
        break;
      case 'socket':
        this.#handles.push(handle as object);
        break;
      case 'listen':
        this.#handles.push(handle as object);
        void this.#listen();
        break;
      case 'drain':
        void this.#drain(message.silenceMs);
        break;
      case 'close':
        this.#dataPlane.close();
        void this.#exit();
        break;
    }
  }

  async #listen(): Promise<void> {
    try {
      await this.#dataPlane.listen({ handles: this.#handles });
      this.#parent.send({ kind: 'listening' });
    } catch (error) {
      this.#parent.send({ kind: 'listen-failed', code: (error as NodeJS.ErrnoException).code ?? String(error) });
    }
  }

  async #drain(silenceMs?: number): Promise<void> {
    await this.#dataPlane.drain(silenceMs);
    await this.#exit();
  }

  /** What was counted last is told before the process ends. */
  async #exit(): Promise<void> {
    this.#end.close();
    await this.#parent.deliver({ kind: 'ended' }).catch(() => {});
    this.#log.flush();
    process.exit(0);
  }
}

const parent = parentOf<MainToWorker, WorkerToMain>();
let worker: Worker | null = null;
parent.onMessage((message, handle) => {
  if (message.kind === 'begin') worker = new Worker(parent, message);
  else worker?.take(message, handle);
});
parent.onLost(() => {
  if (worker === null) process.exit(0);
});
parent.send({ kind: 'up', protocol: PROTOCOL });
