/**
 * The classes of attack, each told as its story: who hopes for what, and what comes of it here. A recording server judges
 * by the bytes that reach it. Sources: PortSwigger's research on request smuggling (2019 to 2025), RFC 9112 section 11.
 */
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { IncompleteError } from '../kit/byte-source.ts';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { field, fieldValues } from '../kit/messages.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import { responseText, type Script, type ScriptedServer, startServer } from '../kit/scripted-server.ts';
import { SMUGGLED } from './case.ts';

/** Answers each whole request with its method, target and body. */
const tellsBack: Script = async (arrival) => {
  const body = (await arrival.body()).toString('latin1');
  const { method, target } = arrival.head;
  arrival.send(responseText(200, method === 'HEAD' ? '' : `${method} ${target} ${body}`));
};

async function scene(script: Script = tellsBack) {
  const server = await startServer(script);
  const proxy = await startProxy(cluster('1', [server]));
  return { server, port: proxy.port, attacker: await connectTo(proxy.port), victim: await connectTo(proxy.port) };
}

/** Every byte that reached the server, whatever it took them for. */
function received(server: ScriptedServer): string {
  const sources = new Set(server.arrivals.map(({ source }) => source));
  return [...sources].map(({ recorded }) => Buffer.concat(recorded ?? []).toString('latin1')).join('\n');
}

async function victimIsServed(scene: { victim: Awaited<ReturnType<typeof connectTo>> }): Promise<void> {
  expect((await scene.victim.ask('/victim')).text).toBe('GET /victim ');
}

test('CL.TE: the proxy goes by the length, the server by the chunks, and what is left begins the next request', async () => {
  const s = await scene();
  s.attacker.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG');
  expect((await s.attacker.answer('POST')).status).toBe(400);
  expect((await s.attacker.closed()).bytes.length).toBe(0);
  await victimIsServed(s);
  expect(s.server.targets).toEqual(['/victim']);
});

test('TE.CL: the proxy goes by the chunks, the server by the length, and takes the rest for a request', async () => {
  const s = await scene();
  const size = SMUGGLED.length.toString(16);
  s.attacker.send(
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: ${size.length + 2}\r\n\r\n${size}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  );
  expect((await s.attacker.answer('POST')).status).toBe(400);
  await s.attacker.closed();
  // The same without the length is one message, in chunks of the proxy's own: nothing in it can be taken for another.
  const honest = await connectTo(s.port);
  honest.send(
    `POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${size};x="y"\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  );
  expect((await honest.answer('POST')).text).toBe(`POST /body ${SMUGGLED}`);
  await victimIsServed(s);
  expect(s.server.targets).toEqual(['/body', '/victim']);
  expect(received(s.server)).not.toContain('x="y"');
});

test('TE.TE: a coding so disguised that one of the two overlooks it', async () => {
  const s = await scene();
  const disguises = [
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding : chunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
    'Transfer-Encoding:\r\n chunked',
    'Transfer-Encoding: \vchunked',
    'X: y\nTransfer-Encoding: chunked',
    'Transfer_Encoding: chunked',
  ];
  for (const disguise of disguises) {
    const client = await connectTo(s.port);
    client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n${disguise}\r\n\r\n5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n`,
    );
    expect((await client.answer('POST')).status, disguise).toBe(400);
    await client.closed();
  }
  await victimIsServed(s);
  expect(s.server.targets).toEqual(['/victim']);
});

test('CL.0: a length where a server looks for no body, so that the body would be its next request', async () => {
  const s = await scene();
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'POST']) {
    const answer = await s.attacker.ask({ method, target: `/${method}`, body: SMUGGLED });
    if (method !== 'HEAD') expect(answer.text).toBe(`${method} /${method} ${SMUGGLED}`);
  }
  await victimIsServed(s);
  expect(s.server.targets).not.toContain('/smuggled');
  // Each body was announced with its length, by whatever method.
  for (const { head } of s.server.arrivals.slice(0, 6)) expect(head.length).toBe(SMUGGLED.length);
});

test('0.CL: a server that answers before the body comes leaves it unread; its connection is used by nobody else', async () => {
  const s = await scene(async (arrival) => {
    if (arrival.head.method !== 'POST') return tellsBack(arrival);
    arrival.send(responseText(200, 'early'));
    return arrival.body();
  });
  s.attacker.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n`);
  const answer = await s.attacker.answer('POST');
  expect([answer.text, field(answer, 'connection')]).toEqual(['early', 'close']);
  await victimIsServed(s);
  s.attacker.send(SMUGGLED);
  await s.attacker.closed();
  await victimIsServed(s);
  const [early, ...others] = s.server.arrivals;
  expect(others.map(({ head }) => head.target)).toEqual(['/victim', '/victim']);
  expect(others.every(({ connection }) => connection !== early?.connection)).toBe(true);
});

test('Expect: a refusal in place of 100 leaves the body unsent, and the next request is not taken for it', async () => {
  const s = await scene(async (arrival) => {
    if (arrival.field('expect') === undefined) return tellsBack(arrival);
    arrival.send(responseText(403, 'no'));
    return arrival.body();
  });
  s.attacker.send(`PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n`);
  const answer = await s.attacker.answer('PUT');
  expect([answer.status, field(answer, 'connection')]).toEqual([403, 'close']);
  s.attacker.send(SMUGGLED);
  await s.attacker.closed();
  await victimIsServed(s);
  expect(s.server.targets).toEqual(['/', '/victim']);
});

test('HTTP/2 by prior knowledge: the preface is refused, and none of its frames reaches a server', async () => {
  const s = await scene();
  s.attacker.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
  expect((await s.attacker.answer()).status).toBe(505);
  await s.attacker.closed();
  await victimIsServed(s);
  expect(received(s.server)).not.toContain('SM\r\n');
});

test('h2c: an upgrade to HTTP/2, in which requests would pass unseen, is never offered to a server', async () => {
  const s = await scene();
  const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n';
  s.attacker.send(`GET /h2c HTTP/1.1\r\nHost: a\r\n${offer}\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`);
  expect((await s.attacker.answer()).text).toBe('GET /h2c ');
  expect((await s.attacker.answer()).status).toBe(505);
  await victimIsServed(s);
  expect(received(s.server)).not.toMatch(/h2c\r\n|upgrade|http2-settings|PRI/i);
});

test('h2c: a server that switches to it although it was not offered gets no tunnel', async () => {
  const s = await scene((arrival) =>
    arrival.head.target === '/victim'
      ? tellsBack(arrival)
      : arrival.send(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n\0\0\0\x04\0\0\0\0\0',
        ),
  );
  const lines = 'Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n';
  s.attacker.send(`GET /h2c HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
  expect((await s.attacker.answer()).status).toBe(502);
  await victimIsServed(s);
});

test('an upgrade that was not taken: what the client sent as if it had been is read as requests, strictly', async () => {
  const s = await scene();
  const lines = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  s.attacker.send(`GET /ws HTTP/1.1\r\nHost: a\r\n${lines}\r\n\x81\x05hello`);
  expect((await s.attacker.answer()).text).toBe('GET /ws ');
  expect((await s.attacker.answer()).status).toBe(400);
  expect((await s.attacker.closed()).bytes.length).toBe(0);
  await victimIsServed(s);
  expect(received(s.server)).not.toContain('hello');
});

test('an upgrade with bytes sent before the 101: they were sent as HTTP, and are read as HTTP, not tunnelled', async () => {
  const s = await scene((arrival) =>
    arrival.head.target === '/ws'
      ? arrival.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      : tellsBack(arrival),
  );
  const lines = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  s.attacker.send(`GET /ws HTTP/1.1\r\nHost: a\r\n${lines}\r\n${SMUGGLED}`);
  expect((await s.attacker.answer()).status).toBe(400);
  expect((await s.attacker.answer()).text).toBe('GET /smuggled ');
  const [switched, second] = s.server.arrivals;
  expect(second?.connection).not.toBe(switched?.connection);
  expect(Buffer.concat(switched?.source.recorded ?? []).toString()).not.toContain('/smuggled');
  await victimIsServed(s);
});

test('response queue poisoning: a server with one answer too many gives it to nobody', async () => {
  const s = await scene(async (arrival) => {
    await tellsBack(arrival);
    if (arrival.head.target === '/two') arrival.send(responseText(200, 'for whoever comes next'));
  });
  for (let n = 0; n < 10; n += 1) {
    expect((await s.attacker.ask('/two')).text).toBe('GET /two ');
    await victimIsServed(s);
  }
});

test('response queue poisoning: an answer that comes while nobody asks is given to nobody', async () => {
  const s = await scene();
  await s.attacker.ask('/first');
  const { socket } = await s.server.arrival(0);
  const gone = new Promise((resolve) => socket.once('close', resolve));
  socket.write(responseText(200, 'for whoever comes next'));
  socket.resume();
  await gone;
  await victimIsServed(s);
});

test('response queue poisoning: a body behind the head of an answer to HEAD is not the next answer', async () => {
  const s = await scene((arrival) =>
    arrival.head.method === 'HEAD'
      ? arrival.send(`HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n${responseText(200, 'evil')}`)
      : tellsBack(arrival),
  );
  for (let n = 0; n < 10; n += 1) {
    expect((await s.attacker.ask({ method: 'HEAD' })).status).toBe(200);
    await victimIsServed(s);
  }
});

test('response splitting: what is encoded in a value stays encoded, and what is not is refused', async () => {
  const s = await scene((arrival) => {
    if (arrival.head.target === '/victim') return tellsBack(arrival);
    const place = arrival.head.target.slice(1);
    return arrival.send(`HTTP/1.1 302 Found\r\nLocation: ${place}\r\nContent-Length: 0\r\n\r\n`);
  });
  const encoded = '%0d%0aContent-Length:%200%0d%0a%0d%0aHTTP/1.1%20200%20OK';
  expect(field(await s.attacker.ask(`/${encoded}`), 'location')).toBe(encoded);
  s.server.script = (arrival) =>
    arrival.head.target === '/victim'
      ? tellsBack(arrival)
      : arrival.send('HTTP/1.1 302 Found\r\nLocation: x\rSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n');
  expect((await s.attacker.ask('/raw')).status).toBe(502);
  await victimIsServed(s);
});

test('a chunked answer that breaks off at the border of two chunks does not end as if it were whole', async () => {
  const s = await scene((arrival) => {
    if (arrival.head.target === '/victim') return tellsBack(arrival);
    arrival.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npart 1\r\n');
    return arrival.socket.end();
  });
  s.attacker.send(requestText({ target: '/cut' }));
  await expect(s.attacker.answer()).rejects.toThrow(IncompleteError);
  // Nor for a client that reads to the end of the connection: it sees a reset, not an end.
  const old = await connectTo(s.port);
  old.send('GET /cut HTTP/1.0\r\n\r\n');
  const { how, bytes } = await old.closed();
  expect([how, bytes.toString().includes('0\r\n\r\n')]).toEqual(['reset', false]);
  await victimIsServed(s);
});

test('an upload that breaks off reaches no server as a whole one', async () => {
  const s = await scene();
  for (const start of ['Content-Length: 10\r\n\r\nhello', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n']) {
    const client = await connectTo(s.port);
    client.send(`PUT /cut HTTP/1.1\r\nHost: a\r\n${start}`);
    client.end();
    await client.closed();
  }
  await victimIsServed(s);
  expect(received(s.server)).not.toContain('0\r\n\r\n');
});

test('header injection by trailers: they never become fields, and those that would steer go no further', async () => {
  const s = await scene();
  const trailers =
    'X-Sum: 1\r\nHost: evil\r\nX-Forwarded-For: 6.6.6.6\r\nAuthorization: Basic eA==\r\nCookie: a=b\r\nContent-Length: 0\r\n';
  s.attacker.send(`POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${trailers}\r\n`);
  expect((await s.attacker.answer('POST')).text).toBe('POST /t ');
  const arrival = await s.server.arrival(0);
  expect(arrival.trailers).toEqual([['X-Sum', '1']]);
  for (const name of ['x-sum', 'authorization', 'cookie']) expect(fieldValues(arrival.head, name)).toEqual([]);
  expect(fieldValues(arrival.head, 'x-forwarded-for')).toEqual(['127.0.0.1']);
  await victimIsServed(s);
});

test('header injection by trailers: an answer cannot set a cookie behind its body', async () => {
  const s = await scene(async (arrival) => {
    await arrival.body();
    arrival.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nSet-Cookie: a=b\r\nX-Sum: 1\r\n\r\n');
  });
  const answer = await s.attacker.ask({
    fields: [
      ['TE', 'trailers'],
      ['Connection', 'TE'],
    ],
  });
  expect(answer.trailers).toEqual([['X-Sum', '1']]);
});

test('hop-by-hop abuse: Connection takes away no field that says who asks, for whom, or how long the body is', async () => {
  const s = await scene();
  const answer = await s.attacker.ask({
    method: 'POST',
    body: 'hello',
    fields: [
      ['Host', 'a'],
      [
        'Connection',
        'close-not, Host, Content-Length, Cookie, Authorization, X-Forwarded-For, X-Forwarded-Host, Via, X-Own',
      ],
      ['Cookie', 'session=1'],
      ['Authorization', 'Bearer t'],
      ['X-Own', 'gone'],
    ],
  });
  expect(answer.text).toBe('POST / hello');
  const { head } = await s.server.arrival(0);
  for (const [name, value] of [
    ['host', 'a'],
    ['cookie', 'session=1'],
    ['authorization', 'Bearer t'],
    ['x-forwarded-for', '127.0.0.1'],
    ['x-forwarded-host', 'a'],
    ['via', '1.1 cutover'],
  ] as const) {
    expect(fieldValues(head, name), name).toEqual([value]);
  }
  expect(fieldValues(head, 'x-own')).toEqual([]);
});

test('two hosts: a target that names one and a Host that names another leave one, everywhere', async () => {
  const s = await scene();
  await s.attacker.ask({ target: 'http://real.example/x', fields: [['Host', 'other.example']] });
  const { head } = await s.server.arrival(0);
  expect(head.target).toBe('/x');
  expect([fieldValues(head, 'host'), fieldValues(head, 'x-forwarded-host')]).toEqual([
    ['real.example'],
    ['real.example'],
  ]);
  expect(received(s.server)).not.toContain('other.example');
});

test('cache poisoning: whom a client claims to be, and by what name it claims to have asked, is overwritten', async () => {
  const s = await scene();
  const claims = [
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'Forwarded',
    'X_Forwarded_Host',
    'x-forwarded_for',
  ];
  await s.attacker.ask({ fields: [['Host', 'a'], ...claims.map((name) => [name, 'evil.example'] as const)] });
  expect(received(s.server)).not.toContain('evil');
  const { head } = await s.server.arrival(0);
  expect(fieldValues(head, 'x-forwarded-host')).toEqual(['a']);
});

test('desync by the client itself: a request cut short on one connection leaves nothing for the next one', async () => {
  const s = await scene();
  s.attacker.send('POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf');
  await s.server.arrival(0);
  s.attacker.reset();
  await victimIsServed(s);
  const [half, victim] = s.server.arrivals;
  expect(victim?.connection).not.toBe(half?.connection);
});

test('pipelining: a refused request ends the connection, however much is sent behind it', async () => {
  const s = await scene();
  s.attacker.send(
    `GET /good HTTP/1.1\r\nHost: a\r\n\r\nGET /bad HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n${SMUGGLED.repeat(100)}`,
  );
  expect((await s.attacker.answer()).text).toBe('GET /good ');
  expect((await s.attacker.answer()).status).toBe(400);
  expect((await s.attacker.closed()).bytes.length).toBe(0);
  expect(s.server.targets).toEqual(['/good']);
});

test('request splitting: a target with encoded line ends is passed on as it is, byte for byte', async () => {
  const s = await scene();
  const target = '/%20HTTP/1.1%0d%0aHost:%20evil%0d%0a%0d%0aGET%20/smuggled';
  expect((await s.attacker.ask(target)).text).toBe(`GET ${target} `);
  expect(s.server.targets).toEqual([target]);
});

test('CONNECT: no tunnel, whatever a server would say to it', async () => {
  const s = await scene((arrival) => arrival.send('HTTP/1.1 200 Connection established\r\n\r\n'));
  s.attacker.send(`CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal:5432\r\n\r\n${SMUGGLED}`);
  expect((await s.attacker.answer()).status).toBe(501);
  expect((await s.attacker.closed()).bytes.length).toBe(0);
  expect(s.server.arrivals).toHaveLength(0);
});

test('a replay sends the whole message again, never the rest of it', async () => {
  const old = await startServer(tellsBack);
  const broken: Socket[] = [];
  const next = await startServer(async (arrival) => {
    await arrival.source.take(4);
    broken.push(arrival.socket);
    arrival.socket.resetAndDestroy();
  });
  const proxy = await startProxy(cluster('1', [old]));
  await proxy.put(cluster('2', [next], { mode: 'INSTANT' }));
  const body = SMUGGLED.repeat(20);
  const answer = await askOnce(proxy.port, { method: 'PUT', target: '/replayed', body });
  expect(answer.text).toBe(`PUT /replayed ${body}`);
  expect([old.targets, next.targets]).toEqual([['/replayed'], ['/replayed']]);
});
