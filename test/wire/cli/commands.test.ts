/** The commands that talk to a running Cutover, each against a real one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startProxy } from '../../kit/cutover.ts';
import { freePorts } from '../../kit/ports.ts';
import { cutover } from '../../unit/cli/terminal.ts';
import { ID, startService } from '../api/service.ts';

const OLD = { servers: [{ hostname: '127.0.0.1', port: 1034 }], version: '3.9.1' };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\n$/;

const STARTING = (version: string) =>
  expect.stringMatching(
    new RegExp(
      `^Version ${version} is still starting: It was put; not ready yet \\(.*: connection refused, \\d+ tries.*\\n$`,
    ),
  );

async function service(configService: Record<string, unknown> = {}) {
  const { configPort } = await startProxy(OLD, { configService: { hostname: '127.0.0.1', port: 0, ...configService } });
  return { port: configPort, url: `127.0.0.1:${configPort}` };
}

function write(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

test('put prints the id alone; list, show and delete take it from there', async () => {
  const { url } = await service();
  const flags = ['--version', '3.9.2', '--mode', 'session', '--session-timeout', '60', '--url', url];
  const put = await cutover(['put', '--server', '127.0.0.1:1036', '-server=[::1]:1038', ...flags]);
  expect(put).toMatchObject({ code: 0, err: STARTING('3.9.2'), out: expect.stringMatching(UUID) });
  const id = put.out.trim();

  const shown = await cutover(['show', id, '--url', url]);
  expect(JSON.parse(shown.out)).toEqual({
    cluster: {
      servers: [
        { hostname: '127.0.0.1', port: 1036 },
        { hostname: '::1', port: 1038 },
      ],
      upgradeTransition: { mode: 'SESSION', sessionTimeout: 60 },
      uuid: id,
      version: '3.9.2',
    },
  });

  const listed = await cutover(['list', '--url', url]);
  const lines = listed.out.split('\n');
  expect(lines).toEqual([
    'VERSION  PHASE     MODE     SERVERS                    ID',
    `3.9.2    starting  SESSION  127.0.0.1:1036,[::1]:1038  ${id}`,
    expect.stringMatching(/^3\.9\.1 {4}stable {4}INSTANT {2}127\.0\.0\.1:1034 {13}[0-9a-f-]{36}$/),
    '',
  ]);
  const json = JSON.parse((await cutover(['list', '--json', '--url', url])).out);
  expect(json.map((view: { cluster: { version: string } }) => view.cluster.version)).toEqual(['3.9.2', '3.9.1']);

  expect(await cutover(['delete', id, '--url', url])).toEqual({ code: 0, out: '', err: '' });
  expect(await cutover(['show', id, '--url', url])).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^The config service answered 404: .*\n$/),
  });
});

test('an option of a mode stands for its mode', async () => {
  const { url } = await service();
  const modeOf = async (...flags: string[]) => {
    const { out } = await cutover(['put', '--server', '127.0.0.1:1036', ...flags, '--url', url]);
    return JSON.parse((await cutover(['show', out.trim(), '--url', url])).out).cluster.upgradeTransition;
  };
  expect(await modeOf('--percentage', '5')).toEqual({ mode: 'GRADUAL', percentageTransitionPerRequest: 5 });
  expect(await modeOf('--session-timeout', '60')).toEqual({ mode: 'SESSION', sessionTimeout: 60 });
  expect(await modeOf()).toEqual({ mode: 'INSTANT' });
});

test('put takes a whole request body from a file, and an id', async () => {
  const { url } = await service();
  const id = '1dcbb083-257f-11e4-bcbc-600308a8245e';
  const file = write('body.json', `{"cluster": {"servers": [{"ip": "127.0.0.1", "port": 1036}], "uuid": "${id}"}}`);
  expect(await cutover(['put', file, '--url', url])).toEqual({ code: 0, out: `${id}\n`, err: '' });
  const again = await cutover(['put', '--server', '127.0.0.1:1036', '--uuid', id, '--url', url]);
  expect(again).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^The config service answered 409: .*\n$/),
  });
});

test('a version that fails while it is waited for is a failure, with its id and the reason', async () => {
  const { url } = await service();
  const servers = [{ ip: '127.0.0.1', port: 1036 }];
  const file = write(
    'body.json',
    JSON.stringify({ cluster: { servers, version: '4', upgradeTransition: { readyTimeout: 0.2 } } }),
  );
  expect(await cutover(['put', file, '--url', url])).toEqual({
    code: 1,
    out: expect.stringMatching(UUID),
    err: expect.stringMatching(/^Version 4 has failed: It served nobody: .*: connection refused\)\n$/),
  });
});

test('reload tells how the version that it put comes to run, and fails with it', async () => {
  const text = `The cluster of the configuration is put as ${ID}`;
  const started = async (reason: string | null, containers?: number) => {
    const { port } = await startService({
      reload: { ok: true, text, put: ID },
      ...(containers !== undefined && { containers }),
      follow: async (_, { onProgress }) => {
        onProgress({ kind: 'started', container: 'web' });
        return reason;
      },
    });
    return cutover(['reload', '--url', `127.0.0.1:${port}`]);
  };
  const progress = `accepted ${ID}\nstarted web\n`;
  expect(await started(null, 1)).toEqual({ code: 0, out: `${text}\n`, err: progress });
  expect(await started('No such image', 1)).toEqual({
    code: 1,
    out: `${text}\n`,
    err: `${progress}The version does not serve: No such image\n`,
  });
  expect(await started(null)).toEqual({ code: 0, out: `${text}\n`, err: '' });
});

test('a refusal is the reason of the service, on one line', async () => {
  const { url } = await service();
  const gradual = ['--mode', 'GRADUAL', '--percentage', '0'];
  expect(await cutover(['put', '--server', 'a:1', ...gradual, '--url', url])).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^The config service answered 400: .*percentageTransitionPerRequest.* not 0\n$/),
  });
  expect((await cutover(['put', write('x', ''), '--url', url])).err).toMatch(/answered 400: The body is empty.*\n$/);
});

test('address and token come from the configuration file, a file or the environment', async () => {
  const { port, url } = await service({ token: 's3cret' });
  expect(await cutover(['list', '--url', url])).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^The config service answered 401: .*\n$/),
  });
  const cluster = { servers: [{ ip: '::1', port: 1 }] };
  const config = { proxy: { port: 0 }, configService: { port, token: 's3cret' }, cluster };
  const tokenFile = write('token', ' s3cret\n');
  for (const [flags, env] of [
    [['--config', write('config.json', JSON.stringify(config))], {}],
    [['--url', url, '--token-file', tokenFile], { CUTOVER_TOKEN: 'wrong' }],
    [['--url', url], { CUTOVER_TOKEN: 's3cret' }],
  ] as const) {
    expect(await cutover(['list', ...flags], env)).toMatchObject({ code: 0, err: '' });
  }
});

test('nobody there, or somebody else: one line, exit code 1', async () => {
  const [port] = await freePorts(1);
  expect(await cutover(['list', '--url', `127.0.0.1:${port}`])).toEqual({
    code: 1,
    out: '',
    err: `Calling the config service at http://127.0.0.1:${port} failed: connection refused\n`,
  });
  const other = createServer((_, response) => response.end('<html>'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => void other.close());
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  expect(await cutover(['list', '--url', url])).toEqual({
    code: 1,
    out: '',
    err: `Calling the config service at ${url} failed: its answer is not JSON\n`,
  });
});
