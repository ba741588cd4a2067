/** Main, control and workers of `bin/cutover`: each is killed, and what was promised of it holds. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createClient } from '../../src/client.ts';
import { startApp } from '../kit/app.ts';
import { call, cluster, listVersions, putVersion } from '../kit/config-service.ts';
import { curl } from '../kit/curl.ts';
import { type ChildOptions, type ServingCutover, spawnCutover, startChild, temporaryFolder } from '../kit/cutover.ts';
import { freePorts } from '../kit/ports.ts';
import { type Children, childrenOf } from '../kit/processes.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import { answers, answersExcept, startServer } from '../kit/scripted-server.ts';

const kinds = (cutover: ServingCutover): Children => childrenOf(cutover.process.child.pid as number);

async function start(workers: number | 'auto', options: ChildOptions = {}): Promise<ServingCutover> {
  const app = await startApp('1');
  return startChild(cluster('1', [app]), { ...options, config: { workers, ...options.config } });
}

test('one control and one worker by default; as many workers as are asked for; none with 0', async () => {
  const app = await startApp('1');
  const count = (cutover: ServingCutover) => [kinds(cutover).control.length, kinds(cutover).workers.length];
  expect(count(await startChild(cluster('1', [app])))).toEqual([1, 1]);
  expect(count(await start(3))).toEqual([1, 3]);
  expect(count(await start(0))).toEqual([0, 0]);
});

test('control goes before the workers, where the system lets it', async () => {
  const { control, workers } = kinds(await start(1));
  const [own, others] = [...control, ...workers].map((pid) => getPriority(pid));
  expect(others).toBe(getPriority());
  expect(own).toBe(process.getuid?.() === 0 ? -7 : others);
});

test('a worker that is killed loses its connections and no other request: the next ones wait for its successor', async () => {
  const server = await startServer(answersExcept('/slow', 'ok'));
  const cutover = await startChild(cluster('1', [server]));
  const client = await connectTo(cutover.port);
  client.send(requestText({ target: '/slow' }));
  await server.arrival(0);
  const [worker] = kinds(cutover).workers;
  process.kill(worker as number, 'SIGKILL');
  await client.closed();
  // Nobody listens at this moment, and yet nobody is refused.
  for (let n = 0; n < 5; n += 1) expect((await curl(cutover.url)).body).toBe('ok');
  await cutover.process.log(
    /ERROR - A worker \(\d+\) was ended by SIGKILL: its connections are lost, another one is started\n/,
  );
  expect(kinds(cutover).workers).toHaveLength(1);
  expect(kinds(cutover).workers).not.toContain(worker);
  await putVersion(cutover.configPort, cluster('2', [await startApp('2')]));
  expect((await curl(cutover.url)).body).toBe('2');
});

test.for([[null], [undefined]] as const)(
  'control that is killed comes back with what it had (state: %j), and traffic goes on',
  async ([state]) => {
    const [one, two] = await Promise.all([startApp('1'), startApp('2')]);
    const cutover = await startChild(cluster('1', [one]), { config: { state } });
    const id = await putVersion(
      cutover.configPort,
      cluster('2', [two], { mode: 'GRADUAL', percentageTransitionPerRequest: 0.001 }),
    );
    const client = await connectTo(cutover.port);
    const ask = () => client.ask({ fields: [['Cookie', `dynsoftup=${id}`]] });
    expect((await ask()).text).toBe('2');
    for (let round = 0; round < 2; round += 1) {
      const [control] = kinds(cutover).control;
      process.kill(control as number, 'SIGKILL');
      await cutover.process.log(
        new RegExp(`The control process \\(${control}\\) was ended by SIGKILL: traffic goes on`),
      );
      expect((await ask()).text).toBe('2');
      expect((await listVersions(cutover.configPort)).map(({ version }) => version)).toEqual(['2', '1']);
      expect((await ask()).text).toBe('2');
    }
    const three = await startApp('3');
    await putVersion(cutover.configPort, cluster('3', [three]));
    expect((await ask()).text).toBe('3');
  },
);

test('main that is killed takes all with it: both ports are free at once, what is in flight finishes', async () => {
  const release = Promise.withResolvers<void>();
  const server = await startServer(async (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
    if (arrival.head.target === '/slow') await release.promise;
    arrival.send('half');
  });
  const cutover = await startChild(cluster('1', [server]), { config: { workers: 2 } });
  const client = await connectTo(cutover.port);
  client.send(requestText({ target: '/slow' }));
  const head = await client.head();
  cutover.process.signal('SIGKILL');
  while ((await curl(cutover.url)).exitCode !== 7) {}
  while ((await curl(cutover.configUrl)).exitCode !== 7) {}
  release.resolve();
  expect((await client.body(head)).bytes.toString()).toBe('halfhalf');
  client.end();
  // Its standard error is closed when the last of the processes has ended.
  await cutover.process.exited;
});

test('a PUT is in force in every worker when it is answered', async () => {
  const cutover = await start(3);
  for (let round = 2; round < 6; round += 1) {
    const app = await startApp(String(round));
    await putVersion(cutover.configPort, cluster(String(round), [app]));
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectTo(cutover.port)));
    const texts = await Promise.all(clients.map(async (client) => (await client.ask('/')).text));
    expect(new Set(texts)).toEqual(new Set([String(round)]));
  }
});

test('with several workers each answer raises the threshold once', async () => {
  const cutover = await start(2);
  const next = await startServer(answers('2'));
  const id = await putVersion(
    cutover.configPort,
    cluster('2', [next], { mode: 'GRADUAL', percentageTransitionPerRequest: 0.5 }),
  );
  const clients = await Promise.all(Array.from({ length: 12 }, () => connectTo(cutover.port)));
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(clients.map((client) => client.ask({ fields: [['Cookie', `dynsoftup=${id}`]] })));
  }
  const threshold = async () => JSON.parse((await call(cutover.configPort, 'GET', `/${id}/status`)).text).threshold;
  while ((await threshold()) < 30.5) {}
  expect(await threshold()).toBe(30.5);
});

test('what all workers count is one sum; it stays when a worker, and then control, is killed', async () => {
  const cutover = await start(2);
  const client = createClient({ url: `http://127.0.0.1:${cutover.configPort}` });
  const malformed = async (): Promise<number> => (await client.counters()).counters['ownAnswers.400'] ?? 0;
  const send = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1)
      expect((await askOnce(cutover.port, { fields: [['Host', '::']] })).status).toBe(400);
  };
  await send(20);
  while ((await malformed()) < 20) {}
  const { since } = await client.counters();
  const [worker] = kinds(cutover).workers;
  process.kill(worker as number, 'SIGKILL');
  await cutover.process.log(/A worker \(\d+\) was ended by SIGKILL/);
  await send(5);
  while ((await malformed()) < 25) {}
  expect(await malformed()).toBe(25);
  // With a reload control hands it over; so main has all of it when the next control is killed.
  writeFileSync(
    join(cutover.folder, 'config.json'),
    readFileSync(join(cutover.folder, 'config.json'), 'utf8').replace('"workers": 2', '"workers": 1'),
  );
  await client.reload();
  expect(await malformed()).toBe(25);
  const [control] = kinds(cutover).control;
  process.kill(control as number, 'SIGKILL');
  await cutover.process.log(new RegExp(`The control process \\(${control}\\) was ended by SIGKILL`));
  expect((await curl(`http://127.0.0.1:${cutover.configPort}/configuration/counters`)).body).toContain(
    `{"since":"${since}",`,
  );
  await send(1);
  while ((await malformed()) < 26) {}
  expect(await malformed()).toBe(26);
});

test('a port that is let go of a moment later is waited for: a killed Cutover can be started again at once', async () => {
  const [app, [port, configPort]] = await Promise.all([startApp('1'), freePorts(2)]);
  const holder = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => holder.listen(port, '0.0.0.0', resolve));
  const folder = temporaryFolder();
  const config = { proxy: { port }, configService: { port: configPort }, cluster: cluster('1', [app]) };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const cutover = spawnCutover(['-configFile=./config.json', '-logLevel=INFO'], folder);
  setTimeout(() => holder.close(), 700);
  await cutover.log(/Proxy Address: +0\.0\.0\.0/);
  expect((await curl(`http://127.0.0.1:${port}`)).body).toBe('1');
});
