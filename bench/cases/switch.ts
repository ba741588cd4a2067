/** Upgrades under full load: how soon a PUT is answered, and who serves the first request after it. */
import { Agent, get } from 'node:http';
import { openLoop, openLoopCommand } from '../load/open-loop.ts';
import { type Load, wrk, wrkCommand } from '../load/wrk.ts';
import { type Bench, type StartedPeer, startPeer } from '../measure.ts';
import type { RunningCutover } from '../peers/cutover.ts';
import { clusterOf, cutoverWithVersions } from '../peers/versions.ts';
import { quantile } from '../report/statistics.ts';
import { table } from '../report/table.ts';
import { PATHS } from '../upstream.ts';
import type { Case } from './case.ts';

const LIMIT_MS = 20;
const LOAD = { connections: 64, path: PATHS.small };
/** What a machine of two cores does beside a proxy with ease. */
const STEADY = { perSecond: 10_000, connections: 64 };
const SWITCHES_PER_ROUND = 20;

interface Switches {
  readonly putMs: readonly number[];
  /** First requests, and how many of them an older version answered. */
  readonly asked: number;
  readonly stale: number;
}

export const switchUnderLoad: Case = {
  name: 'switch',
  async run(bench: Bench) {
    const count = bench.rounds * SWITCHES_PER_ROUND;
    const started = await startPeer(bench, cutoverWithVersions('Cutover', [clusterOf(1, [bench.upstreamPorts[0]])]));
    const calm = await switchVersions(bench, started, { from: 2, count });
    const steady = await underLoad(
      () => openLoop(started.port, STEADY, bench.seconds),
      () => switchVersions(bench, started, { from: 2 + count, count }),
    );
    const full = await underLoad(
      () => wrk(started.port, LOAD, bench.seconds),
      () => switchVersions(bench, started, { from: 2 + 2 * count, count }),
    );
    const all = [calm, steady.switches, full.switches];
    const [stale, asked] = [sumOf(all.map((one) => one.stale)), sumOf(all.map((one) => one.asked))];
    const worstMs = Math.max(...full.switches.putMs);
    const what = 'a switch under load';
    return {
      title: 'A switch under load',
      text: `\`${openLoopCommand(STEADY, bench.seconds)}\` or, for full load, \`${wrkCommand(LOAD, bench.seconds)}\`, again and again, while versions are PUT one after the other (INSTANT, its server ready, the state kept on disk).
When a PUT was answered, two requests are sent at once: on a connection that was open before, and on a new one.

${table(
  ['', 'switches', 'PUT answered, p50, ms', 'p90', 'longest', 'first requests', 'by an older version'],
  [row('no other load', calm), row(`${STEADY.perSecond} requests/s`, steady.switches), row('full load', full.switches)],
)}

Of the ${steady.requests + full.requests} requests of the load, none failed.`,
      targets: [
        {
          what: `${what}: first requests after PUT's answer by an older version`,
          limit: '0',
          measured: `${stale} of ${asked}`,
          isMet: stale === 0,
        },
        {
          what: `${what}: PUT answered at full load, the longest of ${count}`,
          limit: `${LIMIT_MS} ms`,
          measured: `${worstMs.toFixed(1)} ms`,
          isMet: worstMs <= LIMIT_MS,
        },
      ],
    };
  },
};

/** Puts so many versions, on the application's two ports in turn; the one before is deleted when its successor serves. */
async function switchVersions(
  { upstreamPorts }: Bench,
  { port, running }: StartedPeer,
  { from, count }: { readonly from: number; readonly count: number },
): Promise<Switches> {
  const { client } = running as RunningCutover;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const putMs: number[] = [];
  let stale = 0;
  let [before] = await client.list();
  for (let number = from; number < from + count; number += 1) {
    const upstreamPort = upstreamPorts[number % 2] as number;
    const begunMs = performance.now();
    await client.put(clusterOf(number, [upstreamPort]));
    putMs.push(performance.now() - begunMs);
    const answers = await Promise.all([askPort(port, agent), askPort(port, false)]);
    stale += answers.filter((answer) => answer !== String(upstreamPort)).length;
    if (before !== undefined) await client.delete(before.cluster.uuid);
    [before] = await client.list();
  }
  agent.destroy();
  return { putMs, asked: count * 2, stale };
}

/** Switches while rounds of load follow each other; rejects when any request failed. */
async function underLoad(
  load: () => Promise<Load>,
  switching: () => Promise<Switches>,
): Promise<{ readonly switches: Switches; readonly requests: number }> {
  let isOver = false;
  const loaded = (async () => {
    let requests = 0;
    while (!isOver) requests += (await load()).requests;
    return requests;
  })();
  // A failure is thrown below, when its turn has come.
  loaded.catch(() => {});
  const switches = await switching().finally(() => {
    isOver = true;
  });
  return { switches, requests: await loaded };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** The port on which the application was reached. */
function askPort(port: number, agent: Agent | false): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = get({ host: '127.0.0.1', port, path: PATHS.port, agent }, (answer) => {
    let text = '';
    answer.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
    });
    answer.on('end', () => resolve(text));
  });
  asked.on('error', reject);
  return promise;
}

function row(name: string, { putMs, asked, stale }: Switches): readonly string[] {
  const [p50, p90, longest] = [0.5, 0.9, 1].map((share) => quantile(putMs, share).toFixed(1));
  return [name, String(putMs.length), `${p50}`, `${p90}`, `${longest}`, String(asked), String(stale)];
}
