/** Contenders take turns: each round of one is followed by the same round of the next. */
import { mkdtempSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/kit/ports.ts';
import { type Load, type LoadShape, wrk } from './load/wrk.ts';
import type { Peer } from './peers/peer.ts';
import type { Running } from './process.ts';
import { proveCorrect } from './proof.ts';
import { PATHS } from './upstream.ts';

export interface Bench {
  readonly rounds: number;
  readonly seconds: number;
  /** Each is measured in every round; the first is the yardstick. */
  readonly near: readonly Peer[];
  /** These are far from the yardstick: every second round is enough to tell by how much. */
  readonly far: readonly Peer[];
  /** The application on two ports, two versions of it. */
  readonly upstreamPorts: readonly [number, number];
  /** For whatever must be written; gone when the bench is over. */
  readonly folder: string;
  /** What a case started: stopped when it is over, at the latest. */
  readonly started: Set<Running>;
}

/** Something that is measured: a running proxy, and what is asked of it. */
export interface Contender {
  readonly name: string;
  readonly running: Running;
  readonly load: LoadOf;
  readonly every: 'round' | 'second round';
  /** Processor time counts only from then on, when all connections stand; the round should last a second longer. */
  readonly settleMs?: number;
}

/** Puts load on a proxy for so many seconds. */
export type LoadOf = (seconds: number) => Promise<Load>;

export interface Round extends Load {
  /** Processor time of all processes of the proxy, per request. */
  readonly cpuUs: number;
  /** Memory of all its processes towards the end of the round. */
  readonly memoryBytes: number;
  /** Requests that reached the application for one of a client. */
  readonly upstreamRequests: number;
}

export interface Result {
  readonly name: string;
  /** By the number of the round; a contender of every second round has holes. */
  readonly rounds: readonly (Round | null)[];
}

export interface StartedPeer {
  readonly name: string;
  readonly port: number;
  readonly running: Running;
}

/** Starts a proxy in front of the application and proves it correct. */
export async function startPeer(bench: Bench, peer: Peer): Promise<StartedPeer> {
  const folder = mkdtempSync(join(bench.folder, 'peer-'));
  const port = await freePort();
  const running = await peer.start({ folder, port, upstreamPort: bench.upstreamPorts[0] });
  bench.started.add(running);
  await proveCorrect(peer.name, port);
  return { name: peer.name, port, running };
}

/** Starts the near and far peers of the bench, all asked the same by wrk. */
export async function startContenders(
  bench: Bench,
  shape: LoadShape,
  which: 'near' | 'near and far',
): Promise<readonly Contender[]> {
  const contenders: Contender[] = [];
  for (const peer of bench.near) contenders.push(underWrk(await startPeer(bench, peer), shape));
  if (which === 'near') return contenders;
  for (const peer of bench.far) {
    const started = await startPeer(bench, peer).catch((error: unknown) => leftOut(peer, error));
    if (started !== null) contenders.push({ ...underWrk(started, shape), every: 'second round' });
  }
  return contenders;
}

/** One that does not start here, or is not correct, is not measured; the bench has failed, but for the others it goes on. */
function leftOut({ name }: Peer, error: unknown): null {
  console.error(`${name} is left out:`, error);
  process.exitCode = 1;
  return null;
}

export function underWrk({ name, port, running }: StartedPeer, shape: LoadShape): Contender {
  return { name, running, load: (seconds) => wrk(port, shape, seconds), every: 'round' };
}

/** Warms all contenders up, measures their rounds in turn, and stops them, whatever happens. */
export async function measure(bench: Bench, contenders: readonly Contender[]): Promise<readonly Result[]> {
  const results = contenders.map((contender) => ({ contender, name: contender.name, rounds: [] as (Round | null)[] }));
  try {
    for (const { load, settleMs = 0 } of contenders) await load(1 + settleMs / 1000);
    for (let number = 1; number <= bench.rounds; number += 1) {
      for (const { contender, name, rounds } of results) {
        const round = contender.every === 'round' || number % 2 === 1 ? await measureRound(bench, contender) : null;
        rounds.push(round);
        if (round !== null) tell(number, name, round);
      }
    }
    return results.map(({ name, rounds }) => ({ name, rounds }));
  } finally {
    await Promise.all(contenders.map(({ running }) => running.stop()));
    for (const { running } of contenders) bench.started.delete(running);
  }
}

async function measureRound(bench: Bench, contender: Contender): Promise<Round> {
  const { running, load, settleMs = 0 } = contender;
  const seconds = bench.seconds + settleMs / 1000;
  const loaded = load(seconds);
  // A failure is thrown below, when its turn has come.
  loaded.catch(() => {});
  if (settleMs > 0) await sleep(settleMs);
  const before = await figuresOf(bench, running);
  await sleep(bench.seconds * 1000 - END_MS);
  const memoryBytes = running.memoryBytes();
  // Once connections stand, what the application received tells the requests of the time between.
  const midway = settleMs > 0 ? await figuresOf(bench, running) : null;
  const result = await loaded;
  const after = midway ?? (await figuresOf(bench, running));
  const upstream = after.upstream - before.upstream;
  const requests = midway === null ? result.requests : upstream;
  return {
    ...result,
    cpuUs: (after.cpuUs - before.cpuUs) / requests,
    memoryBytes,
    upstreamRequests: upstream / requests,
  };
}

/** So long before the end of a round, all connections are still busy. */
const END_MS = 200;

interface Figures {
  readonly cpuUs: number;
  readonly upstream: number;
}

async function figuresOf({ upstreamPorts: [port] }: Bench, running: Running): Promise<Figures> {
  return { cpuUs: running.cpuUs(), upstream: await requestsReceived(port) };
}

/** What the application has received on all its ports, this question included. */
async function requestsReceived(upstreamPort: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = get({ host: '127.0.0.1', port: upstreamPort, path: PATHS.status, agent: false }, (answer) => {
    let text = '';
    answer.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
    });
    answer.on('end', () => resolve(text));
  });
  asked.on('error', reject);
  // "server accepts handled requests", and the three numbers on the next line.
  return Number(/^ \d+ \d+ (\d+)/m.exec(await promise)?.[1]);
}

function tell(number: number, name: string, { cpuUs, perSecond }: Round): void {
  console.log(`  round ${number} ${name.padEnd(24)} ${cpuUs.toFixed(1)} µs  ${perSecond.toFixed(0)} requests/s`);
}
