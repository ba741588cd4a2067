/**
 * A world from a seed: clients, servers, commands, faults, crashes. It is run step by step, and after each step everything
 * that must hold is checked. What is wrong is thrown as a `Violation`, with the steps that led to it.
 */

import { hostPort } from '../../src/core/config/address.ts';
import type { Config } from '../../src/core/config/model.ts';
import { CONTROLS, type Command, type Control } from '../../src/core/release/command.ts';
import { isLive, runsInContainers, serves } from '../../src/core/release/state.ts';
import type { Log } from '../../src/system/log.ts';
import { Chance } from '../kit/chance.ts';
import { keptText } from '../kit/kept-text.ts';
import { SimulatedDisk, SLOW_STEP_MS } from './disk.ts';
import { SimulatedEngine } from './engine.ts';
import { Inputs, type RunsOn } from './inputs.ts';
import { Process, STATE_PATH } from './process.ts';
import { Promises } from './promises.ts';
import { ReachRules } from './reach-rules.ts';
import { CLIENTS, Requests } from './requests.ts';
import { TableRules } from './table-rules.ts';
import { SimulatedTime, settled } from './time.ts';
import { Upstreams } from './upstreams.ts';

export class Violation extends Error {}

const TRAIL_MAX = 60;
const HOUR_MS = 3_600_000;

type Step =
  | 'requests'
  | 'wait'
  | 'put'
  | 'put in containers'
  | 'container ends'
  | 'engine'
  | 'delete'
  | 'control'
  | 'server turns bad'
  | 'server recovers'
  | 'wall clock'
  | 'disk fails'
  | 'disk is slow'
  | 'disk recovers'
  | 'stale news'
  | 'restart'
  | 'crash'
  | 'crash while writing'
  | 'crash under load';

const WEIGHTS: Readonly<Record<Step, number>> = {
  requests: 50,
  wait: 15,
  put: 3,
  'put in containers': 2,
  'container ends': 1.5,
  engine: 0.8,
  delete: 1.5,
  control: 4,
  'server turns bad': 6,
  'server recovers': 6,
  'wall clock': 1,
  'disk fails': 0.5,
  'disk is slow': 0.5,
  'disk recovers': 4,
  'stale news': 2,
  restart: 0.5,
  crash: 0.8,
  'crash while writing': 0.5,
  'crash under load': 1,
};

export class World {
  readonly chance: Chance;
  readonly time = new SimulatedTime();
  readonly upstreams: Upstreams;
  readonly #engine: SimulatedEngine;
  readonly #inputs: Inputs;
  readonly #requests: Requests;
  readonly #promises = new Promises();
  readonly #tables: TableRules;
  readonly #reach = new ReachRules();
  readonly #trail: string[] = [];
  readonly #log: Log;
  readonly #disk: SimulatedDisk;
  #config: Config;
  #process: Process | null = null;
  #pendingCommands = 0;
  /** Found inside Cutover, which must not see it thrown. */
  #wrong: string | null = null;

  constructor(seed: number) {
    this.chance = new Chance(seed);
    this.upstreams = new Upstreams(this.chance);
    const { chance, time, upstreams } = this;
    this.#disk = new SimulatedDisk({ chance, time });
    this.#inputs = new Inputs({ chance, time, upstreams });
    this.#tables = new TableRules(
      () => time.nowMs,
      upstreams,
      () => this.#disk.wasSlow,
    );
    this.#requests = new Requests({
      chance,
      time,
      upstreams,
      tables: this.#tables,
      process: () => this.#running,
      onWrong: (what) => {
        this.#wrong ??= what;
      },
    });
    this.#engine = new SimulatedEngine({
      time,
      chance,
      upstreams,
      newAddress: () => this.#inputs.address(),
      onStop: (versionId) => this.#stopping(versionId),
    });
    this.#log = {
      enabled: (level) => level !== 'INFO' && level !== 'DEBUG',
      write: (level, _component, text) => this.#noteLine(level, text),
      always: () => {},
    };
    this.#config = this.#inputs.config();
  }

  async run(steps: number): Promise<void> {
    await this.#start();
    for (let step = 0; step < steps; step += 1) {
      const kind = this.chance.weighed(WEIGHTS);
      await this.#take(kind);
      await this.#settle();
    }
    await this.#end();
  }

  // ---- steps

  async #take(step: Step): Promise<void> {
    const { chance, time } = this;
    switch (step) {
      case 'requests':
        for (let count = 1 + chance.below(8); count > 0; count -= 1) this.#requests.ask();
        await this.#pass(chance.below(60));
        return;
      case 'wait':
        await this.#pass(chance.hits(0.1) ? chance.below(20_000) : chance.below(600));
        return;
      case 'put':
        this.#put(this.#inputs.servers(1 + (chance.hits(0.3) ? chance.below(3) : 0)));
        return;
      case 'put in containers':
        this.#put(this.#inputs.containers());
        return;
      case 'container ends': {
        const ended = this.#engine.endOne();
        if (ended !== null) this.#note(`container ${ended} ends`);
        return;
      }
      case 'engine':
        this.#note(this.#engine.isAway ? 'the engine is back' : 'the engine is away');
        if (this.#engine.isAway) this.#engine.comeBack();
        else this.#engine.goAway();
        return;
      case 'delete':
        if (this.#ids().length > 0) this.#submit({ kind: 'delete', id: chance.pick(this.#ids()) });
        return;
      case 'control':
        if (this.#ids().length === 0) return;
        this.#submit({ kind: chance.pick<Control>(CONTROLS), id: chance.pick(this.#ids()), reason: null });
        return;
      case 'server turns bad':
        this.#turn('bad');
        return;
      case 'server recovers':
        this.#turn('well');
        return;
      case 'wall clock':
        time.wallOffsetMs += chance.pick([-HOUR_MS, HOUR_MS]);
        this.#note(`the wall clock is set off by ${time.wallOffsetMs / HOUR_MS} h`);
        return;
      case 'disk fails':
        this.#disk.fill(chance.pick(['create', 'write', 'sync', 'rename', 'overwrite']));
        this.#note('the disk is full');
        return;
      case 'disk is slow':
        this.#note('the disk is slow');
        this.#disk.slowDown();
        return;
      case 'disk recovers':
        if (!this.#disk.isWell) this.#note('the disk is well');
        this.#disk.recover();
        return;
      case 'stale news':
        await this.#tellStale();
        return;
      case 'restart':
        await this.#restart();
        return;
      case 'crash':
        await this.#crash();
        return;
      case 'crash while writing':
        this.#disk.dieAfter(1 + chance.below(12));
        this.#note('the disk will die soon');
        this.#put(this.#inputs.servers(1));
        return;
      case 'crash under load':
        if (chance.hits(0.4)) this.#disk.fill('create');
        for (let round = 0; round < 12; round += 1) {
          for (let count = 0; count < CLIENTS; count += 1) this.#requests.ask();
          await this.#pass(20);
        }
        await this.#crash();
        return;
    }
  }

  #put(runsOn: RunsOn): void {
    this.#submit({ kind: 'put', spec: this.#inputs.cluster(runsOn, this.#config), origin: 'rest' });
  }

  #submit(command: Command): void {
    const process = this.#running;
    const what = command.kind === 'put' ? `put ${command.spec.version}` : `${command.kind} ${this.#nameOf(command.id)}`;
    const mode = command.kind === 'put' ? command.spec.transition.mode : '';
    this.#pendingCommands += 1;
    this.#tables.expect(command);
    void process.controller.submit(command).then((result) => {
      if (process !== this.#process) return;
      this.#pendingCommands -= 1;
      this.#note(
        `${what} ${mode}: ${result.kind === 'accepted' ? `accepted ${result.id.slice(0, 8)}` : result.reason}`,
      );
      if (result.kind !== 'accepted') return;
      const startedAgain = process.controller.state().versions.find(({ replaces }) => replaces === result.id);
      this.#promises.note(command, result.id, startedAgain?.id);
    });
  }

  #turn(to: 'bad' | 'well'): void {
    const { keys } = this.upstreams;
    if (keys.length === 0) return;
    const [newest] = this.#running.plane.table.chain;
    const isNewest = to === 'bad' && newest !== undefined && this.chance.hits(0.5);
    const key = this.chance.pick(isNewest ? newest.servers.map((server) => server.key) : keys);
    // Often a whole version at once: its servers have the same program.
    const network = key.slice(0, key.lastIndexOf('.'));
    const all = this.chance.hits(0.7) ? keys.filter((other) => other.startsWith(`${network}.`)) : [key];
    const manners = all.map((each) => `${each} ${this.upstreams.turn(each, to, this.time.nowMs)}`);
    this.#note(manners.join(', '));
  }

  /** News of an epoch that is over changes nothing. */
  async #tellStale(): Promise<void> {
    const { observer, controller } = this.#running;
    const stale = this.#tables.staleEpoch(this.chance);
    if (stale === null || this.#pendingCommands > 0) return;
    const { id: versionId, epoch } = stale;
    const look = (): string => JSON.stringify([controller.list(), controller.ledger(), this.#running.plane.table]);
    look();
    await settled();
    const before = look();
    const server = '10.0.0.1:80';
    for (let n = 0; n < 8; n += 1) {
      observer.outcome({ versionId, epoch, kind: 'answered', server, latencyMs: 1, direct: true, counts: true });
      observer.outcome({ versionId, epoch, kind: 'refused', server, latencyMs: 1, direct: true, counts: true });
      observer.finding({ versionId, epoch, kind: 'blamed', cause: 'reset', server, absorbed: true, text: 'stale' });
    }
    await settled();
    if (look() !== before)
      this.#fail(`News of epoch ${epoch} of ${this.#nameOf(versionId)}, which is over, changed the state`);
  }

  // ---- lives

  async #start(): Promise<void> {
    const { time, chance, upstreams } = this;
    this.#process = await Process.start({
      config: this.#config,
      time,
      chance,
      upstreams,
      disk: this.#disk.files,
      engine: this.#engine,
      log: this.#log,
      onTable: (table, state) => {
        const wrong = this.#tables.judge(table, state, keptText(this.#disk.files, STATE_PATH));
        if (wrong !== null) this.#wrong ??= wrong;
      },
    });
    await settled();
    this.#check();
  }

  async #restart(): Promise<void> {
    // A full disk would lose what the end writes, which is a crash's business.
    this.#disk.heal();
    this.#note('restart');
    // What a slow one is at comes to its end.
    await this.#pass(SLOW_STEP_MS);
    this.#requests.drop();
    await this.#running.close();
    this.#tables.newLife();
    await this.#start();
    this.#keepPromises('any');
  }

  async #crash(): Promise<void> {
    const isSettled = this.#pendingCommands === 0 && this.#disk.hasCaughtUp;
    const before = isSettled ? this.#promises.look(this.#running.controller) : null;
    this.#requests.drop();
    this.#running.die();
    this.#process = null;
    this.#pendingCommands = 0;
    this.#disk.crash();
    this.#tables.newLife();
    const isChanged = this.chance.hits(0.1);
    if (isChanged) this.#config = this.#inputs.config();
    this.#note(`crash${isSettled ? ' in quiet' : ''}${isChanged ? ', and the configuration has changed' : ''}`);
    await this.#pass(this.chance.below(2000));
    await this.#start();
    this.#keepPromises(before !== null && !isChanged ? before : 'any');
  }

  #keepPromises(before: ReturnType<Promises['look']> | 'any'): void {
    const wrong = this.#promises.judge(this.#running.controller, before);
    if (wrong !== null) this.#fail(wrong);
  }

  // ---- the world around

  async #pass(durationMs: number): Promise<void> {
    await this.time.pass(durationMs, () => this.#check());
  }

  async #settle(): Promise<void> {
    await settled();
    this.#check();
    if (this.#disk.isDead) await this.#crash();
  }

  /** What must hold at every moment. */
  #check(): void {
    this.#disk.look();
    if (this.#wrong !== null) this.#fail(this.#wrong);
    const process = this.#process;
    if (process === null) return;
    const state = process.controller.state();
    const { versions } = state;
    const isEmpty = process.plane.table.chain.length === 0;
    if (isEmpty && versions.some(serves)) this.#fail('No version serves');
    if (!isEmpty && !versions.some(isLive)) this.#fail('No version is left');
    const { upstreams, time } = this;
    // It has died, and is buried in a moment; or all takes a while.
    if (this.#disk.isDead || this.#disk.wasSlow) return;
    const wrong = this.#reach.judge({ state, told: this.#engine.told, upstreams, nowMs: time.nowMs });
    if (wrong !== null) this.#fail(wrong);
  }

  /** All goes well again: everything ends, and nothing is left over. */
  async #end(): Promise<void> {
    this.#note('all goes well again');
    this.#disk.heal();
    this.#engine.failing = 0;
    this.#engine.comeBack();
    for (const key of this.upstreams.keys) this.upstreams.turn(key, 'well', this.time.nowMs);
    await this.#pass(45_000);
    await this.#settle();
    const { plane, controller } = this.#running;
    const { versions } = controller.state();
    // What was starting alone may have been taken back by hand.
    if (plane.table.chain.length === 0 && versions.some(isLive)) this.#fail('No version serves though all goes well');
    // A release may have ended a moment ago.
    for (let tries = 0; tries < 4 && this.#wrongContainers() !== null; tries += 1) await this.#pass(1_000);
    const wrong = this.#wrongContainers();
    if (wrong !== null) this.#fail(wrong);
    if (this.#requests.open > 0) this.#fail(`${this.#requests.open} exchanges never ended`);
    const busy = plane.table.chain.filter(({ id }) => (plane.register.find(id)?.inFlight ?? 0) !== 0);
    if (busy.length > 0) this.#fail(`Version ${busy[0]?.version} counts exchanges in flight that are over`);
    if (plane.budget.usedBytes !== 0) this.#fail(`${plane.budget.usedBytes} bytes are kept of exchanges that are over`);
    if (plane.droppedAnswers !== 0) this.#fail(`${plane.droppedAnswers} dropped answers are counted that are over`);
    await this.#running.close();
  }

  /** What runs for nothing, or does not run, or not where it is sought; or null. What is on trial is judged by what it has lost. */
  #wrongContainers(): string | null {
    const { versions } = this.#running.controller.state();
    const live = versions.filter((version) => isLive(version) && runsInContainers(version));
    const running = this.#engine.running();
    const left = [...running.keys()].filter((id) => !live.some((version) => version.id === id));
    if (left.length > 0) return `Containers of ${left.map((id) => this.#nameOf(id)).join()} run for nothing`;
    for (const { id, spec } of live.filter(({ trial }) => trial === null)) {
      const replicas = spec.containers.reduce((sum, container) => sum + container.replicas, 0);
      const servers = running.get(id) ?? [];
      if (servers.length !== replicas) return `${servers.length} of ${replicas} containers of ${this.#nameOf(id)} run`;
      const known = spec.servers.map(({ host, port }) => hostPort(host, port));
      if (known.toSorted().join() !== servers.toSorted().join())
        return `${this.#nameOf(id)} runs at ${servers.join()}, and is sought at ${known.join()}`;
    }
    return null;
  }

  get #running(): Process {
    if (this.#process === null) throw new Error('No process is running');
    return this.#process;
  }

  #ids(): readonly string[] {
    return this.#running.controller.list().map(({ cluster }) => cluster.uuid);
  }

  #nameOf(id: string): string {
    return `${this.#process?.controller.status(id)?.version} ${id.slice(0, 8)}`;
  }

  /** The table must have let go of it before. */
  #stopping(id: string): void {
    const { plane } = this.#running;
    if (plane.table.chain.some((route) => route.id === id))
      this.#wrong ??= `${this.#nameOf(id)} is stopped while it serves`;
    this.#note(`${this.#nameOf(id)} is stopped`);
  }

  #noteLine(level: string, text: string): void {
    this.#note(`${level} ${text}`);
    if (level === 'CRITICAL') this.#wrong ??= text;
  }

  #note(text: string): void {
    this.#trail.push(`${this.time.nowMs} ms: ${text}`);
    if (this.#trail.length > TRAIL_MAX) this.#trail.shift();
  }

  #fail(what: string): never {
    throw new Violation([what, ...this.#trail].join('\n  '));
  }
}
