/** Each option of a container, as the engine is asked for it. */
import { describe, expect, test } from 'vitest';
import { createBody } from '../../../src/core/containers/create-body.ts';
import { containerOf, type WireContainer } from './samples.ts';

const PLAIN = { image: 'app:latest', labels: { 'cutover.id': 'x' }, publish: null };

interface Body {
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

const bodyOf = (container: WireContainer, context: object = {}): Body =>
  createBody(containerOf(container), { ...PLAIN, ...context }) as unknown as Body;

test('what is left out is left to the image and the engine', () => {
  expect(bodyOf({})).toEqual({
    Image: 'app:latest',
    Labels: { 'cutover.id': 'x' },
    ExposedPorts: { '80/tcp': {} },
    HostConfig: {},
  });
});

describe('an option of the container', () => {
  test.each<[string, unknown, object]>([
    ['workingDir', '/srv', { WorkingDir: '/srv' }],
    ['entrypoint', ['/bin/sh', '-c'], { Entrypoint: ['/bin/sh', '-c'] }],
    ['environment', ['A=1', 'B='], { Env: ['A=1', 'B='] }],
    ['cmd', ['serve', '--port', '80'], { Cmd: ['serve', '--port', '80'] }],
    ['cmd', [], { Cmd: [] }],
    ['hostname', 'web-1', { Hostname: 'web-1' }],
    ['user', '1000:50', { User: '1000:50' }],
    ['stopSignal', 'SIGQUIT', { StopSignal: 'SIGQUIT' }],
    ['stopTimeout', 3, { StopTimeout: 3 }],
    ['labels', { team: 'blue' }, { Labels: { team: 'blue', 'cutover.id': 'x' } }],
    ['volumes', ['/data'], { Volumes: { '/data': {} } }],
  ])('%s', (key, value, expected) => {
    expect(bodyOf({ [key]: value })).toMatchObject(expected);
  });

  test('healthcheck: a command for the shell or a list of words, times in nanoseconds', () => {
    expect(bodyOf({ healthcheck: { test: 'curl -f localhost' } }).Healthcheck).toEqual({
      Test: ['CMD-SHELL', 'curl -f localhost'],
      Interval: 30e9,
      Timeout: 30e9,
      StartPeriod: 0,
      Retries: 3,
    });
    const times = { interval: 0.5, timeout: 2, retries: 1, startPeriod: 10 };
    expect(bodyOf({ healthcheck: { test: ['/check', 'me'], ...times } }).Healthcheck).toEqual({
      Test: ['CMD', '/check', 'me'],
      Interval: 5e8,
      Timeout: 2e9,
      StartPeriod: 10e9,
      Retries: 1,
    });
    expect(bodyOf({ healthcheck: { test: ['NONE'] } }).Healthcheck).toMatchObject({ Test: ['NONE'] });
  });
});

describe('an option of its host', () => {
  test.each<[string, unknown, object]>([
    [
      'volumes',
      ['/srv:/data', 'name:/data:ro', '/a:/b:rw,z'],
      { Binds: ['/srv:/data', 'name:/data:ro', '/a:/b:rw,z'] },
    ],
    ['volumesFrom', ['data', 'more:ro'], { VolumesFrom: ['data', 'more:ro'] }],
    ['links', ['db', 'db:mysql'], { Links: ['db', 'db:mysql'] }],
    ['memory', 67_108_864, { Memory: 67_108_864 }],
    ['cpuShares', 512, { CpuShares: 512 }],
    ['privileged', true, { Privileged: true }],
    ['network', 'back', { NetworkMode: 'back' }],
    ['network', 'host', { NetworkMode: 'host' }],
    ['restartPolicy', 'always', { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } }],
    ['restartPolicy', 'on-failure:3', { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } }],
  ])('%s %j', (key, value, expected) => {
    expect(bodyOf({ [key]: value }).HostConfig).toEqual(expected);
  });

  test('portBindings, in both spellings, numbers or strings, and without a port a free one', () => {
    const portBindings = {
      '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }, { hostPort: 8081 }],
      '53/udp': [{ hostIp: '::1' }],
      '81': [],
    };
    const body = bodyOf({ portToProxy: 8080, portBindings });
    expect(body.HostConfig.PortBindings).toEqual({
      '80/tcp': [
        { HostIp: '127.0.0.1', HostPort: '8080' },
        { HostIp: '', HostPort: '8081' },
      ],
      '53/udp': [{ HostIp: '::1', HostPort: '' }],
      '81/tcp': [{ HostIp: '', HostPort: '' }],
    });
    expect(body.ExposedPorts).toEqual({ '80/tcp': {}, '53/udp': {}, '81/tcp': {} });
  });

  test('the port to proxy, where no binding publishes it', () => {
    const publish = { port: '80/tcp', hostIp: '127.0.0.1', hostPort: null };
    const body = bodyOf({}, { publish });
    expect(body.HostConfig.PortBindings).toEqual({ '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] });
    expect(body.ExposedPorts).toEqual({ '80/tcp': {} });
  });

  test('lxcConf: what Docker has an equivalent of', () => {
    const lxcConf = [
      { key: 'lxc.cgroup.cpuset.cpus', value: '0,1' },
      { key: 'lxc.cgroup.cpuset.mems', value: '0' },
      { key: 'lxc.cgroup.cpu.shares', value: '512' },
      { key: 'lxc.cgroup.cpu.cfs_period_us', value: '100000' },
      { key: 'lxc.cgroup.cpu.cfs_quota_us', value: '50000' },
      { key: 'lxc.cgroup.memory.limit_in_bytes', value: '64M' },
      { key: 'lxc.cgroup.memory.soft_limit_in_bytes', value: '33554432' },
      { key: 'lxc.cgroup.memory.memsw.limit_in_bytes', value: '128m' },
      { key: 'lxc.cgroup.blkio.weight', value: '300' },
      { key: 'lxc.cgroup.pids.max', value: '100' },
      { key: 'lxc.cgroup.devices.allow', value: 'c 1:3 rwm' },
      { key: 'lxc.cgroup.devices.allow', value: 'b 8:* r' },
    ];
    expect(bodyOf({ lxcConf }).HostConfig).toEqual({
      CpusetCpus: '0,1',
      CpusetMems: '0',
      CpuShares: 512,
      CpuPeriod: 100_000,
      CpuQuota: 50_000,
      Memory: 67_108_864,
      MemoryReservation: 33_554_432,
      MemorySwap: 134_217_728,
      BlkioWeight: 300,
      PidsLimit: 100,
      DeviceCgroupRules: ['c 1:3 rwm', 'b 8:* r'],
    });
  });
});

test('the image: a tag beside it or in it, a digest, else latest', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  expect(containerOf().image).toBe('app:latest');
  expect(containerOf({ tag: '2.0' }).image).toBe('app:2.0');
  expect(containerOf({ image: 'registry:5000/team/app:2.0' }).image).toBe('registry:5000/team/app:2.0');
  expect(containerOf({ image: 'registry:5000/app' }).image).toBe('registry:5000/app:latest');
  expect(containerOf({ image: `app@${digest}` }).image).toBe(`app@${digest}`);
});

test('when it is pulled', () => {
  expect(containerOf().pull).toBe('missing');
  expect(containerOf({ alwaysPull: true }).pull).toBe('always');
  expect(containerOf({ alwaysPull: false, pullPolicy: 'never' }).pull).toBe('never');
});

test('the engine: its own, else that of the cluster', () => {
  expect(containerOf().engine).toBeNull();
  expect(containerOf({ dockerHost: { ip: '10.0.0.1', port: 2375 } }).engine).toEqual({
    kind: 'tcp',
    host: '10.0.0.1',
    port: 2375,
    certPath: null,
  });
});
