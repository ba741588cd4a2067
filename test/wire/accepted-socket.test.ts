import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from 'vitest';
import { readInto } from '../../src/proxy/http1/accepted-socket.ts';

/** The same conversation with the socket moved and with the one that was accepted. */
test.each(['moved', 'as accepted'])('bytes, half-close and close come through: %s', async (how) => {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect({
    port: (server.address() as net.AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  try {
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    const handle = (accepted as unknown as { _handle: { useUserBuffer?: unknown } })._handle;
    if (how === 'as accepted') handle.useUserBuffer = undefined;
    const buffer = Buffer.alloc(16);
    let got = '';
    const socket = readInto(accepted, buffer, (bytes, count) => {
      if (how === 'moved') expect(bytes).toBe(buffer);
      got += bytes.toString('latin1', 0, count);
    });
    expect(socket === accepted).toBe(how === 'as accepted');
    expect(socket.remoteAddress).toBe('127.0.0.1');
    client.end('a request that is longer than the buffer');
    await once(socket, 'end');
    expect(got).toBe('a request that is longer than the buffer');
    socket.end('answer');
    let answer = '';
    client.on('data', (bytes) => {
      answer += bytes.toString('latin1');
    });
    await Promise.all([once(client, 'end'), once(socket, 'close')]);
    expect(answer).toBe('answer');
    // The server has seen the connection go: it counts those that it has.
    const count = await new Promise((resolve) => server.getConnections((_, open) => resolve(open)));
    expect(count).toBe(0);
  } finally {
    client.destroy();
    server.close();
  }
});
