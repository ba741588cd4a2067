/** One upgrade in one mode, told step by step: old, upgrade, new, crash, old again. */
import { freePort } from '../test/kit/ports.ts';
import { Browser, type Tally } from './browser.ts';
import { type Flaky, startFlaky } from './flaky.ts';
import type { Narrator } from './narrator.ts';
import { type Cluster, type RunningProxy, startProxy } from './proxy.ts';
import { startWiki, type Wiki } from './wiki.ts';

export const OLD = '5.3.8';
export const NEW = '5.4.1';
/** What to ask for to see a release that is rolled back. */
export const ROLLBACK = 'ROLLBACK';
const BROWSERS = 8;
/** Good answers that make a phase: enough to see that it holds. */
const ANSWERS_PER_PHASE = 500;
/** A step that takes longer did not happen. */
const STEP_LIMIT_MS = 20_000;

export interface Scenario {
  readonly mode: 'INSTANT' | 'SESSION' | 'GRADUAL' | 'CONCURRENT';
  readonly story: string;
  readonly upgradeTransition: Readonly<Record<string, unknown>>;
  /** Without flags the upgrade is a REST call, with them a command line. */
  readonly flags?: readonly string[];
}

export const SCENARIOS: readonly Scenario[] = [
  {
    mode: 'INSTANT',
    story: 'everybody moves at once',
    upgradeTransition: { mode: 'INSTANT' },
  },
  {
    mode: 'SESSION',
    story: 'who has a session stays, who comes anew gets the new version',
    upgradeTransition: { mode: 'SESSION', sessionTimeout: 60 },
    flags: ['--mode', 'SESSION', '--session-timeout', '60'],
  },
  {
    mode: 'GRADUAL',
    story: 'clients move one after the other, 0.1 % more with each answered request',
    upgradeTransition: { mode: 'GRADUAL', percentageTransitionPerRequest: 0.1 },
  },
  {
    mode: 'CONCURRENT',
    story: 'both versions do the work, the newest that behaves answers',
    upgradeTransition: { mode: 'CONCURRENT' },
    flags: ['--mode', 'CONCURRENT'],
  },
];

export interface Result {
  readonly requests: number;
  readonly failures: readonly string[];
}

/** Plays one scenario; rejects when one of its steps does not happen. */
export async function playUpgrade(scenario: Scenario, folder: string, narrator: Narrator): Promise<Result> {
  const [oldPort, newPort] = [await freePort(), await freePort()];
  const [old, next] = await Promise.all([startWiki(OLD, folder, oldPort), startWiki(NEW, folder, newPort)]);
  const proxy = await startProxy(folder, clusterOf(old));
  let exitCode: number | null = null;
  const stage = new Stage(proxy, narrator, await proxy.firstId());
  try {
    narrator.heading(scenario.mode, scenario.story);
    await stage.welcome('Ann Bob Cid Dee Eve Fay Gus Hal'.split(' ').slice(0, BROWSERS));
    await stage.watch('old version', OLD);
    const id = await stage.upgrade(scenario, next);
    if (scenario.mode === 'SESSION') await stage.turnOver();
    if (scenario.mode === 'GRADUAL') await stage.ramp();
    await stage.watch('new version', NEW);
    await stage.crash(next, id);
    await stage.watch('back on old', OLD);
  } finally {
    await stage.farewell();
    exitCode = await proxy.stop();
    await Promise.all([old.kill(), next.kill()]);
  }
  if (exitCode !== 0) throw new Error(`Cutover ended with code ${exitCode}`);
  return stage.result();
}

/** A release that answers three requests of ten with 500: it is rolled back, and no client sees one. */
export async function playBadRelease(folder: string, narrator: Narrator): Promise<Result> {
  const [oldPort, newPort] = [await freePort(), await freePort()];
  const [old, next] = await Promise.all([startWiki(OLD, folder, oldPort), startWiki(NEW, folder, newPort)]);
  const flaky = await startFlaky(next);
  const proxy = await startProxy(folder, clusterOf(old));
  const stage = new Stage(proxy, narrator, await proxy.firstId());
  try {
    narrator.heading(ROLLBACK, 'the new version answers 3 requests of 10 with 500');
    await stage.welcome('Ann Bob Cid Dee Eve Fay Gus Hal'.split(' ').slice(0, BROWSERS));
    await stage.watch('old version', OLD);
    const bad: Scenario = { mode: 'INSTANT', story: '', upgradeTransition: { mode: 'INSTANT' } };
    const id = await stage.upgrade(bad, { ...next, port: flaky.port });
    await stage.rollback(id, flaky);
    await stage.watch('back on old', OLD);
  } finally {
    await stage.farewell();
    await proxy.stop();
    flaky.close();
    await Promise.all([old.kill(), next.kill()]);
  }
  return stage.result();
}

/** The proxy, the browsers in front of it and what they have seen. */
class Stage {
  readonly #proxy: RunningProxy;
  readonly #narrator: Narrator;
  /** The id of the old version; any other id that a cookie names is the new one's, from before its PUT is answered. */
  readonly #oldId: string;
  readonly #tally: Tally = { answers: new Map(), failures: [] };
  #browsers: Browser[] = [];

  constructor(proxy: RunningProxy, narrator: Narrator, oldId: string) {
    this.#proxy = proxy;
    this.#narrator = narrator;
    this.#oldId = oldId;
  }

  /** Browsers come: each loads the page, then works. */
  async welcome(names: readonly string[]): Promise<void> {
    const where = {
      port: this.#proxy.port,
      tally: this.#tally,
      versionOf: (cookie: string) => (cookie === this.#oldId ? OLD : NEW),
    };
    const coming = names.map((name) => new Browser(name, where));
    await Promise.all(coming.map((browser) => browser.open()));
    this.#browsers.push(...coming);
    const versions = [...new Set(coming.map((browser) => browser.version))].join(' and ');
    this.#narrator.line('browsers', `${names.length} load the page of ${versions}, then save notes and ask for news`);
  }

  /** Counts answers until `version` alone has given enough of them in a row. */
  async watch(what: string, version: string): Promise<void> {
    const before = this.#count(version);
    await until(`${ANSWERS_PER_PHASE} answers of ${version}`, () => this.#count(version) >= before + ANSWERS_PER_PHASE);
    await until(`everybody on ${version}`, () => this.#on(version) === this.#browsers.length);
    this.#traffic(what, 'green');
  }

  /** Hands the new version to Cutover; gives its id. */
  async upgrade(scenario: Scenario, next: Wiki): Promise<string> {
    const id =
      scenario.flags === undefined
        ? await this.#putByRest(scenario, next)
        : await this.#putByCommand(scenario.flags, next);
    this.#narrator.line('', `-> ${id}`);
    return id;
  }

  #putByRest({ upgradeTransition }: Scenario, next: Wiki): Promise<string> {
    this.#narrator.line(
      'upgrade',
      `PUT /configuration/cluster  version ${NEW}, ${JSON.stringify(upgradeTransition)}`,
      'bold',
    );
    return this.#proxy.putByRest(clusterOf(next, upgradeTransition));
  }

  #putByCommand(flags: readonly string[], next: Wiki): Promise<string> {
    const all = ['--server', `127.0.0.1:${next.port}`, '--version', NEW, ...flags];
    this.#narrator.line('upgrade', `cutover put ${all.join(' ')}`, 'bold');
    return this.#proxy.putByCommand(all);
  }

  /** SESSION: new browsers come and get the new version while the old ones stay; then the old ones go. */
  async turnOver(): Promise<void> {
    const staying = [...this.#browsers];
    await this.welcome(['Ida', 'Jon', 'Kim', 'Leo']);
    const before = this.#count(OLD);
    await until('answers for the old sessions', () => this.#count(OLD) >= before + ANSWERS_PER_PHASE);
    const kept = staying.every((browser) => browser.version === OLD);
    if (!kept || this.#on(NEW) !== 4) throw new Error('A session moved, or a new browser did not');
    this.#traffic('both', 'green');
    await Promise.all(staying.map((browser) => browser.leave()));
    this.#browsers = this.#browsers.filter((browser) => !staying.includes(browser));
    this.#narrator.line('sessions', `the ${staying.length} old ones end`);
  }

  /** GRADUAL: a line for each quarter of the browsers that have moved. */
  async ramp(): Promise<void> {
    for (let moved = 2; moved < this.#browsers.length; moved += 2) {
      await until(`${moved} browsers on ${NEW}`, () => this.#on(NEW) >= moved);
      this.#traffic('ramp', 'plain');
    }
  }

  /** Kills the new version and waits until Cutover has taken it back. */
  async crash(next: Wiki, id: string): Promise<void> {
    await next.kill();
    this.#narrator.line('kill -9', `TiddlyWiki ${NEW}, process ${next.pid}`, 'red');
    await until('the removal of the new version', () => /WARNING.*Removing cluster/.test(this.#proxy.log));
    const said = /WARNING\s*-\s*(Removing cluster[^\n]*)/.exec(this.#proxy.log)?.[1] ?? '';
    this.#narrator.line('cutover', said, 'yellow');
    if (await this.#proxy.shows(id)) throw new Error('The new version is still configured');
  }

  /** Waits for the verdict, and shows the line of the ledger that says why. */
  async rollback(id: string, flaky: Flaky): Promise<void> {
    const line = /(Release of version [^\n]* is over: failed[^\n]*)/;
    await until('the rollback of the new version', () => line.test(this.#proxy.log));
    this.#narrator.line(
      '500s',
      `${flaky.errors()} answers of the new version were errors, and none reached a browser`,
      'red',
    );
    for (const part of (line.exec(this.#proxy.log)?.[1] ?? '').split(/; |: /))
      this.#narrator.line('ledger', part, 'yellow');
    if (await this.#proxy.shows(id)) throw new Error('The new version is still configured');
  }

  async farewell(): Promise<void> {
    await Promise.all(this.#browsers.map((browser) => browser.leave()));
    this.#browsers = [];
  }

  result(): Result {
    const requests = this.#count(OLD) + this.#count(NEW) + this.#tally.failures.length;
    this.#narrator.line(
      this.#tally.failures.length === 0 ? 'done' : 'FAILED',
      `${requests} client requests, ${this.#tally.failures.length} failed`,
      this.#tally.failures.length === 0 ? 'bold' : 'red',
    );
    return { requests, failures: this.#tally.failures };
  }

  #traffic(what: string, colour: 'green' | 'plain'): void {
    const bar = `${'#'.repeat(this.#on(NEW))}${'.'.repeat(this.#on(OLD))}`;
    const counts = [OLD, NEW].map((version) => `${version} ${String(this.#count(version)).padStart(5)}`).join('   ');
    this.#narrator.line(what, `${bar.padEnd(12)}  answers ${counts}   failed ${this.#tally.failures.length}`, colour);
  }

  /** Browsers whose last answer came from this version. */
  #on(version: string): number {
    return this.#browsers.filter((browser) => browser.version === version).length;
  }

  #count(version: string): number {
    return this.#tally.answers.get(version) ?? 0;
  }
}

function clusterOf(wiki: Wiki, upgradeTransition?: Readonly<Record<string, unknown>>): Cluster {
  const servers = [{ hostname: '127.0.0.1', port: wiki.port }];
  return { version: wiki.version, servers, ...(upgradeTransition ? { upgradeTransition } : {}) };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const limit = performance.now() + STEP_LIMIT_MS;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`This did not happen within ${STEP_LIMIT_MS / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
