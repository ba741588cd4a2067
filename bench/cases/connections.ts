/** One connection to ten thousand, busy and idle, and the memory that they take. */
import { openIdle } from '../load/idle.ts';
import { wrkCommand } from '../load/wrk.ts';
import { type Bench, type Contender, measure, type Result, type StartedPeer, startPeer, underWrk } from '../measure.ts';
import { cutoverOneProcess } from '../peers/cutover.ts';
import { CLIENT_CONNECTIONS, type Peer } from '../peers/peer.ts';
import { outputOf } from '../process.ts';
import { ratioTarget, type Target } from '../report/section.ts';
import { medianOf, ratioOf, resultOf } from '../report/statistics.ts';
import { MIB, roundsTable, table } from '../report/table.ts';
import { PATHS } from '../upstream.ts';
import type { Case } from './case.ts';

const FEW = 64;
/** Each may need a connection to the application at the same moment, so two descriptors of a proxy; Cutover lets no more in. */
const MANY = Math.min(
  CLIENT_CONNECTIONS,
  Math.floor((Number(outputOf('sh', ['-c', 'ulimit -n'])) - 1000) / 1000) * 500,
);
const BUSY = [1, FEW, 1000, MANY] as const;
/** Opening so many takes a while, and is no part of a request's cost. */
const SETTLE_MS = { over100: 1000, over1000: 5000 } as const;
const GROWTH_LIMIT = 1.2;

export const connections: Case = {
  name: 'connections',
  async run(bench: Bench) {
    const atRest = new Map<string, number>();
    const busy = new Map<number, readonly Result[]>();
    for (const count of BUSY) {
      console.log(` ${count} busy`);
      const contenders = [];
      for (const peer of bench.near) contenders.push(underBusy(await startAtRest(bench, peer, atRest), count));
      busy.set(count, await measure(bench, contenders).catch(notMeasured));
    }
    console.log(` ${MANY} idle`);
    const idleBytes = new Map<string, number>();
    const idle = await measureIdle(bench, idleBytes);
    const parts = [...busy].map(([count, results]) => {
      const command = wrkCommand({ connections: count, path: PATHS.small }, bench.seconds + settleMs(count) / 1000);
      const figures = results.length > 0 ? roundsTable(results) : 'Not measured: requests failed.';
      return `### ${count} busy\n\n\`${command}\`\n\n${figures}`;
    });
    const text = `${parts.join('\n\n')}
${MANY < CLIENT_CONNECTIONS ? `\nWith ${CLIENT_CONNECTIONS} connections of clients and as many to the application, a process would have more descriptors than it may here (\`ulimit -n\`).\n` : ''}
### ${MANY} idle and ${FEW} busy

Each idle connection has had one answer. \`node bench/load/idle-client.ts PORT ${MANY}\` and \`${wrkCommand({ connections: FEW, path: PATHS.small }, bench.seconds)}\`

${roundsTable(idle)}

### Memory

${await memoryTable(bench, { atRest, idleBytes, busy })}

The sum of all processes' PSS, in which shared pages count once. At rest it has answered a few requests only.`;
    const few = busy.get(FEW) ?? [];
    const many = busy.get(MANY) ?? [];
    return {
      title: 'Connections',
      text,
      targets: [
        ...growthTarget(`CPU per request, growth from ${FEW} to ${MANY} busy connections`, few, many),
        ...growthTarget(`CPU per request, growth from 0 to ${MANY} idle connections`, few, idle),
      ],
    };
  },
};

/** A crowd that does not get through spoils nothing else, but the bench has failed. */
function notMeasured(error: unknown): readonly Result[] {
  console.error(error);
  process.exitCode = 1;
  return [];
}

async function startAtRest(bench: Bench, peer: Peer, atRest: Map<string, number>): Promise<StartedPeer> {
  const started = await startPeer(bench, peer);
  if (!atRest.has(peer.name)) atRest.set(peer.name, started.running.memoryBytes());
  return started;
}

function underBusy(started: StartedPeer, count: number): Contender {
  const every = count > 1000 ? 'second round' : 'round';
  return { ...underWrk(started, { connections: count, path: PATHS.small }), every, settleMs: settleMs(count) };
}

function settleMs(count: number): number {
  if (count > 1000) return SETTLE_MS.over1000;
  return count > 100 ? SETTLE_MS.over100 : 0;
}

async function measureIdle(bench: Bench, idleBytes: Map<string, number>): Promise<readonly Result[]> {
  const contenders: Contender[] = [];
  const closes: (() => Promise<void>)[] = [];
  for (const peer of bench.near) {
    const started = await startPeer(bench, peer);
    closes.push(await openIdle(started.port, MANY));
    idleBytes.set(peer.name, started.running.memoryBytes());
    contenders.push(underWrk(started, { connections: FEW, path: PATHS.small }));
  }
  try {
    return await measure(bench, contenders);
  } finally {
    await Promise.all(closes.map((close) => close()));
  }
}

interface Memory {
  readonly atRest: ReadonlyMap<string, number>;
  readonly idleBytes: ReadonlyMap<string, number>;
  readonly busy: ReadonlyMap<number, readonly Result[]>;
}

async function memoryTable(bench: Bench, { atRest, idleBytes, busy }: Memory): Promise<string> {
  const rows = [...atRest].map(([name, restBytes]) => {
    const perConnection = (bytes: number, count: number): string => ((bytes - restBytes) / count / 1024).toFixed(1);
    const busyBytes = (count: number): number => {
      const result = busy.get(count)?.find((one) => one.name === name);
      return result === undefined ? Number.NaN : medianOf(result, (round) => round.memoryBytes);
    };
    return [
      name,
      (restBytes / MIB).toFixed(1),
      (busyBytes(FEW) / MIB).toFixed(1),
      perConnection(idleBytes.get(name) ?? 0, MANY),
      perConnection(busyBytes(1000), 1000),
      perConnection(busyBytes(MANY), MANY),
    ];
  });
  const smallest = await startPeer(bench, cutoverOneProcess);
  rows.push([cutoverOneProcess.name, (smallest.running.memoryBytes() / MIB).toFixed(1)]);
  const columns = ['', 'at rest, MiB', `${FEW} busy, MiB`, 'per idle connection, kiB'];
  return table([...columns, 'per busy connection of 1000, kiB', `of ${MANY}, kiB`], rows);
}

/** How much more than HAProxy's the cost grew: the ratio of the ratios. */
function growthTarget(what: string, few: readonly Result[], many: readonly Result[]): readonly Target[] {
  if (few.length === 0 || many.length === 0) return [];
  const ratioIn = (results: readonly Result[]): number =>
    ratioOf(resultOf(results, 'Cutover'), resultOf(results, 'HAProxy'), (round) => round.cpuUs);
  const ratio = ratioIn(many) / ratioIn(few);
  return [ratioTarget(what, GROWTH_LIMIT, { name: "HAProxy's growth", ratio })];
}
