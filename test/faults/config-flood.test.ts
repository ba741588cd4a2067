/** The config service under garbage and under a flood: the traffic does not notice, and no version changes. */
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { call, cluster, listVersions } from '../kit/config-service.ts';
import { startChild, startProxy } from '../kit/cutover.ts';
import { expectUnchanged, LatencyLoad } from '../kit/latency.ts';
import { answers, startServer } from '../kit/scripted-server.ts';
import { NUISANCES, throwAt } from './nuisances.ts';

const REQUESTS = process.env.CUTOVER_TEST_FULL === '1' ? 10_000 : 1500;

test.for(NUISANCES)('$name is answered with $statuses, and changes nothing', async (nuisance) => {
  const proxy = await startProxy(cluster('1', [await startServer()]));
  const answer = await throwAt(proxy.configPort, nuisance, nuisance.statuses.length > 0 ? 5000 : 100);
  if (nuisance.statuses.length === 0) expect(answer).toBe('');
  else expect(nuisance.statuses).toContain(Number(answer.split(' ')[1]));
  expect((await listVersions(proxy.configPort)).map(({ version }) => version)).toEqual(['1']);
});

test('all of that at once, again and again, leaves the traffic as it is', { timeout: 120_000 }, async () => {
  const server = await startServer(answers('well'));
  const { port, configPort } = await startChild(cluster('1', [server]), { args: ['-logLevel=CRITICAL'] });
  const load = await LatencyLoad.to(port, 'well');
  await load.p99Ms(REQUESTS);
  const [beside, without]: [number[], number[]] = [[], []];
  for (let round = 0; round < 3; round += 1) {
    without.push(await load.p99Ms(REQUESTS));
    const end = await flood(configPort);
    beside.push(await load.p99Ms(REQUESTS));
    await end();
  }
  expect((await listVersions(configPort)).map(({ version }) => version)).toEqual(['1']);
  expectUnchanged(beside, without);
});

test('1 000 connections to the config service are more than it takes, and leave the traffic as it is', async () => {
  const server = await startServer(answers('well'));
  const { port, configPort } = await startChild(cluster('1', [server]), { args: [] });
  const load = await LatencyLoad.to(port, 'well');
  await load.p99Ms(REQUESTS);
  const without = [await load.p99Ms(REQUESTS)];
  const crowd = await Promise.all(Array.from({ length: 1000 }, () => opened(configPort)));
  const beside = [await load.p99Ms(REQUESTS), await load.p99Ms(REQUESTS)];
  expect(crowd.filter((socket) => !socket.destroyed).length).toBeLessThanOrEqual(128);
  for (const socket of crowd) socket.destroy();
  without.push(await load.p99Ms(REQUESTS));
  let status = 0;
  while (status !== 200) {
    status = await call(configPort, 'GET').then(
      (answer) => answer.status,
      () => 0,
    );
  }
  expectUnchanged(beside, without);
});

/**
 * Resolves once everything has been thrown once, with the function that ends it. Those who would do so have machines of their
 * own: the program takes only the processor time that nobody else wants.
 */
async function flood(configPort: number): Promise<() => Promise<void>> {
  const program = join(import.meta.dirname, 'nuisances.ts');
  const child = spawn('nice', ['-n', '19', process.execPath, program, String(configPort)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const end = (): Promise<void> => {
    child.kill('SIGKILL');
    return ended;
  };
  onTestFinished(end);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.resume();
  return end;
}

async function opened(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  return socket;
}
