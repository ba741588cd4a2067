/** What many versions and many servers cost: nothing, if all is well. */
import { wrkCommand } from '../load/wrk.ts';
import { type Bench, type Contender, measure, type Result, startPeer, underWrk } from '../measure.ts';
import { haproxy, haproxyWithServers } from '../peers/haproxy.ts';
import { clusterOf, cutoverWithVersions } from '../peers/versions.ts';
import { proveChosen } from '../proof.ts';
import { ratioTarget, type Section, type Target } from '../report/section.ts';
import { ratioOf, resultOf } from '../report/statistics.ts';
import { cpuPicture, roundsTable } from '../report/table.ts';
import { HOSTS, PATHS } from '../upstream.ts';
import { type Case, cookieFile } from './case.ts';

const SMALL = { connections: 64, path: PATHS.small };
/** How many versions a chain has at least and at most; a SESSION release needs two. */
const VERSIONS = { INSTANT: [1, 100], SESSION: [2, 100] } as const;
const MOST_SERVERS = HOSTS.length;
const SERVERS = [100, MOST_SERVERS] as const;
/** Connections to so many servers are opened first. */
const SETTLE_MS = 1000;
/** What counts as flat: the spread of the rounds is about as much. */
const FLAT = 1.1;
/** INSTANT: each is stable soon, and the newest answers. SESSION: no release ends, and clients have sessions with all versions. */
const OPTIONS = {
  INSTANT: { mode: 'INSTANT', regretWindow: 0.1 },
  SESSION: { mode: 'SESSION', sessionTimeout: 86_400 },
} as const;

export const growth: Case = {
  name: 'growth',
  async run(bench: Bench) {
    const [port] = bench.upstreamPorts;
    const many = await startPeer(bench, haproxyWithServers(HOSTS.map((host) => `${host}:${port}`)));
    const contenders: Contender[] = [
      underWrk(await startPeer(bench, haproxy), SMALL),
      { ...underWrk(many, SMALL), settleMs: SETTLE_MS },
    ];
    for (const count of VERSIONS.INSTANT) contenders.push(await withVersions(bench, 'INSTANT', count));
    for (const count of VERSIONS.SESSION) contenders.push(await withVersions(bench, 'SESSION', count));
    for (const count of SERVERS) {
      const cluster = { version: 1, servers: HOSTS.slice(0, count).map((hostname) => ({ hostname, port })) };
      const started = await startPeer(bench, cutoverWithVersions(serversName(count), [cluster]));
      const every = count === MOST_SERVERS ? 'round' : 'second round';
      contenders.push({ ...underWrk(started, SMALL), settleMs: SETTLE_MS, every });
    }
    return report(bench, await measure(bench, contenders));
  },
};

type Chain = keyof typeof VERSIONS;

const versionsName = (chain: Chain, count: number): string => `Cutover, ${chain} versions: ${count}`;
const serversName = (count: number): string => `Cutover, servers: ${count}`;

/** With SESSION, each version has as many clients as the others, which travel down the chain to theirs. */
async function withVersions(bench: Bench, chain: Chain, count: number): Promise<Contender> {
  const portOf = (index: number): number => bench.upstreamPorts[index % 2] as number;
  const versions = Array.from({ length: count }, (_, index) =>
    clusterOf(index + 1, [portOf(index)], index === 0 ? undefined : OPTIONS[chain]),
  );
  const peer = cutoverWithVersions(versionsName(chain, count), versions);
  const started = await startPeer(bench, peer);
  const ids = chain === 'SESSION' ? peer.ids : peer.ids.slice(-1);
  const cookies = ids.map((id) => `dynsoftup=${id}`);
  const ports = ids.map((id) => portOf(peer.ids.indexOf(id)));
  await proveChosen(started, cookies, ports);
  return underWrk(started, { ...SMALL, cookieFile: cookieFile(bench, peer.name, cookies) });
}

function report(bench: Bench, results: readonly Result[]): Section {
  const title = 'Growth: many versions, many servers';
  const growthOf = (from: string, to: string): number =>
    ratioOf(resultOf(results, to), resultOf(results, from), (round) => round.cpuUs);
  const versionsTarget = (chain: Chain, [from, to]: readonly [number, number]): Target => {
    const ratio = growthOf(versionsName(chain, from), versionsName(chain, to));
    return flatTarget(`CPU per request from ${from} to ${to} ${chain} versions`, ratio);
  };
  // As many connections as servers are the system's to keep, whoever has them.
  const ours = growthOf(versionsName('INSTANT', 1), serversName(MOST_SERVERS));
  const haproxys = growthOf(haproxy.name, `HAProxy, servers: ${MOST_SERVERS}`);
  const servers = ratioTarget(`CPU per request from 1 to ${MOST_SERVERS} servers`, FLAT, {
    name: "HAProxy's growth",
    ratio: ours / haproxys,
  });
  return {
    title,
    text: `\`${wrkCommand({ ...SMALL, cookieFile: 'COOKIES' }, bench.seconds)}\`; those with servers, and HAProxy, without cookies.

INSTANT versions are stable, and the newest answers. SESSION versions are releases that all go on, and clients with a session of each of them take turns:
on average a request passes half of the chain. Servers are addresses of 127.0.0.0/8, over which requests take turns.

${roundsTable(results)}`,
    picture: cpuPicture('growth', title, results),
    targets: [
      versionsTarget('INSTANT', VERSIONS.INSTANT),
      versionsTarget('SESSION', VERSIONS.SESSION),
      { ...servers, measured: `${servers.measured} (${ours.toFixed(2)} ×, HAProxy ${haproxys.toFixed(2)} ×)` },
    ],
  };
}

function flatTarget(what: string, ratio: number): Target {
  return { what, limit: `flat (${FLAT} ×)`, measured: `${ratio.toFixed(2)} ×`, isMet: ratio <= FLAT };
}
