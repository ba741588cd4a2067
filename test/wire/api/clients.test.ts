/** Clients that are slow, large, broken or still there when the service closes. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import type { CommandResult } from '../../../src/core/release/command.ts';
import { dial, ID, startService } from './service.ts';

const PUT = 'PUT /configuration/cluster HTTP/1.1\r\nHost: localhost\r\n';
const GET = 'GET /configuration/cluster HTTP/1.1\r\nHost: localhost\r\n\r\n';
const MIB = 1024 * 1024;
const filler = Buffer.alloc(64 * 1024, 'x');
/** A whole answer in one line of text, with the connection to be closed. */
const refusal = (status: number) => new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*\\r\\n\\r\\n[^\\r\\n]+\\n$`);

describe('a body over 1 MiB', () => {
  it('is refused at once when its length is announced, and can be sent on', async () => {
    const { port, commands } = await startService();
    const client = dial(port);
    client.send(`${PUT}Content-Length: ${3 * MIB}\r\n\r\n`);
    expect(await client.until(/larger than 1048576 bytes\n$/)).toMatch(refusal(413));
    for (let sent = 0; sent < 3 * MIB; sent += filler.length) client.send(filler);
    client.socket.end();
    await once(client.socket, 'close');
    expect(client.socket.errored ?? null).toBeNull();
    expect(commands).toEqual([]);
  });

  it('is refused when the client reads only after it has sent everything', async () => {
    const { port } = await startService();
    const client = dial(port);
    client.socket.pause();
    client.send(`${PUT}Content-Length: ${8 * MIB}\r\n\r\n`);
    for (let sent = 0; sent < 8 * MIB; sent += filler.length) client.send(filler);
    if (client.socket.writableLength > 0) await once(client.socket, 'drain');
    client.socket.resume();
    expect(await client.untilEnd()).toMatch(refusal(413));
    expect(client.socket.errored ?? null).toBeNull();
  });

  it('is refused in chunks too', async () => {
    const { port, commands } = await startService();
    const client = dial(port);
    client.send(`${PUT}Transfer-Encoding: chunked\r\n\r\n`);
    for (let sent = 0; sent < 2 * MIB; sent += filler.length) {
      client.send(`${filler.length.toString(16)}\r\n`);
      client.send(filler);
      client.send('\r\n');
    }
    client.send('0\r\n\r\n');
    expect(await client.untilEnd()).toMatch(refusal(413));
    expect(client.socket.errored ?? null).toBeNull();
    expect(commands).toEqual([]);
  });

  it('is refused before the client is told to continue', async () => {
    const { port } = await startService();
    const client = dial(port);
    client.send(`${PUT}Content-Length: ${MIB + 1}\r\nExpect: 100-continue\r\n\r\n`);
    expect(await client.untilEnd()).toMatch(refusal(413));
  });

  it('is taken at exactly 1 MiB', async () => {
    const { port, commands } = await startService();
    const client = dial(port);
    client.send(`${PUT}Connection: close\r\nContent-Length: ${MIB}\r\n\r\n{`);
    client.send(Buffer.alloc(MIB - 1, 'x'));
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 202 /);
    expect(commands).toHaveLength(1);
  });
});

describe('Expect: 100-continue', () => {
  it('is told to continue when the body is wanted', async () => {
    const { port, commands } = await startService();
    const client = dial(port);
    client.send(`${PUT}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`);
    expect(await client.until(/\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('{}');
    expect(await client.until(new RegExp(`${ID}$`))).toMatch(/\r\n\r\nHTTP\/1\.1 202 /);
    expect(commands).toHaveLength(1);
  });

  it('is refused without a 100, and the connection ends', async () => {
    const { port } = await startService();
    for (const path of ['/nowhere', `/configuration/cluster/${ID}`]) {
      const client = dial(port);
      client.send(`PUT ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n`);
      expect(await client.untilEnd()).toMatch(refusal(path === '/nowhere' ? 404 : 405));
    }
  });

  it('may expect nothing else', async () => {
    const { port } = await startService();
    const client = dial(port);
    client.send(`${PUT}Content-Length: 0\r\nExpect: tea\r\nConnection: close\r\n\r\n`);
    expect(await client.untilEnd()).toMatch(refusal(417));
  });
});

describe('a broken client', () => {
  it.each([
    ['garbage', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', 400],
    ['both framings', `${PUT}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['a bad chunk', `${PUT}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['no version', 'GET /\r\n\r\n', 400],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n', 400],
    ['a foreign target', 'GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 403],
    ['a tunnel', 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n', 501],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a huge head', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('that sends %s is refused', async (_name, bytes, status) => {
    const { port, commands } = await startService();
    const client = dial(port);
    client.send(bytes);
    const answer = await client.untilEnd();
    expect(answer).toMatch(refusal(status));
    expect(answer).toMatch(/^content-type: text\/plain; charset=utf-8\r$/im);
    expect(commands).toEqual([]);
  });

  it('that leaves inside its body changes nothing', async () => {
    const { port, commands, close } = await startService();
    const client = dial(port);
    client.send(`${PUT}Content-Length: 10\r\n\r\n{`);
    client.socket.resetAndDestroy();
    const next = dial(port);
    next.send(GET);
    await next.until(/\]$/);
    await close();
    expect(commands).toEqual([]);
  });

  it('gets its refusals on one connection, one after the other', async () => {
    const { port } = await startService();
    const client = dial(port);
    client.send(`POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody${GET}`);
    const answers = await client.until(/\]$/);
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 200']);
  });
});

describe('simultaneous calls', () => {
  it('each get their own answer', async () => {
    const ids = Array.from({ length: 40 }, (_unused, index) => ID.replace(/^../, String(index + 10)));
    const { port } = await startService({
      result: (command) => ({ kind: 'accepted', id: command.kind === 'put' ? command.spec.version.slice(1) : '' }),
    });
    const answers = await Promise.all(
      ids.map((id) => {
        const client = dial(port);
        client.send(`${PUT}Connection: close\r\nContent-Length: 37\r\n\r\n{${id}`);
        return client.untilEnd();
      }),
    );
    expect(answers.map((answer) => answer.slice(-36))).toEqual(ids);
  });
});

describe('closing', () => {
  it('finishes the open request and does not wait for idle connections', async () => {
    const { promise, resolve } = Promise.withResolvers<CommandResult>();
    const reached = Promise.withResolvers<void>();
    const { port, close } = await startService({
      result: () => {
        reached.resolve();
        return promise;
      },
    });
    const idle = dial(port);
    idle.send(GET);
    await idle.until(/\]$/);
    const silent = dial(port);
    const halfway = dial(port);
    halfway.send('GET / HTTP/1.1\r\n');
    const busy = dial(port);
    busy.send(`${PUT}Content-Length: 2\r\n\r\n{}`);
    await reached.promise;

    const closed = close();
    await Promise.all([idle.untilEnd(), silent.untilEnd(), halfway.untilEnd()]);
    resolve({ kind: 'accepted', id: ID });
    const answer = await busy.untilEnd();
    expect(answer).toMatch(/^HTTP\/1\.1 202 [\s\S]*Connection: close/i);
    expect(answer.endsWith(ID)).toBe(true);
    await closed;
  });

  it('frees the port, and may be asked for twice', async () => {
    const { port, close } = await startService();
    await Promise.all([close(), close()]);
    const again = createServer().listen(port, '127.0.0.1');
    await once(again, 'listening');
    again.close();
  });
});

it('says in one line that its port is taken', async () => {
  const { port } = await startService();
  const needs = {
    control: {
      submit: () => Promise.reject(new Error('unused')),
      list: () => [],
      find: () => undefined,
      follow: () => Promise.resolve(null),
      status: () => undefined,
      ledger: () => [],
    },
    parse: () => ({ ok: false, errors: [] }) as const,
    security: { token: null, allowedHosts: [] },
    counters: () => ({ since: '', counters: {} }),
    reload: () => Promise.resolve({ ok: false, text: '' }),
    log: { write: () => {} },
  };
  await expect(createApi(needs).listen('127.0.0.1', port)).rejects.toThrow(
    `Opening the config service port 127.0.0.1:${port} failed: it is in use`,
  );
});
