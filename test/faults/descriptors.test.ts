/** Fewer file descriptors than clients: some are told to come again, nobody is blamed for it, and it passes. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { cluster, listVersions, put } from '../kit/config-service.ts';
import { startChild } from '../kit/cutover.ts';
import { family, openFiles, untilOpenFiles } from '../kit/processes.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import { answers, responseText, startServer } from '../kit/scripted-server.ts';

const CROWD = 400;

test('256 descriptors and 400 clients: as many as there are descriptors for are served, the others are told 503 or closed', async () => {
  const release = Promise.withResolvers<void>();
  const server = await startServer(async (arrival) => {
    await release.promise;
    arrival.send(responseText(200, 'well'));
  });
  const { port, process: cutover } = await startChild(cluster('1', [server]), {
    shell: 'ulimit -n 256',
    config: { timeouts: { upstreamIdle: 0.5 } },
  });
  const pid = cutover.child.pid as number;
  await cutover.log(/limits\.connections is 20000, of which 256 file descriptors \(ulimit -n\) allow 96/);
  const before = openFiles(pid);
  let ended = 0;
  const crowd = Array.from({ length: CROWD }, async (): Promise<number | 'closed'> => {
    try {
      const client = await connectTo(port);
      client.send(requestText({ fields: [['Connection', 'close']] }));
      return (await client.answer()).status;
    } catch {
      return 'closed';
    } finally {
      ended += 1;
    }
  });
  // Each has been let in, or told to go.
  while (server.arrivals.length + ended < CROWD) await new Promise((resolve) => setImmediate(resolve));
  release.resolve();
  const ends = await Promise.all(crowd);
  expect(ends.filter((end) => end === 200).length).toBeGreaterThanOrEqual(90);
  expect(ends.filter((end) => end !== 200 && end !== 503 && end !== 'closed')).toEqual([]);
  expect(ends).toContain(503);
  await untilOpenFiles(pid, before);
  for (let n = 0; n < 50; n += 1) expect((await askOnce(port, '/')).text).toBe('well');
  expect(cutover.stderr).toMatch(/Client connections are turned away: 96 are open/);
  expect(cutover.stderr).not.toMatch(/takes no more requests|No version/);
});

test('no descriptor left for a server: a 503, and neither version nor server is blamed for it', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const cutover = await startChild(cluster('1', [old]), {
    config: { timeouts: { upstreamIdle: 0.3, clientIdle: 300 } },
  });
  await put(cutover.configPort, cluster('2', [next]));
  const pid = cutover.process.child.pid as number;
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectTo(cutover.port)));
  expect((await clients[0]?.ask('/'))?.text).toBe('new');
  await next.until(() => next.open.size === 0);

  limitFiles(pid, 8);
  for (const client of clients) expect((await client.ask('/')).status).toBe(503);
  expect(next.arrivals).toHaveLength(1);
  limitFiles(pid, 4096);
  for (const client of clients) expect((await client.ask('/')).text).toBe('new');
  expect((await listVersions(cutover.configPort)).map(({ version }) => version)).toEqual(['2', '1']);
  expect(cutover.process.stderr).toMatch(/dial tcp 127\.0\.0\.1:\d+: too many open files/);
  expect(cutover.process.stderr).not.toMatch(/takes no more requests|is over/);
});

/** Sets how many files a running program and its children may have open. What is open stays open. */
function limitFiles(pid: number, most: number): void {
  for (const member of family(pid)) {
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(member), `--nofile=${most}:`]);
    if (status !== 0) throw new Error(stderr.toString());
  }
}
