/** A log that can't be written: traffic goes on, and what was lost is counted and told when it can be told. */
import { expect, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { type ServingCutover, startChild } from '../kit/cutover.ts';
import { connectTo } from '../kit/raw-client.ts';
import { answers, startServer } from '../kit/scripted-server.ts';

/** At INFO each leaves a line of some 150 bytes: together far more than a pipe takes. */
const REQUESTS = 2000;

async function serve(cutover: ServingCutover): Promise<void> {
  const client = await connectTo(cutover.port);
  for (let n = 0; n < REQUESTS; n += 1) expect((await client.ask('/')).text).toBe('well');
  expect(cutover.process.child.exitCode).toBeNull();
  client.end();
  cutover.process.signal('SIGTERM');
  expect((await cutover.process.exited).code).toBe(0);
}

test('standard error on a full disk', async () => {
  const server = await startServer(answers('well'));
  await serve(await startChild(cluster('1', [server]), { shell: 'exec 2>/dev/full' }));
});

test('standard error is a pipe whose reader is gone', async () => {
  const server = await startServer(answers('well'));
  const cutover = await startChild(cluster('1', [server]));
  cutover.process.child.stderr?.destroy();
  await serve(cutover);
});

test('standard error is a pipe that nobody reads: what it did not take is told once somebody does', async () => {
  const server = await startServer(answers('well'));
  const cutover = await startChild(cluster('1', [server]));
  cutover.process.child.stderr?.pause();
  const client = await connectTo(cutover.port);
  for (let n = 0; n < 5 * REQUESTS; n += 1) expect((await client.ask('/')).text).toBe('well');
  cutover.process.child.stderr?.resume();
  const lost = cutover.process.log(/\d+ log lines were lost: standard error did not take them/);
  const told = lost.then(() => true);
  for (let isTold = false; !isTold; ) {
    expect((await client.ask('/')).text).toBe('well');
    isTold = await Promise.race([told, new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);
  }
});
