/** Each option of a container, shown by inspecting what the engine made of it. */
import { afterEach, beforeAll, expect, test } from 'vitest';
import { put } from '../kit/config-service.ts';
import { type RunningCutover, startProxy } from '../kit/cutover.ts';
import { removeContainers, sharedEngine } from '../kit/engine.ts';
import { APP_PORT, buildAppImage } from '../kit/images.ts';

const engine = sharedEngine();
const { docker, socketPath } = engine;
const IMAGE = 'cutover-test-options';
const dockerHost = { socketPath };

beforeAll(() => buildAppImage(engine, `${IMAGE}:1.0`, { version: '1.0' }));
afterEach(() => removeContainers(engine));

const web = { image: IMAGE, tag: '1.0', portToProxy: APP_PORT, stopTimeout: 1, dockerHost };

/** Until its containers run. */
async function run(containers: readonly object[], config: object = {}): Promise<RunningCutover> {
  const proxy = await startProxy({ version: '1.0', containers: containers as never }, config as never);
  for (;;) {
    const got = await fetch(`http://127.0.0.1:${proxy.port}/`);
    const failed = proxy.log.lines.find(({ text }) => text.includes('could not be started'));
    if (failed !== undefined) throw new Error(failed.text);
    if ((await got.text()) === '1.0') return proxy;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

test('every option, as the engine has it', async () => {
  const environment = ['A=1', 'SECRET=hush'];
  await run([
    { image: IMAGE, tag: '1.0', name: 'cutover-options-data', volumes: ['/shared'], stopTimeout: 1, dockerHost },
    {
      ...web,
      name: 'cutover-options-web',
      workingDir: '/tmp',
      entrypoint: ['node'],
      environment,
      cmd: ['/app/container-app.ts', 'more'],
      hostname: 'web-1',
      volumes: ['/tmp:/host:ro', 'cutover-options-volume:/kept', '/anonymous'],
      volumesFrom: ['cutover-options-data:ro'],
      portBindings: { '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
      links: ['cutover-options-data:data'],
      user: '0:0',
      memory: 268_435_456,
      cpuShares: 512,
      lxcConf: [
        { key: 'lxc.cgroup.cpuset.cpus', value: '0' },
        { key: 'lxc.cgroup.devices.allow', value: 'c 1:3 rwm' },
      ],
      network: 'bridge',
      restartPolicy: 'on-failure:2',
      healthcheck: { test: ['node', '-e', '0'], interval: 1, timeout: 5, retries: 2, startPeriod: 1 },
      labels: { team: 'blue' },
      stopSignal: 'SIGTERM',
    },
  ]);
  const { Config, HostConfig, Name } = await docker.getContainer('cutover-options-web').inspect();
  expect(Name).toBe('/cutover-options-web');
  expect(Config).toMatchObject({
    Image: `${IMAGE}:1.0`,
    WorkingDir: '/tmp',
    Entrypoint: ['node'],
    Env: expect.arrayContaining(environment),
    Cmd: ['/app/container-app.ts', 'more'],
    Hostname: 'web-1',
    User: '0:0',
    Volumes: { '/anonymous': {} },
    StopSignal: 'SIGTERM',
    StopTimeout: 1,
    Healthcheck: { Test: ['CMD', 'node', '-e', '0'], Interval: 1e9, Timeout: 5e9, Retries: 2, StartPeriod: 1e9 },
    Labels: {
      team: 'blue',
      'cutover.service': 'default',
      'cutover.version': '1.0',
      'cutover.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    },
  });
  expect(HostConfig).toMatchObject({
    Binds: ['/tmp:/host:ro', 'cutover-options-volume:/kept'],
    VolumesFrom: ['cutover-options-data:ro'],
    PortBindings: {
      '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }],
      '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }],
    },
    Links: ['/cutover-options-data:/cutover-options-web/data'],
    Memory: 268_435_456,
    CpuShares: 512,
    CpusetCpus: '0',
    DeviceCgroupRules: ['c 1:3 rwm'],
    NetworkMode: 'bridge',
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
  });
  await docker.getContainer('cutover-options-web').remove({ force: true });
  await docker.getVolume('cutover-options-volume').remove();
});

test('privileged, where it is allowed: the engine gives it, or says that it has none to give', async () => {
  const config = { configService: { hostname: '127.0.0.1', port: 0, allowPrivileged: true } };
  const privileged = { ...web, name: 'cutover-options-privileged', privileged: true };
  const said = await run([privileged], config).then(
    async () => (await docker.getContainer('cutover-options-privileged').inspect()).HostConfig.Privileged,
    (error: Error) => error.message.includes('unable to apply caps'),
  );
  expect(said).toBe(true);
  const forbidden = await run([web]);
  expect((await put(forbidden.configPort, { version: '2.0', containers: [privileged] })).status).toBe(403);
});

test('a published host port is what is proxied to', async () => {
  const proxy = await run([
    { ...web, portToProxy: 18_765, portBindings: { 80: [{ HostIp: '127.0.0.1', HostPort: 18_765 }] } },
  ]);
  expect(await (await fetch('http://127.0.0.1:18765/')).text()).toBe('1.0');
  const taken = { ...web, portToProxy: 18_765, portBindings: { 80: [{ HostPort: 18_765 }] } };
  const answer = await put(proxy.configPort, { version: '2.0', containers: [taken] });
  expect(answer.text.trimEnd().split('\n').at(-1)).toMatch(/^error: .*Host port 18765\/tcp is published by container/);
});

test('replicas share the traffic', async () => {
  const proxy = await run([{ ...web, replicas: 2 }]);
  // One that listened a moment later than the other takes its share a moment later.
  for (const seen = new Set<string>(); seen.size < 2; ) {
    const got = await fetch(`http://127.0.0.1:${proxy.port}/seen`);
    seen.add(((await got.json()) as { hostname: string }).hostname);
  }
});

test.each<[string, object, RegExp]>([
  ['an image that does not exist', { image: 'cutover-test-nowhere', pullPolicy: 'never' }, /is not there/],
  [
    'one that no registry can be asked for',
    { image: '127.0.0.1:1/app' },
    /^error: .*Pulling 127\.0\.0\.1:1\/app:1\.0 failed: /,
  ],
  ['a program that is not there', { entrypoint: ['/nothing'] }, /Starting container ".*" failed: .*\/nothing/],
  [
    'an engine that is not there',
    { dockerHost: { socketPath: '/nowhere.sock' } },
    /engine at unix:\/\/\/nowhere\.sock does not answer: there is no such socket/,
  ],
  [
    'an engine that refuses',
    { dockerHost: { ip: '127.0.0.1', port: 1 } },
    /engine at tcp:\/\/127\.0\.0\.1:1 does not answer: connection refused/,
  ],
])('%s: the PUT says so, and nothing is left', async (_, more, reason) => {
  const proxy = await run([web]);
  const answer = await put(proxy.configPort, { version: '2.0', containers: [{ ...web, ...more }] });
  expect(answer.text.trimEnd().split('\n').at(-1)).toMatch(reason);
  expect(await (await fetch(`http://127.0.0.1:${proxy.port}/`)).text()).toBe('1.0');
  const label = [`${engine.label.key}=${engine.label.value}`];
  const left = () => docker.listContainers({ all: true, filters: { label } });
  while ((await left()).length > 1) await new Promise((resolve) => setTimeout(resolve, 50));
});

test('a name that is not ours is an error, and its container is left alone', async () => {
  const proxy = await run([web]);
  const stranger = await docker.createContainer({ name: 'cutover-options-stranger', Image: `${IMAGE}:1.0` });
  const named = { ...web, name: 'cutover-options-stranger' };
  const answer = await put(proxy.configPort, { version: '2.0', containers: [named] });
  expect(answer.text).toContain(
    'The name "cutover-options-stranger" is taken by a container that Cutover did not create',
  );
  expect((await stranger.inspect()).State.Status).toBe('created');
});

test('a database is shared: used as it runs, and stopped with the last version that uses it', async () => {
  const db = { image: IMAGE, tag: '1.0', name: 'cutover-options-db', stopTimeout: 1, dockerHost };
  const proxy = await run([db, web]);
  const before = await docker.getContainer('cutover-options-db').inspect();
  const second = { ...web, links: ['cutover-options-db:db'] };
  const id = (
    await put(proxy.configPort, {
      version: '2.0',
      containers: [second],
      upgradeTransition: { mode: 'INSTANT', regretWindow: 0.2 },
    })
  ).text
    .trimEnd()
    .split('\n')
    .at(-1);
  await proxy.log.line('INFO', /Version 1\.0 .* has drained/);
  const label = ['cutover.version=1.0', `${engine.label.key}=${engine.label.value}`];
  while ((await docker.listContainers({ all: true, filters: { label } })).length > 1)
    await new Promise((r) => setTimeout(r, 50));
  const after = await docker.getContainer('cutover-options-db').inspect();
  expect([after.Id, after.State.StartedAt]).toEqual([before.Id, before.State.StartedAt]);

  await put(proxy.configPort, {
    version: '3.0',
    containers: [web],
    upgradeTransition: { mode: 'INSTANT', regretWindow: 0.2 },
  });
  await proxy.log.line('INFO', /Version 2\.0 .* has drained/);
  const all = [`${engine.label.key}=${engine.label.value}`];
  while ((await docker.listContainers({ all: true, filters: { label: all } })).length > 1)
    await new Promise((r) => setTimeout(r, 50));
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
});
