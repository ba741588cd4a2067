/** What an answer, a body and a connection cost: all peers, each asked the same. */
import { type LoadShape, wrkCommand } from '../load/wrk.ts';
import { type Bench, measure, type Result, startContenders } from '../measure.ts';
import { ratioTarget, type Target } from '../report/section.ts';
import { ratioOf } from '../report/statistics.ts';
import { cpuPicture, roundsTable } from '../report/table.ts';
import { MEDIUM_BYTES, PATHS } from '../upstream.ts';
import type { Case } from './case.ts';

interface Answers {
  readonly name: string;
  readonly title: string;
  readonly shape: LoadShape;
  readonly limits: readonly Limit[];
}

interface Limit {
  readonly what: string;
  readonly peer: string;
  readonly ratio: number;
}

const KEEP_ALIVE = 'small answers, 64 keep-alive connections, CPU per request';

const ANSWERS: readonly Answers[] = [
  {
    name: 'small',
    title: 'Small answers (35 bytes) over 64 kept-alive connections',
    shape: { connections: 64, path: PATHS.small },
    limits: [
      { what: KEEP_ALIVE, peer: 'HAProxy', ratio: 1.25 },
      { what: KEEP_ALIVE, peer: 'Caddy', ratio: 0.3 },
      { what: KEEP_ALIVE, peer: 'http-proxy', ratio: 0.25 },
    ],
  },
  {
    name: '10k',
    title: 'Answers of 10 kB',
    shape: { connections: 64, path: PATHS.medium },
    limits: [],
  },
  {
    name: '1m',
    title: 'Answers of 1 MiB over 16 connections',
    shape: { connections: 16, path: PATHS.large },
    limits: [{ what: '1 MiB answers, CPU per request', peer: 'nginx', ratio: 1.1 }],
  },
  {
    name: 'post',
    title: 'POSTs of 10 kB',
    shape: { connections: 64, path: PATHS.post, postBytes: MEDIUM_BYTES },
    limits: [],
  },
  {
    name: 'connect',
    title: 'A new connection for each request',
    shape: { connections: 64, path: PATHS.small, fields: ['Connection: close'] },
    limits: [{ what: 'a connection per request, CPU per request', peer: 'HAProxy', ratio: 1.5 }],
  },
];

export const answerCases: readonly Case[] = ANSWERS.map(({ name, title, shape, limits }) => ({
  name,
  async run(bench: Bench) {
    const results = await measure(bench, await startContenders(bench, shape, 'near and far'));
    return {
      title,
      text: `\`${wrkCommand(shape, bench.seconds)}\`\n\n${roundsTable(results)}`,
      picture: cpuPicture(name, title, results),
      targets: limits.flatMap((limit) => targetOf(limit, results)),
    };
  },
}));

/** Nothing, when the peer it is measured by was left out. */
function targetOf({ what, peer, ratio }: Limit, results: readonly Result[]): readonly Target[] {
  const yardstick = results.find((result) => result.name === peer);
  const ours = results.find((result) => result.name === 'Cutover');
  if (yardstick === undefined || ours === undefined) return [];
  return [ratioTarget(what, ratio, { name: peer, ratio: ratioOf(ours, yardstick, (round) => round.cpuUs) })];
}
