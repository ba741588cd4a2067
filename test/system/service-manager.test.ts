/** Cutover under systemd: passed sockets, what it tells, and the unit file. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startApp } from '../kit/app.ts';
import { call, cluster } from '../kit/config-service.ts';
import { curl } from '../kit/curl.ts';
import { BIN, spawnCutover, startChild, temporaryFolder } from '../kit/cutover.ts';
import { freePorts } from '../kit/ports.ts';

const ACTIVATE = '/usr/bin/systemd-socket-activate';
const ANALYZE = '/usr/bin/systemd-analyze';

test.for([1, 0])(
  'passed sockets are used in place of the configured addresses (workers: %d)',
  async (workers, context) => {
    context.skip(!existsSync(ACTIVATE), 'needs systemd-socket-activate');
    const app = await startApp('1');
    const folder = temporaryFolder();
    const [port, configPort, other, another] = await freePorts(4);
    const config = {
      workers,
      proxy: { port: other },
      configService: { port: another },
      state: null,
      cluster: cluster('1', [app]),
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const sockets = ['-l', `127.0.0.1:${configPort}`, '-l', `127.0.0.1:${port}`, '--fdname=config:proxy'];
    const cutover = spawnCutover([...sockets, BIN, '-logLevel=INFO'], folder, { bin: ACTIVATE });
    await cutover.log(/Listening on 127\.0\.0\.1:\d+ as 4/);
    // The first connection starts it, and is answered.
    expect((await curl(`http://127.0.0.1:${port}`)).body).toBe('1');
    expect((await call(configPort as number, 'GET', '/')).status).toBe(200);
    expect((await curl(`http://127.0.0.1:${other}`)).exitCode).toBe(7);
    expect((await curl(`http://127.0.0.1:${another}`)).exitCode).toBe(7);
  },
);

test('a config service that was passed an address for everybody needs a token', async (context) => {
  context.skip(!existsSync(ACTIVATE), 'needs systemd-socket-activate');
  const folder = temporaryFolder();
  const [port, configPort] = await freePorts(2);
  const config = { proxy: { port }, configService: { port: 1 }, state: null, cluster: cluster('1', [{ port: 1 }]) };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const cutover = spawnCutover(['-l', `0.0.0.0:${configPort}`, '--fdname=config', BIN], folder, { bin: ACTIVATE });
  await cutover.log(/Listening on/);
  await curl(`http://127.0.0.1:${configPort}`);
  expect((await cutover.exited).code).toBe(1);
  expect(cutover.stderr).toContain(
    "The config service's socket is at 0.0.0.0, not at a loopback address: that needs a token",
  );
});

test('systemd is told when it serves, reloads and stops', async () => {
  const folder = temporaryFolder();
  const told = join(folder, 'told');
  const notify = join(folder, 'systemd-notify');
  writeFileSync(notify, `#!/bin/sh\necho "$*" >>${told}\n`);
  chmodSync(notify, 0o755);
  const shell = `export NOTIFY_SOCKET=/run/none PATH=${folder}:$PATH`;
  const cutover = await startChild(cluster('1', [await startApp('1')]), { shell, args: ['-logLevel=WARNING'] });
  const lines = () => (existsSync(told) ? readFileSync(told, 'utf8').trim().split('\n') : []);
  const until = async (count: number) => {
    while (lines().length < count) await curl(cutover.url);
  };
  await until(1);
  cutover.process.signal('SIGHUP');
  await cutover.process.log(/Reloaded: Nothing has changed/);
  await until(3);
  cutover.process.signal('SIGTERM');
  await cutover.process.exited;
  expect(lines()).toEqual([
    'READY=1',
    expect.stringMatching(/^RELOADING=1 MONOTONIC_USEC=\d+$/),
    'READY=1',
    'STOPPING=1',
  ]);
});

test('the unit file is one that systemd takes', (context) => {
  context.skip(!existsSync(ANALYZE), 'needs systemd-analyze');
  const text = readFileSync(join(import.meta.dirname, '../../docs/cutover.service'), 'utf8');
  const unit = join(temporaryFolder(), 'cutover.service');
  writeFileSync(unit, text.replaceAll('/usr/local/bin/cutover', BIN));
  expect(execFileSync(ANALYZE, ['verify', unit], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })).toBe('');
});
