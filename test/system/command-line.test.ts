/** `bin/cutover` from the command line (thesis 5.5): flags, bad input, exit codes; one clear line and no stack trace. */
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startApp } from '../kit/app.ts';
import { cluster } from '../kit/config-service.ts';
import { curl } from '../kit/curl.ts';
import { BIN, spawnCutover, startChild, temporaryFolder } from '../kit/cutover.ts';
import { freePorts } from '../kit/ports.ts';

const STACK = /^\s+at .*:\d+:\d+/m;

/** Runs to its end in a folder with this config.json; gives exit code and output. */
async function run(args: readonly string[], config?: string) {
  const folder = temporaryFolder();
  if (config !== undefined) writeFileSync(join(folder, 'config.json'), config);
  const cutover = spawnCutover(args, folder);
  const { code } = await cutover.exited;
  expect(cutover.stderr).not.toMatch(STACK);
  return { code, stderr: cutover.stderr, stdout: cutover.stdout, both: cutover.stdout + cutover.stderr };
}

const SERVERS = '"cluster": {"servers": [{"hostname": "127.0.0.1", "port": 1}]}';
const PORTS = '"proxy": {"port": 0}, "configService": {"port": 0}';

test.for(['-h', '--help', '-help'])('help: %s', async (word) => {
  const { code, both } = await run([word]);
  expect(code).toBe(0);
  for (const flag of ['configFile', 'logLevel']) expect(both).toContain(flag);
});

test.for(['-unknown', '--nonsense=1', '-configFile=./config.json -logLvl=INFO', 'run --bogus'])(
  'an unknown flag is exit code 2 and names the flag: %s',
  async (words) => {
    const { code, stderr } = await run(words.split(' '), `{${PORTS}, ${SERVERS}}`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/unknown|nonsense|logLvl|bogus/);
  },
);

test('an unknown log level is exit code 2', async () => {
  const { code, stderr } = await run(['-logLevel=LOUD'], `{${PORTS}, ${SERVERS}}`);
  expect(code).toBe(2);
  expect(stderr).toMatch(/LOUD/);
});

test.for([
  ['a file that is not there', [], undefined, /config\.json/],
  ['no JSON', [], 'hello', /config\.json|JSON|line 1|1:1/i],
  ['JSON that ends too early', [], '{"proxy": {', /./],
  ['an unknown key', [], `{${PORTS}, ${SERVERS}, "prosy": {}}`, /prosy/],
  [
    'a port of the wrong type',
    [],
    `{"proxy": {"port": "80"}, "configService": {"port": 0}, ${SERVERS}}`,
    /proxy\.port.*"80"|"80".*proxy\.port/,
  ],
  [
    'a port out of range',
    [],
    `{"proxy": {"port": 70000}, "configService": {"port": 0}, ${SERVERS}}`,
    /proxy\.port.*70000|70000.*proxy\.port/,
  ],
  ['no servers', [], `{${PORTS}, "cluster": {"servers": []}}`, /cluster\.servers/],
  [
    'a wrong mode',
    [],
    `{${PORTS}, "cluster": {"servers": [{"ip": "::1", "port": 1}], "upgradeTransition": {"mode": "X"}}}`,
    /cluster\.upgradeTransition\.mode/,
  ],
  [
    'a config service for everybody without a token',
    [],
    `{"proxy": {"port": 0}, "configService": {"hostname": "0.0.0.0", "port": 0}, ${SERVERS}}`,
    /token/,
  ],
] as const)('exit code 2, the path of the value and what is allowed: %s', async ([, args, config, reason]) => {
  const { code, stderr } = await run(args, config);
  expect(code).toBe(2);
  expect(stderr).toMatch(reason);
});

test('a file that cannot be read: exit code 2 and one clear line', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'config.json'));
  const cutover = spawnCutover([], folder);
  expect((await cutover.exited).code).toBe(2);
  expect(cutover.stderr).toMatch(/config\.json/);
  expect(cutover.stderr).not.toMatch(STACK);
  expect(cutover.stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
});

test.for(['proxy', 'configService'])('a port in use is one clear line and exit code 1: %s', async (which) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as { port: number };
  const [free] = await freePorts(1);
  const ports = which === 'proxy' ? [port, free] : [free, port];
  const config = `{"proxy": {"hostname": "127.0.0.1", "port": ${ports[0]}}, "configService": {"port": ${ports[1]}}, "state": null, ${SERVERS}}`;
  const { code, stderr } = await run([], config);
  expect(code).toBe(1);
  const errors = stderr.split('\n').filter((line) => line.includes(`${port}`) && /in use/i.test(line));
  expect(errors).toHaveLength(1);
});

test('comments are allowed in the file', async () => {
  const config = `{ // the proxy\n${PORTS}, /* one server */ ${SERVERS} }`;
  expect((await run(['check', 'config.json'], config)).code).toBe(0);
});

test('check says whether a file is right, and starts nothing', async () => {
  expect((await run(['check', 'config.json'], `{${PORTS}, ${SERVERS}}`)).code).toBe(0);
  const wrong = await run(
    ['check', 'config.json'],
    `{${PORTS}, "cluster": {"servers": [{"hostname": "a", "port": -1}]}}`,
  );
  expect(wrong.code).toBe(2);
  expect(wrong.both).toMatch(/cluster\.servers\S*port/);
});

const spellings = [
  '-configFile=./config.json -logLevel=INFO',
  '--configFile=./config.json --logLevel=INFO',
  '-configFile ./config.json -logLevel INFO',
  '-logLevel=INFO -configFile= ./config.json',
  '-logLevel=INFO',
  'run --config ./config.json --log-level INFO',
];

test.for(spellings)('starts and logs at INFO: %s', async (words) => {
  const app = await startApp('1');
  const cutover = await startChild(cluster('1', [app]), { args: words.split(' ') });
  expect((await curl(cutover.url)).body).toBe('1');
  await cutover.process.log(/INFO - Serving response 0/);
});

test('the default level is WARNING: the echo is shown, traffic is not', async () => {
  const cutover = await startChild(cluster('1', [await startApp('1')]), { args: [] });
  await curl(cutover.url);
  await cutover.process.log(/NOTICE - Parsed config file:/);
  cutover.process.signal('SIGTERM');
  await cutover.process.exited;
  expect(cutover.process.stderr).not.toContain('Serving response');
  expect(cutover.process.stdout).toBe('');
});

test('--log-format json writes one object a line', async () => {
  const args = ['run', '--config', './config.json', '--log-level', 'INFO', '--log-format', 'json'];
  const cutover = await startChild(cluster('1', [await startApp('1')]), { args });
  await curl(cutover.url);
  await cutover.process.log(/Serving response 0/);
  cutover.process.signal('SIGTERM');
  await cutover.process.exited;
  const lines = cutover.process.stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.every((line) => typeof line.level === 'string' && typeof line.time === 'string')).toBe(true);
});

test('secrets are masked in the echo', async () => {
  const config = { configService: { token: 'hunter2-hunter2-hunter2' } };
  const app = await startApp('1');
  const [port, configPort] = await freePorts(2);
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      proxy: { port },
      configService: { ...config.configService, port: configPort },
      state: null,
      cluster: cluster('1', [app]),
    }),
  );
  const cutover = spawnCutover(['-logLevel=DEBUG'], folder);
  await cutover.log(/Proxied Servers:/);
  expect(cutover.stderr).not.toContain('hunter2');
});

test('the launcher works through a symbolic link and from another folder', async () => {
  const folder = temporaryFolder();
  symlinkSync(BIN, join(folder, 'linked'));
  const code = await new Promise<number>((resolve) =>
    execFile(join(folder, 'linked'), ['-h'], { cwd: '/' }, (error) => resolve(error === null ? 0 : 1)),
  );
  expect(code).toBe(0);
});
