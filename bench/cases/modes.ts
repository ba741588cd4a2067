/** What a release in progress costs: clients with cookies, half of them with each version. */
import { randomUUID } from 'node:crypto';
import { bucketOf } from '../../src/core/routing/bucket.ts';
import { wrkCommand } from '../load/wrk.ts';
import { type Bench, type Contender, measure, startPeer, underWrk } from '../measure.ts';
import { cutover } from '../peers/cutover.ts';
import { haproxy, haproxyWithCookie } from '../peers/haproxy.ts';
import { type CutoverPeer, clusterOf, cutoverWithVersions } from '../peers/versions.ts';
import { proveChosen } from '../proof.ts';
import { ratioTarget } from '../report/section.ts';
import { ratioOf, resultOf } from '../report/statistics.ts';
import { cpuPicture, roundsTable } from '../report/table.ts';
import { PATHS } from '../upstream.ts';
import { type Case, cookieFile } from './case.ts';

const CLIENTS = 128;
const SMALL = { connections: 64, path: PATHS.small };
/** Neither ends while it is measured. */
const SESSION = { mode: 'SESSION', sessionTimeout: 86_400 };
const GRADUAL = { mode: 'GRADUAL', percentageTransitionPerRequest: 1e-9 };

export const modes: Case = {
  name: 'modes',
  async run(bench: Bench) {
    const [oldPort, newPort] = bench.upstreamPorts;
    const release = (name: string, options: Readonly<Record<string, unknown>>): CutoverPeer =>
      cutoverWithVersions(name, [clusterOf(1, [oldPort]), clusterOf(2, [newPort], options)]);
    const session = release('Cutover, SESSION', SESSION);
    const gradual = release('Cutover, GRADUAL', GRADUAL);
    const sticky = haproxyWithCookie(newPort);
    const contenders = [
      underWrk(await startPeer(bench, haproxy), SMALL),
      underWrk(await startPeer(bench, cutover), SMALL),
      await withCookies(bench, session, (client) => `dynsoftup=${session.ids[client % 2]}`),
      await withCookies(
        bench,
        gradual,
        (client) => `transition=${laterTransition()}; dynsoftup=${gradual.ids[client % 2]}`,
      ),
      await withCookies(bench, sticky, (client) => `dynsoftup=${client % 2 === 0 ? 'old' : 'new'}`),
    ];
    const results = await measure(bench, contenders);
    const title = 'A release in progress: small answers with SESSION or GRADUAL on';
    const yardstick = resultOf(results, haproxy.name);
    return {
      title,
      text: `\`${wrkCommand({ ...SMALL, cookieFile: 'COOKIES' }, bench.seconds)}\`, HAProxy and Cutover plain without cookies.

${CLIENTS} clients send the cookies of a release that goes on, one half those of the older version, the other those of the newer one.
HAProxy with cookie is \`cookie dynsoftup insert indirect nocache\` with two servers.

${roundsTable(results)}`,
      picture: cpuPicture('modes', title, results),
      targets: ['SESSION', 'GRADUAL'].map((mode) =>
        ratioTarget(`small answers with ${mode} on, CPU per request`, 1.35, {
          name: yardstick.name,
          ratio: ratioOf(resultOf(results, `Cutover, ${mode}`), yardstick, (round) => round.cpuUs),
        }),
      ),
    };
  },
};

/** Starts it, and makes sure that each client reaches its version before it counts. */
async function withCookies(
  bench: Bench,
  peer: CutoverPeer | typeof haproxy,
  cookieOf: (client: number) => string,
): Promise<Contender> {
  const started = await startPeer(bench, peer);
  const cookies = Array.from({ length: CLIENTS }, (_, client) => cookieOf(client));
  const expected = cookies.map((_, client) => bench.upstreamPorts[client % 2 === 0 ? 0 : 1]);
  await proveChosen(started, cookies, expected);
  return underWrk(started, { ...SMALL, cookieFile: cookieFile(bench, peer.name, cookies) });
}

/** The id of a client whose turn has not come: all of bucket 0 move at once. */
function laterTransition(): string {
  for (;;) {
    const id = randomUUID();
    if (bucketOf(id) > 0) return id;
  }
}
