/**
 * Main's part in a Cutover of several processes: it holds the listening sockets, starts control and the workers, passes on what they
 * say to each other, and starts anew what ends by itself. It knows nothing of versions or requests.
 */
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { BackOff } from './back-off.ts';
import type { Code } from './code.ts';
import { type Applied, ControlProcess, type Loaded, ProcessFault } from './control-process.ts';
import type { MainSettings, MainToControl } from './messages.ts';
import { endHung, type RestartParts, restart, type Stage } from './restart.ts';
import { type Bind, closeOthers, type Sockets, socketsFor } from './sockets.ts';
import type { TallyState } from './tally.ts';
import { type InForce, type WorkerNews, Workers } from './workers.ts';

export interface SupervisorParts {
  readonly clock: Clock;
  readonly log: Log;
  /** What is installed now. */
  readonly code: () => Code;
  readonly load: Extract<MainToControl, { readonly kind: 'load' }>;
  /** Binds the first sockets; rejects with a clear error. */
  readonly open: (loaded: Loaded) => Promise<Sockets>;
  readonly bind: Bind;
  /** A reload begins, or is over, whatever came of it. */
  readonly onReload: (stage: 'begins' | 'is over') => void;
  /** Other settings are in force. */
  readonly onSettings: (settings: MainSettings) => void;
}

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #restartParts: RestartParts;
  readonly #workers: Workers;
  readonly #controlBackOff = new BackOff();
  #control: ControlProcess | null = null;
  /** Control is in charge: it is told of workers that come and go. */
  #inCharge = false;
  /** The state, where no file keeps it. */
  #document: string | null = null;
  #tally: TallyState | null = null;
  #inForce: InForce | null = null;
  #reloading = false;
  /** The control that was in charge before a reload. */
  #retired: ControlProcess | null = null;
  /** During a reload: the new control, which has failed; its end is no accident. */
  #dismissed: ControlProcess | null = null;
  #stage: Stage = 'starting';

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#restartParts = { clock: parts.clock, log: parts.log, stage: () => this.#stage };
    this.#workers = new Workers({ ...this.#restartParts, inForce: () => this.#now, tell: (news) => this.#tell(news) });
  }

  /** Resolves when both ports take connections. Rejects with a `ProcessFault`; what was started has been ended then. */
  async start(): Promise<void> {
    try {
      const code = this.#parts.code();
      const control = this.#newControl(code);
      this.#control = control;
      control.send(this.#parts.load);
      const loaded = await control.loaded;
      this.#parts.onSettings(loaded.settings);
      const sockets = await this.#parts.open(loaded);
      this.#inForce = { loaded, code, sockets };
      const workers = this.#workers.start(this.#inForce);
      await this.#putInCharge(control, sockets);
      await Promise.all(workers.map((worker) => this.#workers.bring(worker)));
      this.#sayOpened(control);
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
    const workers = this.#workers.all;
    for (const worker of workers) worker.send({ kind: 'drain', silenceMs: SILENCE_MS });
    await Promise.all(workers.map(({ ended }) => ended));
    await this.#endControl();
  }

  /** Ends all processes; what is in flight is cut. */
  async cut(): Promise<void> {
    this.#stop();
    const workers = this.#workers.all;
    for (const worker of workers) worker.send({ kind: 'close' });
    const giveUp = this.#parts.clock.after(CUT_MS, () => {
      for (const worker of workers) worker.kill();
    });
    await Promise.all([...workers.map(({ ended }) => ended), this.#endControl()]);
    giveUp();
  }

  #stop(): void {
    this.#stage = 'stopping';
    this.#inForce?.sockets.proxy.close();
    this.#inForce?.sockets.configService.close();
  }

  async #endControl(): Promise<void> {
    const control = this.#control;
    if (control === null) return;
    control.send({ kind: 'end' });
    const giveUp = this.#parts.clock.after(END_MS, () => control.kill());
    await control.ended;
    giveUp();
  }

  // ---- reload

  /** Reads the configuration again, by the code that is installed now. Never rejects; a failure changes nothing. */
  async reload(): Promise<Applied> {
    const { log } = this.#parts;
    if (this.#reloading || this.#stage !== 'running') {
      log.write('WARNING', 'main', 'A reload is asked for while one is under way, or Cutover stops: it is ignored');
      return failed('A reload is under way, or Cutover stops');
    }
    this.#reloading = true;
    this.#parts.onReload('begins');
    const asked = this.#control;
    const result = await this.#tryReload().catch((error: unknown) => failed(linesOf(error).join('; ')));
    this.#reloading = false;
    this.#parts.onReload('is over');
    if (result.ok) log.always('NOTICE', 'main', `Reloaded: ${result.text}`);
    else if (this.#isStopping) log.write('NOTICE', 'main', 'Reload given up: Cutover stops');
    else log.write('ERROR', 'main', `Reload failed, everything is as before: ${result.text}`);
    for (const control of new Set([asked, this.#control])) control?.send({ kind: 'reloaded', ...result });
    if (asked !== this.#control) asked?.send({ kind: 'end' });
    return result;
  }

  async #tryReload(): Promise<Applied> {
    const code = this.#parts.code();
    const control = this.#newControl(code);
    try {
      control.send({ ...this.#parts.load, text: null });
      const loaded = await this.#proved(control.loaded, 'The new control process');
      if (loaded.settings.workers === 0) throw new Error('"workers" can become 0 by a restart only');
      const before = this.#now.loaded;
      if (loaded.state !== before.state) throw new Error('"state" can be changed by a restart only');
      if (loaded.rest !== before.rest || code.identity !== this.#now.code.identity) {
        return await this.#replaceAll(control, loaded, code);
      }
      control.kill();
      if (this.#control === null) throw new Error('There is no control process at the moment');
      const applied = await this.#control.apply(loaded.text);
      if (applied.ok) this.#inForce = { ...this.#now, loaded };
      return applied;
    } catch (error) {
      if (this.#control !== control) control.kill();
      throw error;
    }
  }

  /** New workers first, which take no connection yet; then control, which is one at a time; then the sockets. */
  async #replaceAll(control: ControlProcess, loaded: Loaded, code: Code): Promise<Applied> {
    const old = this.#workers.all;
    const before = this.#now;
    const sockets = await socketsFor(loaded.settings, before, this.#parts.bind);
    const workers = this.#workers.startSuccessors({ loaded, code });
    let put: string | null;
    try {
      await this.#proved(Promise.all(workers.map(({ up }) => up)), 'A new worker');
      put = await this.#handOver(control, sockets);
      await this.#proved(Promise.all(workers.map((worker) => this.#workers.bring(worker, sockets))), 'A new worker');
    } catch (error) {
      this.#workers.dismiss(workers);
      if (this.#control === control && this.#stage === 'running') await this.#takeBack(control);
      closeOthers(sockets, before.sockets);
      throw error;
    }
    this.#inForce = { loaded, code, sockets };
    this.#parts.onSettings(loaded.settings);
    this.#workers.succeed(workers, RELOAD_SILENCE_MS);
    closeOthers(before.sockets, sockets);
    this.#sayOpened(control);
    const count = old.length === 1 ? 'one worker drains' : `${old.length} workers drain`;
    const text = `new processes serve, ${count}`;
    return { ok: true, text: put === null ? text : `${text}; the cluster of the configuration is put as ${put}`, put };
  }

  /** Ends the old control's charge, then begins the new one's. What workers count meanwhile waits. */
  async #handOver(control: ControlProcess, sockets: Sockets): Promise<string | null> {
    const old = this.#control;
    await this.#hush();
    // From here on the old one's end is no accident.
    this.#control = control;
    this.#retired = old;
    if (old !== null) await this.#proved(old.retire(), 'The old control process');
    return this.#proved(this.#putInCharge(control, sockets), 'The new control process');
  }

  /** The new control has failed: the old one is in charge again, or one like it. */
  async #takeBack(control: ControlProcess): Promise<void> {
    const old = this.#retired;
    this.#dismissed = control;
    await this.#hush();
    this.#control = old;
    control.kill();
    await control.ended;
    try {
      if (old === null) throw new Error('There was no control process');
      await this.#putInCharge(old, this.#now.sockets);
    } catch {
      old?.kill();
      this.#control = null;
      this.#inCharge = false;
      await this.#restartControl();
    }
  }

  /** All that workers have counted has been told; from now on nobody is in charge. */
  async #hush(): Promise<void> {
    await this.#proved(this.#workers.hush(), 'A worker');
    this.#inCharge = false;
  }

  /** Rejects when it takes too long, or when Cutover stops meanwhile. */
  async #proved<T>(step: Promise<T>, who: string): Promise<T> {
    const late = Promise.withResolvers<never>();
    const stop = this.#parts.clock.after(PROVE_MS, () => {
      late.reject(new Error(`${who} was not ready within ${PROVE_MS / 1000} s`));
    });
    const done = await Promise.race([step, late.promise]).finally(stop);
    if (this.#isStopping) throw new Error('Cutover stops');
    return done;
  }

  get #isStopping(): boolean {
    return this.#stage === 'stopping';
  }

  get #now(): InForce {
    if (this.#inForce === null) throw new Error('Nothing is in force before the start');
    return this.#inForce;
  }

  // ---- control

  #newControl(code: Code): ControlProcess {
    const control = new ControlProcess(code.control, {
      toWorker: (id, message) => this.#workers.get(id)?.send({ kind: 'from-control', message }),
      workerHung: (id) => endHung(this.#parts, 'A worker', this.#workers.get(id)),
      hung: () => endHung(this.#parts, 'The control process', control),
      keep: (document) => {
        this.#document = document;
      },
      keepTally: (tally) => {
        this.#tally = tally;
      },
      reload: () => void this.reload(),
    });
    return control;
  }

  /** Gives the id of what it put by itself. */
  async #putInCharge(control: ControlProcess, { configService }: Sockets): Promise<string | null> {
    this.#control = control;
    this.#inCharge = true;
    this.#controlBackOff.started(this.#parts.clock.nowMs());
    void control.ended.then((how) => this.#controlEnded(control, how));
    const workers = this.#workers.all.map(({ id }) => id);
    const put = await control.serve({ workers, document: this.#document, tally: this.#tally }, configService.handle);
    if (this.#stage === 'running') control.send({ kind: 'open-already' });
    return put;
  }

  #sayOpened(control: ControlProcess): void {
    const { proxy, configService } = this.#now.sockets;
    control.send({ kind: 'opened', proxyPort: proxy.port, configPort: configService.port });
  }

  #controlEnded(control: ControlProcess, how: string): void {
    if (this.#control !== control || this.#dismissed === control) return;
    this.#inCharge = false;
    if (this.#stage !== 'running') return;
    this.#control = null;
    for (const worker of this.#workers.all) worker.send({ kind: 'hush' });
    restart(this.#restartParts, this.#controlBackOff, {
      what: `The control process (${control.pid}) ${how}: traffic goes on`,
      start: () => {
        // A reload may have brought one meanwhile.
        if (this.#control === null) void this.#restartControl();
      },
    });
  }

  async #restartControl(): Promise<void> {
    const { code, loaded, sockets } = this.#now;
    const control = this.#newControl(code);
    this.#control = control;
    try {
      control.send({ ...this.#parts.load, text: loaded.text });
      await control.loaded;
      if (this.#control !== control) control.kill();
      else if (this.#stage === 'running') await this.#putInCharge(control, sockets);
    } catch (error) {
      for (const line of linesOf(error)) this.#parts.log.write('ERROR', 'main', line);
      if (!this.#inCharge) this.#controlEnded(control, 'could not take charge');
    }
  }

  /**
   * One that comes is told of to a control in charge. The rest is told to one that retires, too: what it has under way may wait for an
   * acknowledgement, or for a worker's end.
   */
  #tell(news: WorkerNews): void {
    if (this.#inCharge) this.#control?.send(news);
    else if (news.kind !== 'joined') this.#retired?.send(news);
  }
}

const failed = (text: string): Applied => ({ ok: false, text, put: null });

function linesOf(error: unknown): readonly string[] {
  if (error instanceof ProcessFault) return error.lines;
  return [error instanceof Error ? error.message : String(error)];
}

/** How long a client connection must be silent before a stop, or a reload, closes it without an answer to say so. */
const SILENCE_MS = 1_000;
const RELOAD_SILENCE_MS = 2_000;
/** How long processes may take to end, milliseconds. */
const CUT_MS = 1_000;
const END_MS = 10_000;
const PROVE_MS = 30_000;
