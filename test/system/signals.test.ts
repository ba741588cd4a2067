/** How `bin/cutover` ends: SIGTERM and SIGINT drain, exit code 0, both ports free at once. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startApp } from '../kit/app.ts';
import { cluster } from '../kit/config-service.ts';
import { curl } from '../kit/curl.ts';
import { spawnCutover, startChild, temporaryFolder } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { freePorts } from '../kit/ports.ts';
import { childrenOf } from '../kit/processes.ts';
import { connectTo, requestText } from '../kit/raw-client.ts';
import { answers, startServer } from '../kit/scripted-server.ts';

test.for(['SIGTERM', 'SIGINT'] as const)('%s lets the request in flight finish, then exits with 0', async (signal) => {
  const release = Promise.withResolvers<void>();
  const server = await startServer(async (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
    await release.promise;
    arrival.send('half');
  });
  const cutover = await startChild(cluster('1', [server]));
  const client = await connectTo(cutover.port);
  client.send(requestText({}));
  const head = await client.head();
  cutover.process.signal(signal);
  while ((await curl(cutover.url)).exitCode !== 7) {}
  release.resolve();
  expect((await client.body(head)).bytes.toString()).toBe('halfhalf');
  client.end();
  expect(await cutover.process.exited).toEqual({ code: 0, signal: null });
  expect(cutover.process.stderr).not.toMatch(/^\s+at /m);
  expect((await curl(cutover.configUrl)).exitCode).toBe(7);
});

test('SIGHUP while it starts is kept: it reloads once it has started', async () => {
  const folder = temporaryFolder();
  const [port, configPort] = (await freePorts(2)) as [number, number];
  const first = cluster('1', [await startApp('1')]);
  const config = { proxy: { port }, configService: { port: configPort }, state: null, cluster: first };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const cutover = spawnCutover(['run', '--config', 'config.json'], folder);
  // Control has been started, and needs a while to load.
  while (childrenOf(cutover.child.pid as number).control.length === 0) await passed(1);
  cutover.signal('SIGHUP');
  await cutover.log(/Reloaded: Nothing has changed/);
  expect((await curl(`http://127.0.0.1:${port}`)).body).toBe('1');
});

test('30 busy keep-alive clients lose no request through SIGTERM', async () => {
  const server = await startServer(answers('ok'));
  const cutover = await startChild(cluster('1', [server]), { args: [] });
  const clients = Array.from({ length: 30 }, async () => {
    const client = await connectTo(cutover.port);
    for (;;) {
      const answer = await client.ask('/');
      expect([answer.status, answer.text]).toEqual([200, 'ok']);
      if (field(answer, 'connection') === 'close') break;
    }
    await client.closed();
    client.end();
  });
  await server.arrival(1000);
  cutover.process.signal('SIGTERM');
  await Promise.all(clients);
  expect(await cutover.process.exited).toEqual({ code: 0, signal: null });
});

test('a second SIGTERM ends it at once', async () => {
  const server = await startServer(async (arrival) => {
    await arrival.gone();
  });
  const cutover = await startChild(cluster('1', [server]));
  const client = await connectTo(cutover.port);
  client.send(requestText({}));
  await server.arrival(0);
  cutover.process.signal('SIGTERM');
  while ((await curl(cutover.url)).exitCode !== 7) {}
  cutover.process.signal('SIGTERM');
  await cutover.process.exited;
  await client.closed();
});

test('an idle Cutover stops within two seconds, and its ports can be had again', async () => {
  const app = await startApp('1');
  const cutover = await startChild(cluster('1', [app]));
  const client = await connectTo(cutover.port);
  expect((await client.ask('/')).text).toBe('1');
  const began = performance.now();
  cutover.process.signal('SIGTERM');
  client.end();
  expect(await cutover.process.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(3000);
});

test('the process that was started is the main process', async () => {
  const cutover = await startChild(cluster('1', [await startServer()]));
  const command = readFileSync(`/proc/${cutover.process.child.pid}/cmdline`, 'utf8').split('\0')[0];
  expect(command).toMatch(/node/);
});
