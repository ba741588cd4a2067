/** The write policy: what is sent again to another version after a failure, and what never is. */
import { expect, test } from 'vitest';
import { patterned, sha256 } from '../kit/bytes.ts';
import { cluster } from '../kit/config-service.ts';
import { startProxy, type WireConfig } from '../kit/cutover.ts';
import { askOnce, connectTo, type RequestText, requestText } from '../kit/raw-client.ts';
import {
  answers,
  closes,
  hangs,
  resets,
  responseText,
  type Script,
  type ScriptedServer,
  startServer,
} from '../kit/scripted-server.ts';

const hashes: Script = async (arrival) => {
  const body = await arrival.body();
  arrival.send(responseText(200, `old ${arrival.head.method} ${body.length} ${sha256(body)}`));
};

/** An old version that tells the body's hash, behind a new one that fails by `script`. */
async function startFailing(script: Script, config: WireConfig = {}) {
  const [old, next] = [await startServer(hashes), await startServer(script)];
  const proxy = await startProxy(cluster('1', [old]), config);
  await proxy.put(cluster('2', [next]));
  return { proxy, old, next };
}

function told(method: string, body: Buffer): string {
  return `old ${method} ${body.length} ${sha256(body)}`;
}

const BODY = patterned(300_000);
const NOTHING = Buffer.alloc(0);

const failures: readonly (readonly [string, Script])[] = [
  ['resets after the request', resets],
  ['closes after the request', closes],
  ['resets at the head', (arrival) => arrival.socket.resetAndDestroy()],
  ['answers junk', (arrival) => arrival.send('this is not HTTP\r\n\r\n')],
  ['answers HTTP/0.9', (arrival) => arrival.send('<html>hello</html>')],
  [
    'answers conflicting lengths',
    (arrival) => arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi'),
  ],
  [
    'sends 103, then resets',
    (arrival) => {
      arrival.send('HTTP/1.1 103 Early Hints\r\n\r\n');
      return resets(arrival);
    },
  ],
];

test.for(failures)(
  'a new version that %s: GET, HEAD, OPTIONS, PUT and DELETE are answered by the old one',
  async ([name, script]) => {
    const { proxy, next } = await startFailing(script);
    for (const method of ['GET', 'OPTIONS', 'DELETE']) {
      const answer = await askOnce(proxy.port, { method });
      expect([answer.status, answer.text], `${method} ${name}`).toEqual([200, told(method, NOTHING)]);
    }
    const head = await askOnce(proxy.port, { method: 'PUT', body: BODY });
    expect([head.status, head.text]).toEqual([200, told('PUT', BODY)]);
    expect(next.arrivals.length).toBeGreaterThan(0);
  },
);

test('a chunked PUT is replayed whole', async () => {
  const { proxy } = await startFailing(resets);
  const client = await connectTo(proxy.port);
  client.send('PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let at = 0; at < BODY.length; at += 50_000) {
    const piece = BODY.subarray(at, at + 50_000);
    await client.flush(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]));
  }
  client.send('0\r\n\r\n');
  expect((await client.answer('PUT')).text).toBe(told('PUT', BODY));
});

test('the replay of an upload that is still arriving is fed with the rest of it', async () => {
  const { proxy, old, next } = await startFailing((arrival) => arrival.socket.resetAndDestroy());
  const client = await connectTo(proxy.port);
  client.send(`PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${BODY.length}\r\n\r\n`);
  client.send(BODY.subarray(0, 1000));
  await next.arrival(0);
  await old.arrival(0);
  client.send(BODY.subarray(1000));
  expect((await client.answer('PUT')).text).toBe(told('PUT', BODY));
});

test.for(['POST', 'PATCH', 'LOCK'])(
  '%s that may have reached a server is never sent twice: one 502',
  async (method) => {
    const { proxy, old, next } = await startFailing(resets);
    const answer = await askOnce(proxy.port, { method, body: 'order 1' });
    expect(answer.status).toBe(502);
    expect([next.arrivals.length, old.arrivals.length]).toEqual([1, 0]);
  },
);

test('a POST with Idempotency-Key, or of a method that the configuration lists, is replayed', async () => {
  const request: RequestText = { method: 'POST', body: BODY, fields: [['Idempotency-Key', '"8e03978e"']] };
  const { proxy } = await startFailing(resets);
  expect((await askOnce(proxy.port, request)).text).toBe(told('POST', BODY));
  const listed = await startFailing(resets, { replay: { methods: ['POST'] } });
  expect((await askOnce(listed.proxy.port, { method: 'POST', body: BODY })).text).toBe(told('POST', BODY));
});

test('a POST that no server has seen is replayed: the connection was refused', async () => {
  const { proxy, next } = await startFailing(resets);
  await next.stop();
  expect((await askOnce(proxy.port, { method: 'POST', body: BODY })).text).toBe(told('POST', BODY));
});

test('a body over the limit streams on and is not replayed: one 502, nothing applied twice', async () => {
  const { proxy, old } = await startFailing(resets, { replay: { bodyBytes: 100_000 } });
  const client = await connectTo(proxy.port);
  client.socket.on('error', () => {});
  client.send(requestText({ method: 'PUT', body: BODY }));
  expect((await client.answer('PUT')).status).toBe(502);
  expect(old.arrivals).toHaveLength(0);
});

test('a body over the limit is still sent where the new version works', async () => {
  const { proxy } = await startFailing(hashes, { replay: { bodyBytes: 100_000 } });
  expect((await askOnce(proxy.port, { method: 'PUT', body: BODY })).text).toBe(told('PUT', BODY));
});

test('once the client was told to continue, a replay sends the kept body without Expect, and one 100 at most', async () => {
  const { proxy, old } = await startFailing(async (arrival) => {
    arrival.send('HTTP/1.1 100 Continue\r\n\r\n');
    await resets(arrival);
  });
  const client = await connectTo(proxy.port);
  client.send(`PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${BODY.length}\r\n\r\n`);
  expect((await client.head('PUT')).status).toBe(100);
  client.send(BODY);
  const answer = await client.answer('PUT');
  expect([answer.interim.length, answer.text]).toEqual([0, told('PUT', BODY)]);
  expect((await old.arrival(0)).field('expect')).toBeUndefined();
});

test('a new version that hangs is a failure after the response timeout: GET goes to the old one', async () => {
  const { proxy } = await startFailing(hangs, { timeouts: { response: 0.4 } });
  expect((await askOnce(proxy.port, '/')).text).toBe(told('GET', NOTHING));
  expect((await askOnce(proxy.port, { method: 'POST', body: 'x' })).status).toBe(504);
});

test('a failed answer is never spliced with a second one', async () => {
  const { proxy } = await startFailing(async (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n', patterned(200_000));
    arrival.socket.end();
  });
  const outcome = await askOnce(proxy.port, '/').catch((error: Error) => error.message);
  if (typeof outcome === 'string') expect(outcome).toMatch(/broke|ended/i);
  else expect(outcome.text).toBe(told('GET', NOTHING));
});

test('each request is applied exactly once through a switch and a kill', async () => {
  const applied = new Map<string, number>();
  const counts: Script = async (arrival) => {
    await arrival.body();
    const id = arrival.field('x-request-id') as string;
    applied.set(id, (applied.get(id) ?? 0) + 1);
    arrival.send(responseText(200, id));
  };
  const [old, next] = [await startServer(counts), await startServer(counts)];
  const proxy = await startProxy(cluster('1', [old]));
  const begun = new Set<string>();
  let over = false;
  const clients = Array.from({ length: 8 }, async (_, who) => {
    const client = await connectTo(proxy.port);
    for (let n = 0; !over || n < 20; n += 1) {
      const id = `${who}-${n}`;
      begun.add(id);
      const answer = await client.ask({ method: 'POST', body: id, fields: [['X-Request-Id', id]] });
      if (answer.status === 200) expect([answer.text, applied.get(id)]).toEqual([id, 1]);
      else expect(answer.status).toBe(502);
    }
  });
  await requests(old, 100);
  await proxy.put(cluster('2', [next]));
  await requests(next, 100);
  await next.stop();
  over = true;
  await Promise.all(clients);
  expect(Math.max(...applied.values())).toBe(1);
});

async function requests(server: ScriptedServer, count: number): Promise<void> {
  await server.arrival(server.arrivals.length + count);
}

test('what was sent to one version is no 503, though the last one asked refused', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(resets)];
  const proxy = await startProxy(cluster('1', [old]));
  await proxy.put(cluster('2', [next]));
  await old.stop();
  expect((await askOnce(proxy.port, '/')).status).toBe(502);
});
