/** Many connections at once: a switch under them, and fewer file descriptors than they need. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startServer as startProgram } from '../../bench/process.ts';
import { cluster } from '../kit/config-service.ts';
import { BIN, startProxy, temporaryFolder } from '../kit/cutover.ts';
import { freePort } from '../kit/ports.ts';
import { askOnce, connectTo, type RawClient } from '../kit/raw-client.ts';
import { answers, startServer } from '../kit/scripted-server.ts';

const IDLE = process.env.CUTOVER_TEST_FULL === '1' ? 5000 : 500;
const BUSY = 100;

test('a switch under many idle and many busy connections: none is reset, each next request goes to the new version', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('1', [old]));
  const idle = await connectMany(proxy.port, IDLE);
  for (const client of idle) expect((await client.ask('/')).text).toBe('old');
  let isSwitched = false;
  const busy = (await connectMany(proxy.port, BUSY)).map(async (client) => {
    for (let late = 0; late < 3; ) {
      const isLate = isSwitched;
      const { status, text } = await client.ask('/');
      expect(status).toBe(200);
      if (isLate) {
        expect(text).toBe('new');
        late += 1;
      }
    }
  });
  await old.arrival(IDLE + 3 * BUSY);
  await proxy.put(cluster('2', [next]));
  isSwitched = true;
  await Promise.all(busy);
  for (const client of idle) expect((await client.ask('/')).text).toBe('new');
});

test('out of file descriptors: it does not crash, and serves again when there are some', async () => {
  const server = await startServer(answers('well'));
  const [port, configPort] = [await freePort(), await freePort()];
  const file = join(temporaryFolder(), 'config.json');
  const config = { proxy: { hostname: '127.0.0.1', port }, configService: { port: configPort }, state: null };
  writeFileSync(file, JSON.stringify({ ...config, cluster: cluster('1', [server]) }));
  const program = await startProgram('sh', ['-c', `ulimit -n 64; exec "${BIN}" run --config "${file}"`], port);
  try {
    // Some are closed as soon as they are accepted: that is all that can be done for them.
    const crowd = (await Promise.allSettled(Array.from({ length: 100 }, () => connectTo(port))))
      .filter((opened) => opened.status === 'fulfilled')
      .map(({ value }) => value);
    for (const client of crowd) client.socket.on('error', () => {});
    for (const client of crowd) client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    for (const client of crowd) client.socket.destroy();
    let answer = null;
    // Until the crowd is seen to be gone, one more is turned away.
    for (let tries = 0; answer?.status !== 200 && tries < 1000; tries += 1)
      answer = await askOnce(port, '/').catch(() => null);
    expect(answer?.text).toBe('well');
  } finally {
    await program.stop();
  }
});

async function connectMany(port: number, count: number): Promise<readonly RawClient[]> {
  const clients: RawClient[] = [];
  // In groups, each smaller than the queue of connections to accept.
  while (clients.length < count) {
    const group = Array.from({ length: Math.min(100, count - clients.length) }, () => connectTo(port));
    clients.push(...(await Promise.all(group)));
  }
  return clients;
}
