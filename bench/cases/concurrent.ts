/** Each request to two versions at once. */
import { wrkCommand } from '../load/wrk.ts';
import { type Bench, type Contender, measure, type Result, startPeer, underWrk } from '../measure.ts';
import { cutover } from '../peers/cutover.ts';
import { haproxy } from '../peers/haproxy.ts';
import { nginxMirror } from '../peers/nginx.ts';
import { clusterOf, cutoverWithVersions } from '../peers/versions.ts';
import { ratioTarget } from '../report/section.ts';
import { medianOf, ratioOf, resultOf } from '../report/statistics.ts';
import { cpuPicture, roundsTable } from '../report/table.ts';
import { PATHS } from '../upstream.ts';
import type { Case } from './case.ts';

const SMALL = { connections: 64, path: PATHS.small };
/** Less, and some requests went to one version only. What is on its way at the end of a round makes it a little more. */
const TIMES_MIN = 1.99;

export const concurrent: Case = {
  name: 'concurrent',
  async run(bench: Bench) {
    const [oldPort, newPort] = bench.upstreamPorts;
    const versions = [clusterOf(1, [oldPort]), clusterOf(2, [newPort], { mode: 'CONCURRENT' })];
    const peers = [
      haproxy,
      cutover,
      cutoverWithVersions('Cutover, CONCURRENT', versions),
      nginxMirror(bench.upstreamPorts[1]),
    ];
    const contenders: Contender[] = [];
    for (const peer of peers) contenders.push(underWrk(await startPeer(bench, peer), SMALL));
    const results = await measure(bench, contenders);
    const [ours, mirror] = [resultOf(results, 'Cutover, CONCURRENT'), resultOf(results, 'nginx with mirror')];
    for (const result of [ours, mirror]) checkTwice(result);
    const title = 'CONCURRENT: small answers of two versions';
    const ratio = ratioOf(ours, mirror, (round) => round.cpuUs);
    return {
      title,
      text: `\`${wrkCommand(SMALL, bench.seconds)}\`

HAProxy and Cutover plain ask one version; the others both, as the application's own count of its requests shows in each round.

${roundsTable(results)}`,
      picture: cpuPicture('concurrent', title, results),
      targets: [
        ratioTarget('CONCURRENT, two versions, small answers, CPU per request', 0.6, { name: mirror.name, ratio }),
      ],
    };
  },
};

function checkTwice(result: Result): void {
  const times = medianOf(result, (round) => round.upstreamRequests);
  if (times < TIMES_MIN) throw new Error(`${result.name} sent each request ${times} times, not twice`);
}
