/** The proxy as it is on a Node whose handles are not known: the public sockets carry the same traffic. */
import { afterAll, expect, test, vi } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { askOnce, connectTo } from '../kit/raw-client.ts';
import { startServer } from '../kit/scripted-server.ts';

vi.hoisted(() => {
  process.env.CUTOVER_PUBLIC_SOCKETS = '1';
});
afterAll(() => {
  delete process.env.CUTOVER_PUBLIC_SOCKETS;
});

const LONG = Buffer.alloc(3 * 1024 * 1024, 'long body ');

test('it says so at start, and carries small and long messages both ways', async () => {
  const server = await startServer(async (arrival) => {
    const body = arrival.head.target === '/echo' ? await arrival.body() : LONG;
    arrival.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, body);
  });
  const proxy = await startProxy(cluster('1', [server]));
  expect(proxy.log.of('NOTICE').join()).toMatch(/Connections are on the public sockets of Node v/);
  const client = await connectTo(proxy.port);
  const small = await client.ask({ method: 'POST', target: '/echo', body: 'small' });
  expect(small.text).toBe('small');
  expect((await client.ask('/long')).body.equals(LONG)).toBe(true);
  expect((await client.ask({ method: 'POST', target: '/echo', body: LONG })).body.equals(LONG)).toBe(true);
  expect((await askOnce(proxy.port, '/long')).body.equals(LONG)).toBe(true);
});
