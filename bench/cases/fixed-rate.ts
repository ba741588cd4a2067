/** How long a request takes when the machine is half busy: what most installations see. */
import { openLoop, openLoopCommand } from '../load/open-loop.ts';
import { wrk } from '../load/wrk.ts';
import { type Bench, measure, startPeer } from '../measure.ts';
import { ratioTarget } from '../report/section.ts';
import { median, ratioOf, resultOf } from '../report/statistics.ts';
import { roundsTable } from '../report/table.ts';
import { PATHS } from '../upstream.ts';
import type { Case } from './case.ts';

const CONNECTIONS = 64;

export const fixedRate: Case = {
  name: 'rate',
  async run(bench: Bench) {
    const started = [];
    for (const peer of bench.near) started.push(await startPeer(bench, peer));
    const rate = { perSecond: await halfOfMaximum(started[0]?.port ?? 0), connections: CONNECTIONS };
    const contenders = started.map(({ name, port, running }) => ({
      name,
      running,
      load: (seconds: number) => openLoop(port, rate, seconds),
      every: 'round' as const,
    }));
    const results = await measure(bench, contenders);
    const [haproxy, cutover] = [resultOf(results, 'HAProxy'), resultOf(results, 'Cutover')];
    const ratio = ratioOf(cutover, haproxy, (round) => round.p99Us);
    return {
      title: `Latency at a fixed rate, half of HAProxy's maximum`,
      text: `\`${openLoopCommand(rate, bench.seconds)}\`

Requests are sent at fixed times, and their latency counts from the time at which they were due, so that what has to wait behind a
stall is counted too. The client looks for answers about every 0.1 ms, which is part of each figure.

${roundsTable(results)}`,
      targets: [ratioTarget("p99 at half of HAProxy's maximum rate", 1.5, { name: 'HAProxy', ratio })],
    };
  },
};

/** Of what the first contender takes, requests per second. */
async function halfOfMaximum(port: number): Promise<number> {
  const maxima: number[] = [];
  for (let n = 0; n < 3; n += 1) {
    maxima.push((await wrk(port, { connections: CONNECTIONS, path: PATHS.small }, 1)).perSecond);
  }
  return Math.round(median(maxima) / 200) * 100;
}
