/** The state of an embedded Cutover: kept where it is told, held by one at a time. */
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startCutover } from '../../src/index.ts';
import { startApp } from '../kit/app.ts';
import { cluster, listVersions, putVersion, type WireCluster } from '../kit/config-service.ts';
import { temporaryFolder } from '../kit/cutover.ts';

const configOf = (first: WireCluster, more: object = {}) => ({
  proxy: { hostname: '127.0.0.1', port: 0 },
  configService: { port: 0 },
  cluster: first,
  ...more,
});

async function start(config: object) {
  const cutover = await startCutover({ config });
  onTestFinished(() => cutover.close());
  return cutover;
}

test('keeps nothing unless a file is named', async () => {
  const app = await startApp('1');
  const folder = temporaryFolder();
  const home = process.cwd();
  const before = readdirSync(home);
  await start(configOf(cluster('1', [app])));
  expect(readdirSync(home)).toEqual(before);
  const kept = await start(configOf(cluster('1', [app]), { state: { file: join(folder, 'x.json') } }));
  await kept.close();
  expect(readdirSync(folder)).toEqual(['x.json']);
});

test('goes on where the last one stopped', async () => {
  const app = await startApp('1');
  const config = configOf(cluster('1', [app]), { state: { file: join(temporaryFolder(), 'x.json') } });
  const first = await start(config);
  const id = await putVersion(first.configPort, cluster('2', [app], { mode: 'SESSION' }));
  await first.close();
  const second = await start(config);
  expect((await listVersions(second.configPort))[0]).toMatchObject({ uuid: id, version: '2' });
});

test('is held by one at a time, and given back when it closes or can not start', async () => {
  const app = await startApp('1');
  const config = configOf(cluster('1', [app]), { state: { file: join(temporaryFolder(), 'x.json') } });
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  await expect(startCutover({ config: { ...config, proxy: { hostname: '127.0.0.1', port } } })).rejects.toThrow(
    'in use',
  );
  const first = await start(config);
  await expect(startCutover({ config })).rejects.toThrow(/^The state ".*x\.json" is in use by another Cutover$/);
  await first.close();
  await (await start(config)).close();
});
