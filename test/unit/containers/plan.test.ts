/** What is found before anything is started: what runs already, what is shared, and what stands in the way. */
import { describe, expect, test } from 'vitest';
import type { ContainerSpec } from '../../../src/core/config/model.ts';
import { prunable } from '../../../src/core/containers/images.ts';
import {
  type FoundContainer,
  type LaunchOrder,
  labelsOf,
  planLaunch,
  usedBy,
} from '../../../src/core/containers/plan.ts';
import { publishFor, serverOf } from '../../../src/core/containers/servers.ts';
import { Machine } from '../release/machine.ts';
import { inContainers, launchedContainer } from '../release/specs.ts';
import { clusterOf, containerOf, type WireContainer } from './samples.ts';

const fingerprint = (spec: ContainerSpec): string => JSON.stringify(spec);

const order = (id: string, ...containers: readonly WireContainer[]): LaunchOrder => ({
  id,
  service: 'default',
  version: `v-${id}`,
  containers: clusterOf([...containers]).containers,
});

const APP = { image: 'app', portToProxy: 80 };
const DB = { image: 'db', name: 'db' };

/** A container of this version, as its engine lists it. */
function found(made: LaunchOrder, index: number, more: Partial<FoundContainer> = {}): FoundContainer {
  const spec = made.containers[index] as ContainerSpec;
  const labels = labelsOf(made, `${index}`, fingerprint(spec));
  return { id: `${made.id}-${index}`, name: spec.name ?? 'made-up', labels, running: true, hostPorts: [], ...more };
}

const stranger = (more: Partial<FoundContainer>): FoundContainer => ({
  id: 'x',
  name: 'stranger',
  labels: {},
  running: true,
  hostPorts: [],
  ...more,
});

function plan(wanted: LaunchOrder, ...there: readonly FoundContainer[]) {
  const made = planLaunch(wanted, { found: () => there, fingerprint });
  return made.ok ? made.steps.map(({ kind, slot, name }) => `${kind} ${slot} ${name}`) : made.reason;
}

describe('a plan', () => {
  test('creates in the order given, with names that are the same each time', () => {
    const wanted = order('12345678-1234-x', DB, { ...APP, replicas: 2 });
    expect(plan(wanted)).toEqual([
      'create 0 db',
      'create 1.1 cutover-default-12345678-1234-1-1',
      'create 1.2 cutover-default-12345678-1234-1-2',
    ]);
  });

  test('finds its own again, running or not', () => {
    const wanted = order('a', DB, APP);
    expect(plan(wanted, found(wanted, 0), found(wanted, 1, { running: false }))).toEqual(['own 0 db', 'own 1 made-up']);
  });

  test('shares what has the same name and the same options', () => {
    const old = order('a', DB, APP);
    expect(plan(order('b', DB, APP), found(old, 0))[0]).toBe('shared 0 db');
  });

  test('shares what is only pointed at, whoever started it; what is not ours is left out of it', () => {
    const old = order('a', DB, APP);
    expect(plan(order('b', { ...APP, links: ['db:mysql'] }), found(old, 0))).toEqual([
      'shared null db',
      expect.stringMatching(/^create 0 /),
    ]);
    expect(plan(order('b', { ...APP, volumesFrom: ['db:ro'] }), stranger({ name: 'db' }))).toHaveLength(1);
  });

  test.each<[string, LaunchOrder, FoundContainer[], string]>([
    [
      'a name that is not ours',
      order('b', DB, APP),
      [stranger({ name: 'db' })],
      'The name "db" is taken by a container that Cutover did not create',
    ],
    [
      'a name with other options',
      order('b', { ...DB, memory: 1e8 }, APP),
      [found(order('a', DB, APP), 0)],
      'The name "db" is taken by a container of version v-a with other options',
    ],
    [
      'nothing to link to',
      order('b', { ...APP, links: ['db'] }),
      [],
      '"links" names "db", and there is no such container',
    ],
    [
      'a host port',
      order('b', { ...APP, portToProxy: 8080, portBindings: { 80: [{ HostPort: 8080 }] } }),
      [stranger({ hostPorts: ['8080/tcp'] })],
      'Host port 8080/tcp is published by container "stranger" already',
    ],
  ])('stops at %s', (_, wanted, there, reason) => {
    expect(plan(wanted, ...there)).toBe(reason);
  });
});

test('a container is used by whoever has or points at its name, on the same engine', () => {
  const uses = (container: WireContainer, name = 'db') =>
    usedBy(clusterOf([{ ...APP, ...container }]).containers, name, null);
  expect(uses({ name: 'db' })).toBe(true);
  expect(uses({ links: ['db:mysql'] })).toBe(true);
  expect(uses({ volumesFrom: ['db:ro'] })).toBe(true);
  expect(uses({ name: 'web', replicas: 2 }, 'web-2')).toBe(true);
  expect(uses({ links: ['dbs'] })).toBe(false);
  expect(uses({ links: ['db'], dockerHost: { socketPath: '/other' } })).toBe(false);
});

describe('where a container is reached', () => {
  const local = { host: '127.0.0.1', inside: false };
  const remote = { host: '10.0.0.7', inside: false };
  const reached = { ports: { '80/tcp': [{ hostIp: '127.0.0.1', hostPort: 49_153 }] }, address: '172.17.0.5' };

  test('its own port on a free one: of loopback here, of the address of an engine elsewhere', () => {
    expect(publishFor(containerOf(), local)).toEqual({ port: '80/tcp', hostIp: '127.0.0.1', hostPort: null });
    expect(publishFor(containerOf(), remote)).toMatchObject({ hostIp: '10.0.0.7' });
    expect(serverOf(containerOf(), local, reached)).toEqual({ host: '127.0.0.1', port: 49_153 });
  });

  test('a host port that a binding publishes', () => {
    const spec = containerOf({ portToProxy: 8080, portBindings: { 80: [{ HostPort: 8080 }] } });
    expect(publishFor(spec, local)).toBeNull();
    const ports = { '80/tcp': [{ hostIp: '0.0.0.0', hostPort: 8080 }] };
    expect(serverOf(spec, remote, { ports, address: null })).toEqual({ host: '10.0.0.7', port: 8080 });
  });

  test("the machine's own port in its network", () => {
    const spec = containerOf({ network: 'host' });
    expect(publishFor(spec, local)).toBeNull();
    expect(serverOf(spec, local, { ports: {}, address: null })).toEqual({ host: '127.0.0.1', port: 80 });
  });

  test('its own address where Cutover is a container too', () => {
    const inside = { host: '127.0.0.1', inside: true };
    expect(publishFor(containerOf(), inside)).toBeNull();
    expect(serverOf(containerOf(), inside, reached)).toEqual({ host: '172.17.0.5', port: 80 });
  });

  test('nowhere when nothing is published', () => {
    expect(serverOf(containerOf(), local, { ports: {}, address: null })).toBeNull();
  });
});

test('images that were pulled go but for the last two and those that a version needs', () => {
  const m = new Machine();
  const run = (id: string, version: string, pulled: boolean) => {
    m.put(id, inContainers('INSTANT', { version }));
    const image = { reference: `app:${version}`, imageId: `sha256:${id}`, digest: null, pulled };
    m.run(id, launchedContainer(`127.0.0.1:400${version}`, { image }));
    m.happen({ kind: 'regret-over', id });
  };
  run('a', '1', true);
  run('b', '2', false);
  run('c', '3', true);
  expect(prunable(m.state.versions).map(({ image }) => image.imageId)).toEqual(['sha256:a']);
  run('d', '4', true);
  // What was there before is not ours to remove.
  expect(prunable(m.state.versions).map(({ image }) => image.imageId)).toEqual(['sha256:a']);
  run('e', '5', true);
  expect(prunable(m.state.versions).map(({ image }) => image.imageId)).toEqual(['sha256:c', 'sha256:a']);
});
