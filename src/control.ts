/**
 * The control process: the controller with its store, the config service, and the adapters. Main starts it and gives it the config
 * service's socket; the workers are reached by way of main. When main is gone it ends at once, so that the state is free for the next
 * Cutover: everything that was answered is kept.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { ReloadResult } from './api/contract.ts';
import { assembleControl, type ControlPlane, type Kept, openKept } from './assemble-control.ts';
import { Observer } from './control/observer.ts';
import { echoConfig } from './core/config/echo.ts';
import type { Config, PlaneConfig } from './core/config/model.ts';
import { newCounters, valuesOf } from './core/counters.ts';
import { allButCluster, type LoadedConfig, loadConfig } from './load-config.ts';
import { Fleet } from './processes/fleet.ts';
import {
  type ControlToMain,
  type LogSettings,
  type MainToControl,
  PROTOCOL,
  type SocketAddress,
} from './processes/messages.ts';
import { Tally } from './processes/tally.ts';
import { readDocument } from './store/document.ts';
import { StateFault } from './store/fault.ts';
import { type Lock, takeLock } from './store/lock.ts';
import { ParentStore } from './store/parent.ts';
import { realClock } from './system/clock.ts';
import { ownerOf } from './system/identity.ts';
import { createLog, endOnUncaught, type ProcessLog } from './system/log.ts';
import { openStandardError } from './system/log-destination.ts';
import { type LogTerminal, openLogTerminal } from './system/log-terminal.ts';
import { BackgroundNames } from './system/names.ts';
import { type Parent, parentOf } from './system/parent.ts';
import { goFirst } from './system/priority.ts';

type Message<Kind extends MainToControl['kind']> = Extract<MainToControl, { readonly kind: Kind }>;

interface Begun {
  readonly path: string;
  readonly loaded: LoadedConfig;
  readonly log: LogSettings;
}

class Control {
  readonly #parent: Parent<MainToControl, ControlToMain>;
  readonly #loaded: LoadedConfig;
  readonly #path: string;
  readonly #log: ProcessLog;
  /** All processes share it; what this one shows there gives way to what the others write. */
  readonly #terminal: LogTerminal | null;
  #plane: ControlPlane | null = null;
  #fleet: Fleet | null = null;
  #tally: Tally | null = null;
  /** Calls that wait for the end of a reload. */
  readonly #reloads: ((result: ReloadResult) => void)[] = [];

  constructor(parent: Parent<MainToControl, ControlToMain>, { loaded, log, path }: Begun) {
    this.#parent = parent;
    this.#path = path;
    this.#loaded = loaded;
    const destination = openStandardError('others');
    this.#terminal = openLogTerminal(destination, log);
    this.#log = createLog({ ...log, destination: this.#terminal ?? destination });
    endOnUncaught(this.#log, 'control');
  }

  async take(message: Exclude<MainToControl, Message<'load'>>, handle: unknown): Promise<void> {
    switch (message.kind) {
      case 'serve':
        await this.#serve(message, handle as object);
        break;
      case 'opened':
        this.#sayOpened(message);
        this.#plane?.opened();
        break;
      case 'open-already':
        this.#plane?.opened();
        break;
      case 'joined':
        await this.#fleet?.join(message.worker);
        break;
      case 'left':
        this.#fleet?.leave(message.worker);
        break;
      case 'from-worker':
        this.#fleet?.receive(message.worker, message.message);
        break;
      case 'apply':
        await this.#apply(message.text);
        break;
      case 'reloaded':
        for (const answer of this.#reloads.splice(0)) answer(message);
        break;
      case 'retire':
        // What is under way may wait for workers.
        await this.#plane?.retire();
        this.#fleet = null;
        this.#tally?.close();
        this.#parent.send({ kind: 'retired' });
        break;
      case 'close-api':
        await this.#plane?.closeApi();
        break;
      case 'end':
        await this.#plane?.close();
        this.#log.flush();
        process.exit(0);
    }
  }

  /** Takes charge of the workers: they get its table before anybody can call it. */
  async #serve({ workers, document, tally: before }: Message<'serve'>, socket: object): Promise<void> {
    const { config } = this.#loaded;
    const clock = realClock;
    const observer = new Observer();
    const tally = new Tally(before ?? { sinceMs: clock.wallMs(), values: valuesOf(newCounters()) }, {
      clock,
      keep: (state) => this.#parent.send({ kind: 'tally', tally: state }),
    });
    this.#tally = tally;
    const fleet = new Fleet({
      clock,
      observer,
      tally,
      send: (worker, message) => this.#parent.send({ kind: 'to-worker', worker, message }),
      onHung: (worker) => this.#parent.send({ kind: 'hung', worker }),
    });
    this.#fleet = fleet;
    for (const worker of workers) void fleet.join(worker);
    try {
      const kept = await this.#openKept(document);
      const names = new BackgroundNames();
      const reload = () => this.#reload();
      const log = this.#log;
      const counters = () => tally.state;
      const live = this.#terminal?.show.bind(this.#terminal) ?? null;
      const planes = { observer, dataPlane: fleet };
      const owner = config.state === null ? ownerOf(this.#path, config.configService.port) : null;
      this.#plane = assembleControl({ config, clock, log, names, kept, ...planes, counters, reload, live, owner });
      const { put } = await this.#plane.begin(socket);
      await fleet.begin();
      this.#parent.send({ kind: 'serving', put });
    } catch (error) {
      const exitCode = error instanceof StateFault && error.kind === 'unusable' ? 2 : 1;
      await this.#fail([error instanceof Error ? error.message : String(error)], exitCode);
    }
  }

  /** Main has the configuration read by a process of the code that is installed now. */
  #reload(): Promise<ReloadResult> {
    return new Promise((resolve) => {
      this.#reloads.push(resolve);
      if (this.#reloads.length === 1) this.#parent.send({ kind: 'reload' });
    });
  }

  async #apply(text: string): Promise<void> {
    const loaded = loadConfig(this.#path, text);
    const refused = { ok: false, text: loaded.ok ? 'Cutover is stopping' : loaded.errors.join('; ') };
    const result = loaded.ok ? await this.#plane?.apply(loaded.config) : undefined;
    this.#parent.send({ kind: 'applied', put: null, ...(result ?? refused) });
  }

  async #fail(lines: readonly string[], exitCode: number): Promise<void> {
    this.#log.flush();
    await fail(this.#parent, lines, exitCode);
  }

  async #openKept(document: string | null): Promise<Kept> {
    const { config } = this.#loaded;
    if (config.state !== null) return openKept(config, { clock: realClock, log: this.#log, lock: takeLockSoon });
    const store = new ParentStore(realClock, (text) => this.#parent.deliver({ kind: 'keep', document: text }));
    const read = document === null ? null : readDocument(Buffer.from(document));
    return { store, state: read?.kind === 'state' ? read.state : null, close: () => store.flush() };
  }

  #sayOpened({ proxyPort, configPort }: Message<'opened'>): void {
    const { config, text, warnings } = this.#loaded;
    const bound = { proxy: proxyPort, configService: configPort };
    this.#log.always('NOTICE', 'main', echoConfig(config, text, bound));
    for (const warning of warnings) this.#log.write('WARNING', 'config', warning);
  }
}

const LOCK_STEP_MS = 50;
const LOCK_TRIES = 20;

/** A control process that has lost its main process needs a moment to end, and holds the lock until then. */
async function takeLockSoon(realPath: string): Promise<Lock | null> {
  for (let tries = 1; ; tries += 1) {
    const lock = await takeLock(realPath);
    if (lock !== null || tries === LOCK_TRIES) return lock;
    await new Promise<void>((resolve) => realClock.after(LOCK_STEP_MS, resolve));
  }
}

async function begin(parent: Parent<MainToControl, ControlToMain>, message: Message<'load'>): Promise<Control | null> {
  const loaded = loadConfig(message.path, message.text);
  if (!loaded.ok) {
    await fail(parent, loaded.errors, 2);
    return null;
  }
  const { config, text } = loaded;
  const level = message.level ?? config.log.level ?? 'WARNING';
  const log = { level, format: message.format ?? config.log.format ?? 'text' } as const;
  const workers = config.workers === 'auto' ? availableParallelism() : config.workers;
  const settings = { proxy: addressOf(config.proxy), configService: addressOf(config.configService), workers, log };
  // Hashed, since there may be secrets in it.
  const rest = createHash('sha256').update(allButCluster(config)).digest('hex');
  const control = new Control(parent, { loaded, log, path: message.path });
  parent.send({
    kind: 'loaded',
    settings,
    plane: planeConfigOf(config),
    text,
    rest,
    state: config.state?.file ?? null,
  });
  return control;
}

function addressOf({ hostname, port }: SocketAddress): SocketAddress {
  return { hostname, port };
}

function planeConfigOf({ proxy, cookies, ignorePaths, timeouts, limits, replay }: Config): PlaneConfig {
  return { proxy, cookies, ignorePaths, timeouts, limits, replay };
}

async function fail(parent: Parent<MainToControl, ControlToMain>, lines: readonly string[], exitCode: number) {
  await parent.deliver({ kind: 'failed', lines, exitCode }).catch(() => {});
  process.exit(exitCode);
}

// It does little, and a PUT or a rollback waits for it: under full load the workers would take turns with it.
goFirst();
const parent = parentOf<MainToControl, ControlToMain>();
let control: Promise<Control | null> = Promise.resolve(null);
parent.onLost(() => process.exit(0));
parent.onMessage((message, handle) => {
  if (message.kind === 'load') control = begin(parent, message);
  else void control.then((begun) => begun?.take(message, handle));
});
parent.send({ kind: 'up', protocol: PROTOCOL });
