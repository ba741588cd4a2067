/** What is accepted as the containers of a version, and the lines that name what is not. */
import { describe, expect, test } from 'vitest';
import { parseCluster } from '../../../src/core/config/parse.ts';
import { bodyOf, clusterOf, STARTED, type WireContainer } from '../containers/samples.ts';
import { body, errorsOf } from './samples.ts';

const errors = (...containers: readonly WireContainer[]): readonly string[] =>
  errorsOf(parseCluster(bodyOf(containers), STARTED));

/** One container that is proxied to. */
const app = (container: WireContainer = {}): WireContainer => ({ image: 'app', portToProxy: 80, ...container });

test('fields are checked one by one', () => {
  const container = {
    portToProxy: '80',
    environment: [7],
    volumesFrom: ['a:rx'],
    portBindings: { '80/tcp': [{ HostPort: '80' }, { hostPort: 70_000 }], http: [] },
    dockerHost: { port: 1 },
    lxcConf: [{ key: 'lxc.cgroup.pids.max' }],
    privileged: 'yes',
    entrypoints: [],
  };
  expect(errors(container).map((line) => line.replace(/ (must|is|keys).*/, ''))).toEqual([
    '"cluster.containers[0].image"',
    '"cluster.containers[0].portToProxy"',
    '"cluster.containers[0].environment[0]"',
    '"cluster.containers[0].volumesFrom[0]"',
    '"cluster.containers[0].portBindings.80/tcp[1].hostPort"',
    '"portBindings"',
    '"cluster.containers[0].lxcConf[0].value"',
    '"cluster.containers[0].privileged"',
    '"cluster.containers[0].entrypoints"',
    '"cluster.containers[0].dockerHost"',
  ]);
});

test('never beside servers', () => {
  expect(errorsOf(parseCluster(body({ containers: [app()] })))).toEqual([
    '"cluster" must contain "servers" or "containers" list, not both',
  ]);
});

test('a watch names tags by a pattern or by a range, of an image that has one', () => {
  const image = `app@sha256:${'0'.repeat(64)}`;
  const at = '"cluster.containers[0].watch';
  expect(errors(app({ watch: { tags: '1.*', semver: '1.x' } }))).toEqual([
    `${at}" must have "tags" or "semver", not both`,
  ]);
  expect(errors(app({ watch: { semver: 'one' } }))[0]).toMatch(`${at}.semver" must be a range of versions`);
  expect(errors(app({ image, watch: {} }))).toEqual([
    `${at}" must not be given: "image" has no tag whose image could change`,
  ]);
  const right = app({ image: image.replace('@', ':1@'), watch: { interval: 60, minAge: 3600 } });
  expect(parseCluster(bodyOf([right]), STARTED).ok).toBe(true);
});

test('one at least is proxied to', () => {
  expect(errors({ image: 'db' })).toEqual(['"containers" list must contain at least one entry with "portToProxy"']);
});

describe('what does not parse names itself', () => {
  test.each<[string, unknown, string]>([
    ['environment', ['A=1', 'SECRET'], '.environment[1]" must be NAME=value, not ***'],
    ['environment', ['=1'], '.environment[0]" must be NAME=value, not ***'],
    ['image', 'App', '.image" must be the name of an image'],
    ['image', 'app:a b', '.image" must be the name of an image'],
    ['image', 'app@sha256:1', '.image" must be the name of an image'],
    ['tag', 'a/b', '.tag" must be a tag'],
    ['name', '-a', '.name" must be a name'],
    ['volumes', ['data'], '.volumes[0]" must be "/path"'],
    ['volumes', ['/a:b'], '.volumes[0]" must be "/path"'],
    ['volumes', ['/a:/b:rx'], '.volumes[0]" must be "/path"'],
    ['volumes', ['/a:/b:ro:x'], '.volumes[0]" must be "/path"'],
    ['volumes', ['../a:/b'], '.volumes[0]" must be "/path"'],
    ['volumes', ['/a:/'], '.volumes[0]" must be "/path"'],
    ['links', ['a:b:c'], '.links[0]" must be a container name'],
    ['links', ['a b'], '.links[0]" must be a container name'],
    ['network', 'a/b', '.network" must be the name of a network'],
    ['restartPolicy', 'sometimes', '.restartPolicy" must be "no"'],
    ['restartPolicy', 'always:3', '.restartPolicy" must be "no"'],
    ['stopSignal', 'stop', '.stopSignal" must be a signal'],
    ['pullPolicy', 'often', '.pullPolicy" must be "missing", "always" or "never"'],
    ['portBindings', { '0/tcp': [] }, '"portBindings" keys must be of the form "80/tcp"'],
    ['portBindings', { '80/ip': [] }, '"portBindings" keys must be of the form "80/tcp"'],
    ['portBindings', { 80: [{ HostIp: 'here' }] }, '.HostIp" must be an IP address, or nothing'],
    ['labels', { 'cutover.id': 'x' }, '"labels" keys must not be empty or begin with "cutover."'],
    [
      'lxcConf',
      [{ key: 'lxc.aa_profile', value: 'x' }],
      '.lxcConf[0].key" must be an LXC option that Docker still has',
    ],
    ['lxcConf', [{ key: 'lxc.cgroup.cpuset.cpus', value: 'all' }], '.value" must be a value of lxc.cgroup.cpuset.cpus'],
    [
      'lxcConf',
      [{ key: 'lxc.cgroup.devices.allow', value: 'a' }],
      '.value" must be a value of lxc.cgroup.devices.allow',
    ],
  ])('%s %j', (key, value, expected) => {
    const [line = '', ...more] = errors(app({ [key]: value }));
    expect(line).toContain(expected);
    expect(more).toEqual([]);
  });
});

describe('what two fields say together', () => {
  test.each<[string, readonly WireContainer[], string]>([
    ['two tags', [app({ image: 'app:1', tag: '2' })], '[0].tag" must not be given, since "image" has one'],
    ['two pull policies', [app({ alwaysPull: true, pullPolicy: 'never' })], '[0].pullPolicy" must be "always"'],
    ['a port in no network', [app({ network: 'none' })], '[0].network" must be one with ports'],
    ["a port in another's network", [app({ network: 'container:db' })], '[0].network" must be one with ports'],
    [
      'memory twice',
      [app({ memory: 1, lxcConf: [{ key: 'lxc.cgroup.memory.limit_in_bytes', value: '1' }] })],
      'must not be given beside "memory"',
    ],
    [
      'a name twice',
      [app({ name: 'a' }), app({ name: 'a' })],
      '[1].name" must differ from "cluster.containers[0].name"',
    ],
    [
      'a name that a replica has',
      [app({ name: 'a', replicas: 2 }), app({ name: 'a-2' })],
      '[1].name" must differ from "cluster.containers[0].name": it is "a-2" too',
    ],
    [
      'a host port twice',
      [
        app({ portBindings: { 80: [{ HostPort: 8080 }] } }),
        app({ portBindings: { 80: [{ HostIp: '127.0.0.1', HostPort: 8080 }] } }),
      ],
      '[1].portBindings" publishes host port 8080/tcp, as "cluster.containers[0].portBindings" does',
    ],
    [
      'a host port for two replicas',
      [app({ replicas: 2, portBindings: { 80: [{ HostPort: 8080 }] } })],
      '[0].portBindings" must name no host port of "80": there are 2 replicas',
    ],
    [
      'a link to a later one',
      [app({ links: ['db'] }), { image: 'db', name: 'db' }],
      '[0].links[0]" names "db", which is started later',
    ],
    [
      'volumes from itself',
      [app({ name: 'a', volumesFrom: ['a'] })],
      '[0].volumesFrom[0]" names "a", which is this container',
    ],
    [
      'an engine with half an address',
      [app({ dockerHost: { ip: '::1' } })],
      '[0].dockerHost" must have "ip" and "port"',
    ],
    [
      'a socket with certificates',
      [app({ dockerHost: { socketPath: '/x', certPath: '/y' } })],
      '[0].dockerHost" must have',
    ],
  ])('%s', (_, containers, expected) => {
    const [line = '', ...more] = errors(...containers);
    expect(line).toContain(expected);
    expect(more).toEqual([]);
  });

  test('the same host port on two addresses, for two protocols or on two engines is fine', () => {
    const bound = (HostIp: string, port: string, more: object = {}) =>
      app({ portBindings: { [port]: [{ HostIp, HostPort: 8080 }] }, ...more });
    const elsewhere = { dockerHost: { ip: '10.0.0.1', port: 2375 } };
    expect(
      clusterOf([
        bound('127.0.0.1', '80/tcp'),
        bound('127.0.0.2', '80/tcp'),
        bound('127.0.0.1', '80/udp'),
        bound('127.0.0.1', '80/tcp', elsewhere),
      ]).containers,
    ).toHaveLength(4);
  });
});

test('the engine of a container, of its cluster, of the file: the nearest counts', () => {
  const own = { dockerHost: { socketPath: '/own.sock' } };
  const at = { dockerHost: { ip: '10.0.0.1', port: 2376, certPath: '/certs' } };
  const { containers } = clusterOf([app(), app(own)], at);
  expect(containers.map(({ engine }) => engine)).toEqual([
    { kind: 'tcp', host: '10.0.0.1', port: 2376, certPath: '/certs' },
    { kind: 'socket', path: '/own.sock' },
  ]);
});

test('what GET shows is what was given, without the values of the environment', () => {
  const given = app({ environment: ['USER=hush', 'A=b=hush'], cmd: ['x'] });
  expect(clusterOf([given]).shownContainers).toEqual([{ ...given, environment: ['USER=***', 'A=***'] }]);
});

describe('a privileged container', () => {
  const privileged = bodyOf([app({ privileged: true })]);
  const line =
    '"cluster.containers[0].privileged" is true: that is allowed only where "configService.allowPrivileged" is true';

  test('is forbidden, once nothing else is wrong', () => {
    expect(parseCluster(privileged, STARTED)).toEqual({ ok: false, errors: [line], because: 'forbidden' });
    const wrong = parseCluster(bodyOf([app({ privileged: true, memory: -1 })]), STARTED);
    expect(wrong).toMatchObject({ ok: false, errors: [expect.stringContaining('memory')] });
    expect(wrong).not.toHaveProperty('because');
  });

  test('is allowed where the configuration says so', () => {
    expect(parseCluster(privileged, { ...STARTED, privileged: 'allowed' })).toMatchObject({ ok: true });
  });
});
