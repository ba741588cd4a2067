/** What many versions and many servers cost: nothing, if all is well. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterInput } from '../../src/client.ts';
import { wrkCommand } from '../load/wrk.ts';
import { type Bench, type Contender, measure, type Result, startPeer, underWrk } from '../measure.ts';
import { haproxy, haproxyWithServers } from '../peers/haproxy.ts';
import { type CutoverPeer, cutoverWithVersions } from '../peers/versions.ts';
import { freePort } from '../process.ts';
import { proveChosen } from '../proof.ts';
import type { Target } from '../report/section.ts';
import { ratioOf, resultOf } from '../report/statistics.ts';
import { cpuPicture, roundsTable } from '../report/table.ts';
import { PATHS, startUpstream } from '../upstream.ts';
import { type Case, cookieFile } from './case.ts';

const SMALL = { connections: 64, path: PATHS.small };
const VERSIONS = [1, 10, 100] as const;
const SERVERS = [1, 100, 1000] as const;
/** What counts as flat: the spread of the rounds is about as much. */
const FLAT = 1.1;
/** Versions' clients have sessions with all of them; no release ends while it is measured. */
const SESSION = { mode: 'SESSION', sessionTimeout: 86_400 };

export const growth: Case = {
  name: 'growth',
  async run(bench: Bench) {
    const folder = mkdtempSync(join(bench.folder, 'servers-'));
    const [port, most] = [await freePort(), SERVERS[SERVERS.length - 1] as number];
    // Every address of 127.0.0.0/8 is this machine.
    const hosts = Array.from({ length: most }, (_, index) => `127.0.${1 + (index >> 8)}.${index & 255}`);
    const servers = await startUpstream(
      folder,
      [port],
      hosts.map((host) => `${host}:${port}`),
    );
    bench.started.add(servers);
    const contenders: Contender[] = [underWrk(await startPeer(bench, haproxy), SMALL)];
    const many = haproxyWithServers(hosts.map((host) => `${host}:${port}`));
    contenders.push({ ...underWrk(await startPeer(bench, many), SMALL), every: 'second round' });
    for (const count of VERSIONS) contenders.push(await withVersions(bench, count));
    for (const count of SERVERS) {
      const cluster = { version: 1, servers: hosts.slice(0, count).map((hostname) => ({ hostname, port })) };
      contenders.push(underWrk(await startPeer(bench, cutoverWithVersions(serversName(count), [cluster])), SMALL));
    }
    return report(bench, await measure(bench, contenders));
  },
};

const versionsName = (count: number): string => `Cutover, versions: ${count}`;
const serversName = (count: number): string => `Cutover, servers: ${count}`;

/** A chain of SESSION versions, each with as many clients as the others, which travel down to theirs. */
async function withVersions(bench: Bench, count: number): Promise<Contender> {
  const { upstreamPorts } = bench;
  const portOf = (index: number): number => upstreamPorts[index % 2] as number;
  const versions = Array.from({ length: count }, (_, index): ClusterInput => {
    const servers = [{ hostname: '127.0.0.1', port: portOf(index) }];
    return { servers, version: index + 1, ...(index === 0 ? {} : { upgradeTransition: SESSION }) };
  });
  const peer: CutoverPeer = cutoverWithVersions(versionsName(count), versions);
  const started = await startPeer(bench, peer);
  const cookies = peer.ids.map((id) => `dynsoftup=${id}`);
  await proveChosen(
    started,
    cookies,
    peer.ids.map((_, index) => portOf(index)),
  );
  return underWrk(started, { ...SMALL, cookieFile: cookieFile(bench, peer.name, cookies) });
}

function report(bench: Bench, results: readonly Result[]) {
  const title = 'Growth: many versions, many servers';
  const [versionsMost, serversMost] = [VERSIONS[VERSIONS.length - 1] as number, SERVERS[SERVERS.length - 1] as number];
  return {
    title,
    text: `\`${wrkCommand({ ...SMALL, cookieFile: 'COOKIES' }, bench.seconds)}\`, those with servers without cookies.

Versions are a chain of SESSION releases that go on, and clients with a session of each of them take turns: on average a request passes half of the chain.
Servers are addresses of 127.0.0.0/8, over which requests take turns.

${roundsTable(results)}`,
    picture: cpuPicture('growth', title, results),
    targets: [
      flatTarget(`CPU per request from 1 to ${versionsMost} versions`, results, [
        versionsName(1),
        versionsName(versionsMost),
      ]),
      flatTarget(`CPU per request from 1 to ${serversMost} servers`, results, [
        serversName(1),
        serversName(serversMost),
      ]),
    ],
  };
}

function flatTarget(what: string, results: readonly Result[], [from, to]: readonly [string, string]): Target {
  const ratio = ratioOf(resultOf(results, to), resultOf(results, from), (round) => round.cpuUs);
  return { what, limit: `flat (${FLAT} ×)`, measured: `${ratio.toFixed(2)} ×`, isMet: ratio <= FLAT };
}
