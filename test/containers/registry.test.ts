/** Asking registries: a real one with credentials, and what others do that the real one does not. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openRegistry } from '../../src/docker/registry.ts';
import { Watcher } from '../../src/docker/watcher.ts';
import { sharedEngine } from '../kit/engine.ts';
import { buildAppImage } from '../kit/images.ts';
import { CREDENTIALS, startRegistry } from '../kit/registry.ts';
import { clusterOf } from '../unit/containers/samples.ts';
import { FakeClock, FakeLog } from '../unit/control/fakes.ts';
import { Machine } from '../unit/release/machine.ts';

const engine = sharedEngine();
const real = await startRegistry('credentials');
const ours = { ...CREDENTIALS, serveraddress: real.host };
const registry = openRegistry({ credentialsOf: async () => ours, timeoutMs: 5000 });
const repository = `${real.host}/team/app`;
/** By tag, what the engine was told when it pushed the image. */
const digests: Record<string, string> = {};

async function push(tag: string, version: string): Promise<void> {
  const image = await buildAppImage(engine, 'cutover-test-app:pushed', { version });
  digests[tag] = (await real.push(engine, image, `team/app:${tag}`)).digest;
}

beforeAll(async () => {
  await push('1.0', '1.0');
  await push('1.1', '1.1');
});
afterAll(() => real.remove());

test('tags and digests, with credentials', async () => {
  expect([...(await registry.tags(repository))].sort()).toEqual(['1.0', '1.1']);
  expect(await registry.digest(repository, '1.1')).toBe(digests['1.1']);
  expect(await registry.digest(repository, '9.9')).toBeNull();
});

test.each([
  ['none', null],
  ['wrong ones', { ...ours, password: 'let me in' }],
])('with credentials that are %s it says so, and does not tell them', async (_name, credentials) => {
  const locked = openRegistry({ credentialsOf: async () => credentials, timeoutMs: 5000 });
  await expect(locked.tags(repository)).rejects.toThrow(
    `The registry answered 401, its credentials are not accepted when it was asked for ${repository}`,
  );
});

test('a watcher finds what was pushed, rides out a registry that is away, and sees that a tag has moved', async () => {
  const [clock, log, machine] = [new FakeClock(), new FakeLog(), new Machine()];
  const container = { image: repository, tag: '1.0', portToProxy: 80, watch: { semver: '1.x', interval: 60 } };
  machine.putRunning('by-hand', clusterOf([container], { version: '1.0' }));
  let checked = Promise.withResolvers<void>();
  const told = () => {
    checked.resolve();
    checked = Promise.withResolvers();
  };
  const releases = {
    state: () => machine.state,
    seen: () => {},
    submit: async (spec: Parameters<Machine['put']>[1]) => {
      machine.putRunning(`${spec.version}-${machine.state.versions.length}`, spec);
      told();
      return { kind: 'accepted', id: '' } as const;
    },
  };
  const write = log.write.bind(log);
  log.write = (level, component, text) => {
    write(level, component, text);
    if (level === 'WARNING') told();
  };
  const watcher = new Watcher({ clock, chance: () => 0, log, registry, releases });
  onTestFinished(() => watcher.close());
  const next = async () => {
    const { promise } = checked;
    await clock.pass(60_000);
    await promise;
  };

  await next();
  expect(machine.state.versions[0]?.spec.containers[0]?.image).toBe(`${repository}:1.1@${digests['1.1']}`);
  await real.stop();
  await next();
  expect(log.lines.at(-1)).toMatch(
    /^WARNING Looking for a new image failed: Reaching the registry 127.* failed: .*ECONNREFUSED/,
  );
  await real.start();
  await push('1.1', '1.1 again');
  await next();
  const [newest] = machine.state.versions;
  expect([newest?.spec.version, newest?.spec.containers[0]?.image]).toEqual([
    '1.1',
    `${repository}:1.1@${digests['1.1']}`,
  ]);
});

/** A registry by these answers, as `host:port`. */
async function startFake(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a list of tags in pages', async () => {
  const host = await startFake(({ url }, response) => {
    const isLast = url?.includes('last=b') === true;
    if (!isLast) response.setHeader('Link', '</v2/app/tags/list?last=b>; rel="next"');
    response.end(JSON.stringify({ tags: isLast ? ['c'] : ['a', 'b'] }));
  });
  expect(await registry.tags(`${host}/app`)).toEqual(['a', 'b', 'c']);
});

test('a registry that wants a token, which a service gives for credentials', async () => {
  const asked: string[] = [];
  const host = await startFake(async (request, response) => {
    const { url = '', headers } = request;
    if (url.startsWith('/token')) {
      const form = await readText(request);
      asked.push(`${url} ${headers.authorization?.split(' ')[0] ?? form}`);
      response.end(JSON.stringify({ token: 'T' }));
    } else if (headers.authorization === 'Bearer T') {
      response.setHeader('Docker-Content-Digest', 'sha256:d').end();
    } else {
      const realm = `Bearer realm="http://${headers.host}/token",service="s",scope="repository:app:pull"`;
      response.writeHead(401, { 'WWW-Authenticate': realm }).end();
    }
  });
  expect(await registry.digest(`${host}/app`, '1')).toBe('sha256:d');
  expect(asked).toEqual(['/token?service=s&scope=repository%3Aapp%3Apull Basic']);
  const login = async () => ({ identitytoken: 'L', serveraddress: host });
  expect(await openRegistry({ credentialsOf: login, timeoutMs: 5000 }).digest(`${host}/app`, '1')).toBe('sha256:d');
  expect(asked[1]).toBe(
    '/token service=s&scope=repository%3Aapp%3Apull&grant_type=refresh_token&refresh_token=L&client_id=cutover',
  );
});

test('a registry that does not answer is given up', async () => {
  const host = await startFake(() => {});
  const hasty = openRegistry({ credentialsOf: async () => null, timeoutMs: 50 });
  await expect(hasty.tags(`${host}/app`)).rejects.toThrow(/^Reaching the registry 127\.0\.0\.1:\d+ failed: /);
});
