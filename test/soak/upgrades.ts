/**
 * What goes on while the load runs: one version after the other, good ones in all modes to the end, bad ones that have to be taken
 * back, some deleted or rolled back by hand in mid-release.
 */
import { setTimeout as passed } from 'node:timers/promises';
import type { Mode } from '../../src/core/config/model.ts';
import { childrenOf } from '../kit/processes.ts';
import type { Fault } from './application.ts';
import type { Change, SoakedCutover } from './cutover.ts';
import { Releases } from './release.ts';
import type { Versions } from './versions.ts';

export interface Happened {
  upgrades: number;
  /** By the verdict. */
  rollbacks: number;
  /** Rolled back or deleted by hand in mid-release. */
  undone: number;
  /** Never ready. */
  refused: number;
  /** Killed, and replaced. */
  workerDeaths: number;
  controlDeaths: number;
  /** All processes but main replaced. */
  reloads: number;
}

/** Short, so that many releases go to their end. */
const COMMON = { regretWindow: 1, readyTimeout: 1 };

/**
 * On a busy machine a second may pass before a bad version has failed at all, and a quarter of one between the head and the end of what
 * it breaks off; it is neither to be trusted by then nor its answer to be begun.
 */
const BAD = { regretWindow: 600, replay: { holdTime: 10 } };

const OPTIONS: Readonly<Record<Mode, Readonly<Record<string, unknown>>>> = {
  INSTANT: {},
  SESSION: { sessionTimeout: 600 },
  GRADUAL: { percentageTransitionPerRequest: 0.2 },
  CONCURRENT: {},
};

/** How long a release that only a person ends goes on, milliseconds. */
const DWELL_MS = 1200;

type Step = (upgrades: Upgrades) => Promise<void>;

const good = (mode: Mode): Step => {
  return (upgrades) => upgrades.good(mode);
};
const bad = (mode: Mode, fault: Fault): Step => {
  return (upgrades) => upgrades.bad(mode, fault);
};
const undone = (mode: Mode, by: 'rollback' | 'delete'): Step => {
  return (upgrades) => upgrades.undone(mode, by);
};

const killed = (kind: 'worker' | 'control'): Step => {
  return (upgrades) => upgrades.kill(kind);
};

const reloaded = (change: Change): Step => {
  return (upgrades) => upgrades.reload(change);
};

export const STEPS: readonly Step[] = [
  good('INSTANT'),
  bad('INSTANT', 'errors'),
  killed('worker'),
  reloaded('configuration'),
  bad('GRADUAL', 'resets'),
  killed('control'),
  reloaded('code'),
  good('SESSION'),
  undone('SESSION', 'rollback'),
  bad('CONCURRENT', 'cuts'),
  good('CONCURRENT'),
  bad('SESSION', 'refuses'),
  undone('GRADUAL', 'delete'),
  bad('INSTANT', 'cuts'),
  good('GRADUAL'),
  undone('CONCURRENT', 'rollback'),
  bad('SESSION', 'resets'),
  bad('GRADUAL', 'errors'),
  bad('INSTANT', 'resets'),
  bad('CONCURRENT', 'errors'),
];

export class Upgrades {
  /** What is under way, for people. */
  now = '';
  readonly happened: Happened = {
    upgrades: 0,
    rollbacks: 0,
    undone: 0,
    refused: 0,
    workerDeaths: 0,
    controlDeaths: 0,
    reloads: 0,
  };
  /** When workers were killed, `performance.now()`. */
  readonly workerDeathsMs: number[] = [];
  readonly #cutover: Pick<SoakedCutover, 'pid' | 'reload'>;
  readonly #versions: Versions;
  readonly #releases: Releases;
  /** What serves. */
  #stable: { readonly version: string; readonly id: string };
  #newest: number;

  constructor(
    versions: Versions,
    cutover: Pick<SoakedCutover, 'pid' | 'configPort' | 'reload'>,
    stable: { readonly version: string; readonly id: string },
  ) {
    this.#cutover = cutover;
    this.#versions = versions;
    this.#releases = new Releases(cutover.configPort);
    this.#stable = stable;
    this.#newest = Number(stable.version);
  }

  /** Until it is stable, and the version before it is deleted and has drained. */
  async good(mode: Mode): Promise<void> {
    const { version, id } = await this.#put(mode, 'none');
    if (mode === 'SESSION' || mode === 'CONCURRENT') {
      await this.#releases.reaches(id, ['releasing']);
      await passed(DWELL_MS);
      await this.#releases.decide(id, 'promote');
    }
    await this.#finish(version, id);
  }

  async #finish(version: string, id: string): Promise<void> {
    await this.#releases.reaches(id, ['stable']);
    const before = this.#stable;
    this.#stable = { version, id };
    await this.#releases.remove(before.id);
    await this.#releases.reaches(before.id, ['retired']);
    this.#versions.stop(before.version);
    this.happened.upgrades += 1;
  }

  async bad(mode: Mode, fault: Fault): Promise<void> {
    const { version, id } = await this.#put(mode, fault);
    await this.#releases.reaches(id, ['failed']);
    this.#versions.stop(version);
    this.happened[fault === 'refuses' ? 'refused' : 'rollbacks'] += 1;
  }

  async undone(mode: Mode, by: 'rollback' | 'delete'): Promise<void> {
    const { version, id } = await this.#put(mode, 'none');
    await this.#releases.reaches(id, ['releasing', 'watching']);
    await passed(DWELL_MS / 2);
    if (by === 'rollback') await this.#releases.decide(id, 'rollback');
    else await this.#releases.remove(id);
    await this.#releases.reaches(id, ['failed', 'retired']);
    this.#versions.stop(version);
    this.happened.undone += 1;
  }

  /** In the middle of a release, which goes on. */
  async kill(kind: 'worker' | 'control'): Promise<void> {
    const { version, id } = await this.#put('GRADUAL', 'none');
    await this.#releases.reaches(id, ['releasing']);
    const [pid] = childrenOf(this.#cutover.pid)[kind === 'worker' ? 'workers' : 'control'];
    if (pid === undefined) throw new Error(`There is no ${kind}`);
    this.now = `a ${kind} is killed`;
    if (kind === 'worker') this.workerDeathsMs.push(performance.now());
    process.kill(pid, 'SIGKILL');
    this.happened[kind === 'worker' ? 'workerDeaths' : 'controlDeaths'] += 1;
    await this.#finish(version, id);
  }

  /** In the middle of a release, which goes on with other processes. */
  async reload(change: Change): Promise<void> {
    const { version, id } = await this.#put('GRADUAL', 'none');
    await this.#releases.reaches(id, ['releasing']);
    this.now = `a reload, other ${change}`;
    await this.#cutover.reload(change);
    this.happened.reloads += 1;
    await this.#finish(version, id);
  }

  async #put(mode: Mode, fault: Fault): Promise<{ readonly version: string; readonly id: string }> {
    this.#newest += 1;
    const version = String(this.#newest);
    this.now = `version ${version}, ${mode}, ${fault === 'none' ? 'good' : fault}`;
    const port = await this.#versions.start(version, fault);
    const id = await this.#releases.put(version, port, {
      mode,
      ...COMMON,
      ...OPTIONS[mode],
      ...(fault === 'none' ? {} : BAD),
    });
    return { version, id };
  }
}
