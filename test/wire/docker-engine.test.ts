/** Where a Docker engine is looked for, and how soon one that does not answer is given up; the engines are this test's. */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EngineAway } from '../../src/core/containers/launch.ts';
import { Engine } from '../../src/docker/engine.ts';
import { temporaryFolder } from '../kit/cutover.ts';

/** Listens, and resolves with its port. */
async function listening(server: Server, ...where: readonly [string] | []): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => {
    if (where.length === 1) server.listen(where[0], resolve);
    else server.listen(0, '127.0.0.1', resolve);
  });
  return where.length === 1 ? 0 : (server.address() as AddressInfo).port;
}

const pings = () => createHttpServer((request, response) => response.end(request.url === '/_ping' ? 'OK' : ''));

test('by TCP, as the configuration or DOCKER_HOST says', async () => {
  const port = await listening(pings());
  const engine = new Engine({ kind: 'tcp', host: '127.0.0.1', port, certPath: null }, {});
  await engine.reach();
  expect([engine.name, engine.host]).toEqual([`tcp://127.0.0.1:${port}`, '127.0.0.1']);
  for (const DOCKER_HOST of [`tcp://127.0.0.1:${port}`, `127.0.0.1:${port}`, `http://127.0.0.1:${port}`]) {
    await new Engine(null, { DOCKER_HOST }).reach();
  }
});

test('by its socket, as the configuration or DOCKER_HOST says', async () => {
  const path = join(temporaryFolder(), 'engine.sock');
  await listening(pings(), path);
  await new Engine({ kind: 'socket', path }, {}).reach();
  await new Engine(null, { DOCKER_HOST: `unix://${path}` }).reach();
  expect(new Engine(null, {}).name).toBe('unix:///var/run/docker.sock');
});

test('a DOCKER_HOST that can not be used is told', () => {
  expect(() => new Engine(null, { DOCKER_HOST: 'ssh://somewhere' })).toThrow(
    'DOCKER_HOST must be unix://PATH or tcp://HOST:PORT, not "ssh://somewhere"',
  );
});

test('one that takes connections and never answers is away within five seconds', async () => {
  const port = await listening(createServer());
  const begunMs = performance.now();
  const away = new Engine({ kind: 'tcp', host: '127.0.0.1', port, certPath: null }, {}).reach();
  await expect(away).rejects.toThrow(EngineAway);
  await expect(away).rejects.toThrow(`The Docker engine at tcp://127.0.0.1:${port} does not answer: no answer in time`);
  expect(performance.now() - begunMs).toBeLessThan(5000);
});
