/** A new version stops accepting connections when it has just been released: what the request that finds out takes longer. */
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../src/client.ts';
import { type Bench, startPeer } from '../measure.ts';
import type { RunningCutover } from '../peers/cutover.ts';
import { clusterOf, cutoverWithVersions } from '../peers/versions.ts';
import { quantile } from '../report/statistics.ts';
import { table } from '../report/table.ts';
import { PATHS, SMALL_BODY } from '../upstream.ts';
import type { Case } from './case.ts';

const LIMIT_MS = 2;
const RELEASES_PER_ROUND = 20;
/** A rollback is not waited for longer. */
const ROLLBACK_LIMIT_MS = 10_000;

export const refused: Case = {
  name: 'refused',
  async run(bench: Bench) {
    const started = await startPeer(bench, cutoverWithVersions('Cutover', [clusterOf(1, [bench.upstreamPorts[0]])]));
    const { client } = started.running as RunningCutover;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const [plainMs, replayedMs]: [number[], number[]] = [[], []];
    try {
      for (let number = 2; number < 2 + bench.rounds * RELEASES_PER_ROUND; number += 1) {
        plainMs.push(await timeOf(started.port, agent));
        const id = await releaseDeadVersion(client, number);
        replayedMs.push(await timeOf(started.port, agent));
        await rolledBack(client, id);
      }
    } finally {
      agent.destroy();
    }
    const addedMs = quantile(replayedMs, 0.5) - quantile(plainMs, 0.5);
    return {
      title: 'A refused new version: the replayed request',
      text: `A version passes its readiness gate and then refuses connections. One request is sent, which finds that out: it is answered by the
older version, and the new one is rolled back; the ledger of each release has the replay. Before each release one
request is sent in the same way on the same connection.

${table(
  ['', 'requests', 'p50, ms', 'p90', 'longest'],
  [row('plain', plainMs), row('refused, then replayed', replayedMs)],
)}`,
      targets: [
        {
          what: 'a refused new version: added latency of the replayed request, median',
          limit: `${LIMIT_MS} ms`,
          measured: `${addedMs.toFixed(2)} ms`,
          isMet: addedMs < LIMIT_MS,
        },
      ],
    };
  },
};

/** PUTs a version whose server is ready until the PUT is answered, and gone then. */
async function releaseDeadVersion(client: Client, number: number): Promise<string> {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const id = await client.put(clusterOf(number, [port]));
  server.close();
  await once(server, 'close');
  return id;
}

/** Waits for the rollback; throws when the request was not one that the new version failed and an older one answered. */
async function rolledBack(client: Client, id: string): Promise<void> {
  const deadlineMs = performance.now() + ROLLBACK_LIMIT_MS;
  while ((await client.status(id)).phase !== 'failed') {
    if (performance.now() > deadlineMs) throw new Error(`Version ${id} was not rolled back`);
    await sleep(5);
  }
  const [release] = await client.ledger(id);
  if (!release || release.counts.replays < 1) throw new Error(`No request went on from version ${id} to another`);
}

/** Milliseconds from sending a request to the end of its answer. */
function timeOf(port: number, agent: Agent): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const begunMs = performance.now();
  const asked = get({ host: '127.0.0.1', port, path: PATHS.small, agent }, (answer) => {
    let text = '';
    answer.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
    });
    answer.on('end', () => {
      if (answer.statusCode === 200 && text === SMALL_BODY) resolve(performance.now() - begunMs);
      else reject(new Error(`Answered ${answer.statusCode} ${text}`));
    });
  });
  asked.on('error', reject);
  return promise;
}

function row(name: string, valuesMs: readonly number[]): readonly string[] {
  return [name, String(valuesMs.length), ...[0.5, 0.9, 1].map((share) => quantile(valuesMs, share).toFixed(2))];
}
