/**
 * The soak: steady load through the built `bin/cutover` while versions come and go. No request may fail, and in the last fifth of
 * the time no more memory and no more descriptors may be held than in the second.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { listVersions } from '../kit/config-service.ts';
import { startCutover } from './cutover.ts';
import { type Failure, Load } from './load.ts';
import { type Holdings, holdingsOf } from './processes.ts';
import { type Happened, STEPS, Upgrades } from './upgrades.ts';
import { Versions } from './versions.ts';

export interface SoakOptions {
  /** At least; it goes on until a few versions have come and gone. */
  readonly durationMs: number;
  /** Requests per second. */
  readonly rate: number;
  readonly clients: number;
  /** Called about every ten seconds, and at each failure, with a line. */
  readonly tell: (line: string) => void;
}

export interface SoakReport extends Happened {
  readonly durationMs: number;
  readonly clients: number;
  readonly answered: number;
  readonly left: number;
  readonly failures: readonly Failure[];
  /** On the connections of a worker that was killed. */
  readonly lost: readonly Failure[];
  /** Milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly second: Holdings;
  readonly last: Holdings;
  /** Without a client: before the load, and when it had ended. */
  readonly idleDescriptors: readonly [before: number, after: number];
  /** What the log says at CRITICAL. */
  readonly complaints: readonly string[];
}

const SAMPLE_MS = 500;
const STEPS_MIN = 8;
/** Pooled connections are closed after `timeouts.upstreamIdle` (4 s), and nobody tells. */
const POOLS_EMPTY_MS = 10_000;
/** This harness's own connections to the config service, which `fetch` keeps. */
const OWN_CONNECTIONS = 4;

export async function soak({ durationMs, rate, clients, tell }: SoakOptions): Promise<SoakReport> {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-soak-'));
  const versions = new Versions();
  const cutover = await startCutover(folder, await versions.start('1'));
  try {
    const idleBefore = holdingsOf(cutover.pid).descriptors;
    const [first] = await listVersions(cutover.configPort);
    const upgrades = new Upgrades(versions, cutover, { version: '1', id: first?.uuid ?? '' });
    const begunMs = performance.now();
    const load = new Load(cutover.port, {
      clients,
      rate,
      onFailure: ({ client, text, askedMs, failedMs }) =>
        tell(
          `${seconds(failedMs - begunMs)}: failed after ${(failedMs - askedMs).toFixed(0)} ms: ${client}: ${text} (${upgrades.now})`,
        ),
    });
    const samples: Holdings[] = [];
    let steps = 0;
    const isOver = (): boolean => steps >= STEPS_MIN && performance.now() - begunMs >= durationMs;
    const watching = watch(cutover.pid, samples, isOver, () => {
      const { rssBytes, descriptors } = samples.at(-1) as Holdings;
      const { answered, failures } = load;
      tell(
        `${seconds(performance.now() - begunMs)}: ${answered} answered, ${failures.length} failed, ` +
          `${mebibytes(rssBytes)} MiB, ${descriptors} descriptors, ${JSON.stringify(upgrades.happened)}`,
      );
    });
    for (; !isOver(); steps += 1) await STEPS[steps % STEPS.length]?.(upgrades);
    await watching;
    await load.end();
    const tookMs = performance.now() - begunMs;
    const idleAfter = await descriptorsWhenIdle(cutover.pid, idleBefore);
    return {
      ...upgrades.happened,
      durationMs: tookMs,
      clients,
      answered: load.answered,
      left: load.left,
      ...sort(load.failures, upgrades.workerDeathsMs),
      p50Ms: load.quantile(0.5),
      p99Ms: load.quantile(0.99),
      second: medianOf(fifth(samples, 1)),
      last: medianOf(fifth(samples, 4)),
      idleDescriptors: [idleBefore, idleAfter],
      complaints: cutover.complaints(),
    };
  } catch (error) {
    tell(cutover.lastWords());
    throw error;
  } finally {
    await cutover.stop();
    await versions.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** So long after a worker's death a client may still come to use a connection that it had to it. */
const DEATH_MS = 1000;

/** Requests that broke off when a worker was killed are lost with its connections; all others have failed. */
function sort(all: readonly Failure[], deathsMs: readonly number[]): Pick<SoakReport, 'failures' | 'lost'> {
  const isLost = ({ askedMs, failedMs, broke }: Failure): boolean =>
    broke &&
    deathsMs.some((deathMs) => askedMs <= deathMs + DEATH_MS && failedMs >= deathMs && failedMs <= deathMs + DEATH_MS);
  return { failures: all.filter((failure) => !isLost(failure)), lost: all.filter(isLost) };
}

/** What may be held more in the last fifth than in the second: 0.1 is a tenth. */
export interface Growth {
  readonly memory: number;
  readonly descriptors: number;
}

/** What the promise is broken by, one line each. */
export function violationsOf(report: SoakReport, allowed: Growth): readonly string[] {
  const { failures, lost, second, last, idleDescriptors, complaints } = report;
  const [before, after] = idleDescriptors;
  const violations: string[] = [];
  const lostMax = report.workerDeaths * report.clients;
  if (lost.length > lostMax) violations.push(`${lost.length} requests were lost on ${lostMax} connections`);
  if (failures.length > 0) violations.push(`${failures.length} requests failed`);
  if (last.rssBytes > second.rssBytes * (1 + allowed.memory)) {
    violations.push(`Memory grew from ${mebibytes(second.rssBytes)} to ${mebibytes(last.rssBytes)} MiB`);
  }
  if (last.descriptors > second.descriptors * (1 + allowed.descriptors)) {
    violations.push(`Descriptors grew from ${second.descriptors} to ${last.descriptors}`);
  }
  if (after > before + OWN_CONNECTIONS) violations.push(`${after} descriptors are left of ${before} before the load`);
  if (complaints.length > 0) violations.push(`The log complains: ${complaints[0]}`);
  return violations;
}

export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

async function watch(pid: number, samples: Holdings[], isOver: () => boolean, tell: () => void): Promise<void> {
  while (!isOver()) {
    samples.push(holdingsOf(pid));
    if (samples.length % Math.round(10_000 / SAMPLE_MS) === 0) tell();
    await passed(SAMPLE_MS);
  }
}

/** As soon as they are so few, or what is left when it takes too long. */
async function descriptorsWhenIdle(pid: number, few: number): Promise<number> {
  const endMs = performance.now() + POOLS_EMPTY_MS;
  while (holdingsOf(pid).descriptors > few + OWN_CONNECTIONS && performance.now() < endMs) await passed(SAMPLE_MS);
  return holdingsOf(pid).descriptors;
}

function fifth<T>(list: readonly T[], index: number): readonly T[] {
  return list.slice(Math.floor((index * list.length) / 5), Math.floor(((index + 1) * list.length) / 5));
}

/** Each holding's own. */
function medianOf(samples: readonly Holdings[]): Holdings {
  const median = (of: (sample: Holdings) => number): number => {
    return samples.map(of).sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0;
  };
  return {
    rssBytes: median(({ rssBytes }) => rssBytes),
    descriptors: median(({ descriptors }) => descriptors),
    processes: median(({ processes }) => processes),
  };
}
