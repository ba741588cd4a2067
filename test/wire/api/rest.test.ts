import { describe, expect, it } from 'vitest';
import { dial, exchange, ID, startService, VIEW } from './service.ts';

const PATH = '/configuration/cluster';

/** Sends a request as curl does and takes its answer apart. */
async function call(port: number, method: string, path: string, body?: string, fields: readonly string[] = []) {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: localhost:${port}`, 'Connection: close', ...fields];
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  const answer = await exchange(port, `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
  const split = answer.indexOf('\r\n\r\n');
  const [statusLine = '', ...headers] = answer.slice(0, split).split('\r\n');
  const byName = Object.fromEntries(
    headers.map((header) => [header.split(': ')[0]?.toLowerCase(), header.split(': ')[1]]),
  );
  return { status: Number(statusLine.split(' ')[1]), headers: byName, body: answer.slice(split + 4) };
}

const ONE_LINE = /^[A-Z][^\n]*[^\n.]\n$/;

function expectError(answer: Awaited<ReturnType<typeof call>>, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(answer.body).toMatch(ONE_LINE);
}

describe('PUT', () => {
  it('answers 202 with the id and nothing else', async () => {
    const { port, commands, logged } = await startService();
    const fields = ['Content-Type: application/x-www-form-urlencoded'];
    const answer = await call(port, 'PUT', PATH, '{"cluster":1}', fields);
    expect(answer.status).toBe(202);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.headers['content-length']).toBe('36');
    expect(answer.body).toBe(ID);
    expect(commands).toEqual([{ kind: 'put', spec: { version: '{"cluster":1}' }, origin: 'rest' }]);
    expect(logged).toEqual([]);
  });

  it('takes a body without Content-Type, and a byte order mark before it', async () => {
    const { port, commands } = await startService();
    expect((await call(port, 'PUT', PATH, '\ufeff{"é":1}')).status).toBe(202);
    expect(commands).toEqual([{ kind: 'put', spec: { version: '{"é":1}' }, origin: 'rest' }]);
  });

  it('refuses a bad body in one line and submits nothing', async () => {
    const { port, commands } = await startService();
    const answer = await call(port, 'PUT', PATH, 'nonsense');
    expectError(answer, 400);
    expect(answer.body).toBe('Body: not JSON; Second reason\n');
    expectError(await call(port, 'PUT', PATH), 400);
    expect(commands).toEqual([]);
  });

  it('refuses a body that is not UTF-8', async () => {
    const { port, commands } = await startService();
    const head = `PUT ${PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\n`;
    const raw = dial(port);
    raw.send(head);
    raw.send(Buffer.from([0x7b, 0xff, 0x7d]));
    expect(await raw.untilEnd()).toMatch(/^HTTP\/1\.1 400 [\s\S]*not valid UTF-8\n$/);
    expect(commands).toEqual([]);
  });

  it('logs what the parser warns of and does not answer it', async () => {
    const { port, logged } = await startService();
    expect((await call(port, 'PUT', PATH, '{"warn"')).body).toBe(ID);
    expect(logged).toEqual(['WARNING api cluster.x: ignored']);
  });

  it('answers 409 when the controller refuses', async () => {
    const { port } = await startService({
      result: () => ({ kind: 'refused', because: 'conflict', reason: 'Id is in use' }),
    });
    const answer = await call(port, 'PUT', PATH, '{}');
    expectError(answer, 409);
    expect(answer.body).toBe('Id is in use\n');
  });

  it('answers 500 in one line, and logs why, when the controller breaks its promise', async () => {
    const { port, logged } = await startService({ result: () => Promise.reject(new Error('Disk on fire')) });
    const answer = await call(port, 'PUT', PATH, '{}');
    expectError(answer, 500);
    expect(answer.body).not.toContain('Disk');
    expect(logged.join()).toContain('Disk on fire');
  });
});

describe('GET', () => {
  it('shows one version, compact, in the order of the wire', async () => {
    const { port } = await startService();
    const answer = await call(port, 'GET', `${PATH}/${ID.toUpperCase()}`);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.body).toBe(
      `{"cluster":{"servers":[{"hostname":"127.0.0.1","port":1034}],"upgradeTransition":{"mode":"SESSION","sessionTimeout":60},"uuid":"${ID}","version":"1.0"}}`,
    );
  });

  it.each([PATH, `${PATH}/`, `${PATH}?x=1`])('lists the versions at %s', async (path) => {
    const { port } = await startService();
    const answer = await call(port, 'GET', path);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.body).toBe(JSON.stringify([VIEW]));
  });

  it.each([
    `${PATH}/a37a290f-2088-11e4-b3a6-600308a8245f`,
    `${PATH}/not-a-uuid`,
    `${PATH}/%zz`,
    `${PATH}/${ID}/`,
    `${PATH}/${ID}/x`,
    '/',
    '/configuration',
    '/configuration/Cluster',
    '*',
    '//',
    '/\\',
  ])('answers 404 or 400 to %s', async (path) => {
    const { port } = await startService();
    const answer = await call(port, 'GET', path);
    expectError(answer, /^\/[^\\]*$/.test(path) ? 404 : 400);
  });

  it('shows what was counted', async () => {
    const { port } = await startService();
    const answer = await call(port, 'GET', '/configuration/counters');
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
    expect(answer.body).toBe('{"since":"2026-11-26T00:00:00.000Z","counters":{"exchanges":7}}');
    const put = await call(port, 'PUT', '/configuration/counters');
    expectError(put, 405);
    expect(put.headers.allow).toBe('GET, HEAD');
  });

  it('works as HEAD, without the body', async () => {
    const { port } = await startService();
    for (const path of [PATH, `${PATH}/${ID}`]) {
      const get = await call(port, 'GET', path);
      const head = await call(port, 'HEAD', path);
      expect(head.status).toBe(200);
      expect(head.body).toBe('');
      expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' });
    }
    expect((await call(port, 'HEAD', `${PATH}/nope`)).status).toBe(404);
  });
});

describe('DELETE', () => {
  it('answers 202 and an empty body', async () => {
    const { port, commands } = await startService();
    const answer = await call(port, 'DELETE', `${PATH}/${ID.toUpperCase()}`);
    expect(answer.status).toBe(202);
    expect(answer.headers['content-length']).toBe('0');
    expect(answer.body).toBe('');
    expect(commands).toEqual([{ kind: 'delete', id: ID }]);
  });

  it('answers 404 to an id that is unknown or none, 409 to the last version', async () => {
    const unknown = await startService({
      result: () => ({ kind: 'refused', because: 'unknown-id', reason: 'Version is not known' }),
    });
    expectError(await call(unknown.port, 'DELETE', `${PATH}/${ID}`), 404);
    expect(unknown.commands).toHaveLength(1);
    expectError(await call(unknown.port, 'DELETE', `${PATH}/nope`), 404);
    expect(unknown.commands).toHaveLength(1);
    const last = await startService({ result: () => ({ kind: 'refused', because: 'conflict', reason: 'Last one' }) });
    expectError(await call(last.port, 'DELETE', `${PATH}/${ID}`), 409);
  });
});

describe('other methods', () => {
  it.each(['POST', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])('%s on the list is 405', async (method) => {
    const { port, commands } = await startService();
    const answer = await call(port, method, PATH);
    expectError(answer, 405);
    expect(answer.headers.allow).toBe('GET, HEAD, PUT');
    expect(commands).toEqual([]);
  });

  it.each(['POST', 'PUT', 'PATCH'])('%s on a version is 405', async (method) => {
    const { port } = await startService();
    const answer = await call(port, method, `${PATH}/${ID}`, '{}');
    expectError(answer, 405);
    expect(answer.headers.allow).toBe('GET, HEAD, DELETE');
  });
});

describe('the guard', () => {
  it('stands before every path and method, and says so in the log', async () => {
    const { port, commands, logged } = await startService();
    for (const [method, path] of [
      ['PUT', PATH],
      ['DELETE', `${PATH}/${ID}`],
      ['GET', '/'],
    ] as const) {
      expectError(await call(port, method, path, undefined, ['Origin: http://evil.example']), 403);
    }
    const rebound = await exchange(port, 'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    expect(rebound).toMatch(/^HTTP\/1\.1 403 /);
    expect(commands).toEqual([]);
    expect(logged).toHaveLength(4);
    expect(logged.at(-1)).toMatch(/^WARNING api Refusing GET from 127\.0\.0\.1: Host "evil\.example"/);
  });

  it('asks for the token', async () => {
    const { port, commands } = await startService({ security: { token: 's3cret' } });
    const without = await call(port, 'PUT', PATH, '{}');
    expectError(without, 401);
    expect(without.headers['www-authenticate']).toBe('Bearer realm="cutover"');
    expect(commands).toEqual([]);
    expect((await call(port, 'PUT', PATH, '{}', ['Authorization: Bearer s3cret'])).status).toBe(202);
  });
});
