/**
 * Main's part in a Cutover of several processes: it holds the listening sockets, starts control and the workers, passes on what they
 * say to each other, and starts anew what ends by itself. It knows nothing of versions or requests.
 */
import type { PlaneConfig } from '../core/config/model.ts';
import { portFaultText } from '../core/port-fault.ts';
import type { Clock } from '../system/clock.ts';
import type { ListeningSocket } from '../system/listening-socket.ts';
import type { Log } from '../system/log.ts';
import { BackOff } from './back-off.ts';
import { ControlProcess, type Loaded, ProcessFault } from './control-process.ts';
import type { FromWorker, MainSettings, MainToControl, WorkerId } from './messages.ts';
import { WorkerProcess } from './worker-process.ts';

export interface SupervisorParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Where `control.js` and `worker.js` are. */
  readonly programOf: (name: 'control' | 'worker') => string;
  readonly load: Extract<MainToControl, { readonly kind: 'load' }>;
  readonly sockets: { readonly proxy: ListeningSocket; readonly configService: ListeningSocket };
}

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #workers = new Map<WorkerId, WorkerProcess>();
  readonly #controlBackOff = new BackOff();
  #control: ControlProcess | null = null;
  /** Control is in charge: it is told of workers that come and go. */
  #inCharge = false;
  #lastWorker = 0;
  /** The state, where no file keeps it. */
  #document: string | null = null;
  #settings: MainSettings | null = null;
  #plane: PlaneConfig | null = null;
  /** `starting`: whatever ends then makes the start fail. */
  #stage: 'starting' | 'running' | 'stopping' = 'starting';

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
  }

  /** Resolves when both ports take connections. Rejects with a `ProcessFault`; what was started has been ended then. */
  async start(): Promise<void> {
    try {
      const control = this.#newControl();
      const loaded = await this.#load(control);
      const workers = Array.from({ length: loaded.settings.workers }, () => this.#newWorker(new BackOff()));
      await this.#putInCharge(control);
      await Promise.all(workers.map((worker) => this.#bring(worker)));
      const { proxy, configService } = this.#parts.sockets;
      control.send({ kind: 'opened', proxyPort: proxy.port, configPort: configService.port });
      this.#stage = 'running';
    } catch (error) {
      await this.cut();
      throw error;
    }
  }

  /** Takes no further connections, lets what is in flight finish, then ends all processes. */
  async drain(): Promise<void> {
    this.#stop();
    this.#control?.send({ kind: 'close-api' });
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.send({ kind: 'drain', silenceMs: SILENCE_MS });
    await Promise.all(workers.map(({ ended }) => ended));
    await this.#endControl();
  }

  /** Ends all processes; what is in flight is cut. */
  async cut(): Promise<void> {
    this.#stop();
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.send({ kind: 'close' });
    const giveUp = this.#parts.clock.after(CUT_MS, () => {
      for (const worker of workers) worker.kill();
    });
    await Promise.all([...workers.map(({ ended }) => ended), this.#endControl()]);
    giveUp();
  }

  #stop(): void {
    this.#stage = 'stopping';
    this.#parts.sockets.proxy.close();
    this.#parts.sockets.configService.close();
  }

  async #endControl(): Promise<void> {
    const control = this.#control;
    if (control === null) return;
    control.send({ kind: 'end' });
    const giveUp = this.#parts.clock.after(END_MS, () => control.kill());
    await control.ended;
    giveUp();
  }

  // ---- control

  #newControl(): ControlProcess {
    const control = new ControlProcess(this.#parts.programOf('control'), {
      toWorker: (id, message) => this.#workers.get(id)?.send({ kind: 'from-control', message }),
      hung: (id) => this.#endHung(id),
      keep: (document) => {
        this.#document = document;
      },
    });
    this.#controlBackOff.started(this.#parts.clock.nowMs());
    this.#control = control;
    return control;
  }

  async #load(control: ControlProcess): Promise<Loaded> {
    control.send(this.#parts.load);
    const loaded = await control.loaded;
    this.#settings = loaded.settings;
    this.#plane = loaded.plane;
    return loaded;
  }

  async #putInCharge(control: ControlProcess): Promise<void> {
    const workers = [...this.#workers.keys()];
    this.#inCharge = true;
    control.send({ kind: 'serve', workers, document: this.#document }, this.#parts.sockets.configService.handle);
    void control.ended.then((how) => this.#controlEnded(control, how));
    await control.serving;
  }

  #controlEnded(control: ControlProcess, how: string): void {
    if (this.#control !== control) return;
    this.#inCharge = false;
    if (this.#stage !== 'running') return;
    this.#control = null;
    for (const worker of this.#workers.values()) worker.send({ kind: 'hush' });
    this.#again(`The control process (${control.pid}) ${how}: traffic goes on`, this.#controlBackOff, () => {
      void this.#restartControl();
    });
  }

  async #restartControl(): Promise<void> {
    const control = this.#newControl();
    try {
      await this.#load(control);
      if (this.#stage === 'running') await this.#putInCharge(control);
    } catch (error) {
      const lines = error instanceof ProcessFault ? error.lines : [String(error)];
      for (const line of lines) this.#parts.log.write('ERROR', 'main', line);
      if (!this.#inCharge) this.#controlEnded(control, 'could not take charge');
    }
  }

  // ---- workers

  #newWorker(backOff: BackOff): WorkerProcess {
    const { clock, programOf } = this.#parts;
    this.#lastWorker += 1;
    const id = this.#lastWorker;
    const worker = new WorkerProcess({
      id,
      program: programOf('worker'),
      config: this.#plane as PlaneConfig,
      log: (this.#settings as MainSettings).log,
      toControl: (message: FromWorker) => {
        if (this.#inCharge) this.#control?.send({ kind: 'from-worker', worker: id, message });
      },
    });
    backOff.started(clock.nowMs());
    this.#workers.set(id, worker);
    if (this.#inCharge) this.#control?.send({ kind: 'joined', worker: id });
    void worker.ended.then((how) => this.#workerEnded(worker, how, backOff));
    return worker;
  }

  /** Brings a worker into traffic. */
  async #bring(worker: WorkerProcess): Promise<void> {
    await worker.ready;
    if (this.#stage === 'stopping') return;
    worker.send({ kind: 'listen' }, this.#parts.sockets.proxy.handle);
    await worker.listening.catch(({ message }: ProcessFault) => {
      const { hostname: host, port } = (this.#settings as MainSettings).proxy;
      throw new ProcessFault([portFaultText('proxy', { host, port }, { code: message, message })], 1);
    });
  }

  #workerEnded(worker: WorkerProcess, how: string, backOff: BackOff): void {
    this.#workers.delete(worker.id);
    if (this.#inCharge) this.#control?.send({ kind: 'left', worker: worker.id });
    if (this.#stage !== 'running') return;
    this.#again(`A worker (${worker.pid}) ${how}: its connections are lost`, backOff, () => {
      const next = this.#newWorker(backOff);
      this.#bring(next).catch((error: Error) => {
        if (this.#stage === 'running') this.#parts.log.write('ERROR', 'main', error.message);
      });
    });
  }

  #endHung(id: WorkerId): void {
    const worker = this.#workers.get(id);
    if (worker === undefined) return;
    this.#parts.log.write('ERROR', 'main', `A worker (${worker.pid}) does not answer: it is ended`);
    worker.kill();
  }

  #again(what: string, backOff: BackOff, start: () => void): void {
    const { clock, log } = this.#parts;
    const delayMs = backOff.next(clock.nowMs());
    log.write('ERROR', 'main', `${what}, another one is started${delayMs === 0 ? '' : ` in ${delayMs / 1000} s`}`);
    clock.after(delayMs, () => {
      if (this.#stage === 'running') start();
    });
  }
}

/** How long a client connection must be silent before a stop closes it without an answer to say so. */
const SILENCE_MS = 1_000;
/** How long processes may take to end, milliseconds. */
const CUT_MS = 1_000;
const END_MS = 10_000;
