/** Slow clients, many at a time: others are served as fast as ever, and after the limits nothing of them is left. */
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { startChild } from '../kit/cutover.ts';
import { expectUnchanged, LatencyLoad } from '../kit/latency.ts';
import { openFiles, untilOpenFiles } from '../kit/processes.ts';
import { responseText, startServer } from '../kit/scripted-server.ts';

const FULL = process.env.CUTOVER_TEST_FULL === '1';
const REQUESTS = FULL ? 10_000 : 1000;
/** Long enough for two windows of requests; with that many more, longer. */
const LIMIT = FULL ? 20 : 5;

/** An answer of which the kernel takes a part only. */
const LARGE = Buffer.concat([
  Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 6000000\r\n\r\n'),
  Buffer.alloc(6_000_000),
]);

interface Kind {
  readonly name: string;
  readonly count: number;
  /** What it sends at once, and then a byte of it each second. */
  readonly begin: string;
  readonly drop: string;
  readonly reads: boolean;
  /** How its connection ends, by what it gets at last. */
  readonly gets: RegExp;
}

const KINDS: readonly Kind[] = [
  { name: 'headers', count: 500, begin: 'GET / HTTP/1.1\r\nX: ', drop: 'a', reads: true, gets: /^HTTP\/1\.1 408 / },
  {
    name: 'bodies',
    count: 500,
    begin: 'POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n',
    drop: '',
    reads: true,
    gets: /^HTTP\/1\.1 408 /,
  },
  // The kernel keeps some megabytes for each of these, so that fewer of them do where memory may be short.
  {
    name: 'readers',
    count: FULL ? 500 : 50,
    begin: 'GET /large HTTP/1.1\r\nHost: x\r\n\r\n',
    drop: '',
    reads: false,
    gets: /^/,
  },
  { name: 'connections without a request', count: 500, begin: '', drop: '', reads: true, gets: /^$/ },
];

test.for(KINDS)('slow $name, $count of them', { timeout: 120_000 }, async (kind) => {
  const server = await startServer(async ({ head, socket, ...arrival }) => {
    if (head.target === '/large') socket.write(LARGE);
    else if (head.target === '/') socket.write(responseText(200, 'well'));
    else await arrival.source.rest().catch(() => {});
  });
  const limit = LIMIT + (kind.reads ? 0 : 5);
  const timeouts = { clientHeader: limit, idleBody: limit, clientIdle: limit, upstreamIdle: 1 };
  const { port, process: cutover } = await startChild(cluster('1', [server]), { args: [], config: { timeouts } });
  const pid = cutover.child.pid as number;
  const load = await LatencyLoad.to(port, 'well');
  await load.p99Ms(REQUESTS);
  const without = [await load.p99Ms(REQUESTS)];
  const before = openFiles(pid);

  const slow = await Promise.all(Array.from({ length: kind.count }, () => SlowClient.to(port, kind)));
  const beside = [await load.p99Ms(REQUESTS), await load.p99Ms(REQUESTS)];
  // All are still there: it was beside them that the others were served.
  expect(slow.filter((client) => client.isOpen)).toHaveLength(kind.count);
  expect(openFiles(pid)).toBeGreaterThanOrEqual(before + kind.count);
  const ends = await Promise.all(slow.map((client) => client.closed));
  for (const end of ends) expect(end).toMatch(kind.gets);
  // The load's own connections have been idle meanwhile.
  const afterwards = await LatencyLoad.to(port, 'well');
  without.push(await afterwards.p99Ms(REQUESTS));
  await untilOpenFiles(pid, before);
  expectUnchanged(beside, without);
});

class SlowClient {
  /** What it got in all. */
  readonly closed: Promise<string>;
  isOpen = true;

  constructor(socket: Socket, kind: Kind) {
    let got = '';
    if (kind.reads) socket.on('data', (bytes) => (got += bytes.toString('latin1')));
    else socket.pause();
    socket.write(kind.begin, 'latin1');
    // A client that does not read learns only by a write that it has been closed.
    const drop = kind.reads ? kind.drop : '\r\n';
    const drops = setInterval(() => socket.write(drop, 'latin1'), 1000);
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      const end = (): void => {
        clearInterval(drops);
        this.isOpen = false;
        socket.destroy();
        resolve(got);
      };
      socket.on('end', end).on('close', end);
    });
  }

  static to(port: number, kind: Kind): Promise<SlowClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    onTestFinished(() => void socket.destroy());
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => resolve(new SlowClient(socket, kind)));
    });
  }
}
