/** Processes of `bin/cutover` that live and do nothing any more, as after SIGSTOP: main notices, and replaces them. */
import { expect, test } from 'vitest';
import { startApp } from '../kit/app.ts';
import { call, cluster, putVersion } from '../kit/config-service.ts';
import { curl } from '../kit/curl.ts';
import { type ServingCutover, startChild } from '../kit/cutover.ts';
import { childrenOf } from '../kit/processes.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import { answersExcept, startServer } from '../kit/scripted-server.ts';

/** Main gives them ten seconds, so all that hangs here hangs at the same time. */
test('what hangs is replaced; a Cutover that was stopped as a whole goes on as it was', async () => {
  const asleep = await startChild(cluster('1', [await startApp('1')]));
  const wakes = stop(asleep);
  await Promise.all([aWorker(), control(null), control(undefined)]);
  wakes();
  expect((await curl(asleep.url)).body).toBe('1');
  expect((await call(asleep.configPort, 'GET', '/')).status).toBe(200);
  expect(asleep.process.stderr).not.toContain('ERROR');
});

/** Stops all of its processes; the function given back lets them go on, main first. */
function stop(cutover: ServingCutover): () => void {
  const main = cutover.process.child.pid as number;
  const { control, workers } = childrenOf(main);
  const all = [main, ...control, ...workers];
  for (const pid of all) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const pid of all) process.kill(pid, 'SIGCONT');
    expect(childrenOf(main)).toEqual({ control, workers });
  };
}

async function aWorker(): Promise<void> {
  const server = await startServer(answersExcept('/slow', 'ok'));
  const cutover = await startChild(cluster('1', [server]));
  const client = await connectTo(cutover.port);
  client.send(requestText({ target: '/slow' }));
  await server.arrival(0);
  const worker = stopOne(cutover, 'workers');
  // Its own connections are lost; whoever comes meanwhile waits for its successor.
  const waiting = askOnce(cutover.port, '/');
  await client.closed();
  expect((await waiting).text).toBe('ok');
  await cutover.process.log(new RegExp(`ERROR - A worker \\(${worker}\\) does not answer: it is ended`));
  await cutover.process.log(
    /A worker \(\d+\) was ended by SIGKILL: its connections are lost, another one is started\n/,
  );
  await putVersion(cutover.configPort, cluster('2', [await startApp('2')]));
  expect((await curl(cutover.url)).body).toBe('2');
}

async function control(state: null | undefined): Promise<void> {
  const [one, two] = await Promise.all([startApp('1'), startApp('2')]);
  const cutover = await startChild(cluster('1', [one]), { config: { state } });
  const transition = { mode: 'GRADUAL', percentageTransitionPerRequest: 0.001 };
  await putVersion(cutover.configPort, cluster('2', [two], transition));
  const before = await call(cutover.configPort, 'GET', '/');
  const client = await connectTo(cutover.port);
  const pid = stopOne(cutover, 'control');
  // A call that comes meanwhile is answered by its successor, and traffic goes on.
  const waiting = curl(cutover.configUrl);
  expect((await client.ask('/')).text).toBe('1');
  await cutover.process.log(new RegExp(`ERROR - The control process \\(${pid}\\) does not answer: it is ended`));
  expect((await client.ask('/')).text).toBe('1');
  expect((await waiting).body).toBe(before.text);
  await putVersion(cutover.configPort, cluster('3', [await startApp('3')]));
  expect((await client.ask('/')).text).toBe('3');
}

function stopOne(cutover: ServingCutover, kind: 'control' | 'workers'): number {
  const [pid] = childrenOf(cutover.process.child.pid as number)[kind];
  process.kill(pid as number, 'SIGSTOP');
  return pid as number;
}
