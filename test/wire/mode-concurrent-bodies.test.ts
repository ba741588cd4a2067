/** CONCURRENT with bodies in motion: long answers, cut answers, streams, uploads, clients that leave. */
import { expect, test } from 'vitest';
import { chunked, patterned, sha256 } from '../kit/bytes.ts';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { connectTo, requestText } from '../kit/raw-client.ts';
import { answers, hangs, responseText, type Script, startServer } from '../kit/scripted-server.ts';

async function startConcurrent(newScript: Script, oldScript: Script) {
  const [old, next] = [await startServer(oldScript), await startServer(newScript)];
  const proxy = await startProxy(cluster('1', [old]));
  await proxy.put(cluster('2', [next], { mode: 'CONCURRENT' }));
  return { proxy, old, next, client: await connectTo(proxy.port) };
}

const NEW = patterned(8 * 1024 * 1024);
const OLD = Buffer.from(NEW).reverse();

function long(body: Buffer): Script {
  return async (arrival) => {
    await arrival.body();
    if (arrival.head.target === '/chunked') {
      arrival.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', chunked(body, ['X-Sum: 1']));
    } else arrival.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, body);
  };
}

test('answers of 8 MiB: the newest one arrives whole, the other one is dropped, again and again', async () => {
  const { client } = await startConcurrent(long(NEW), long(OLD));
  for (const target of ['/', '/chunked', '/', '/chunked']) {
    const answer = await client.ask({ target, fields: [['TE', 'trailers']] });
    expect([answer.body.length, sha256(answer.body)]).toEqual([NEW.length, sha256(NEW)]);
    expect(answer.trailers).toEqual(target === '/chunked' ? [['X-Sum', '1']] : []);
  }
});

test('a newest version that fails: the long answer of the older one, held until then, arrives whole', async () => {
  const fail = Promise.withResolvers<void>();
  const { client } = await startConcurrent(
    async (arrival) => {
      await fail.promise;
      arrival.socket.resetAndDestroy();
    },
    async (arrival) => {
      await long(OLD)(arrival);
      fail.resolve();
    },
  );
  const answer = await client.ask('/');
  expect([answer.body.length, sha256(answer.body)]).toEqual([OLD.length, sha256(OLD)]);
});

test('a newest version that dies in mid-body looks cut: no splice of two versions', async () => {
  const { client } = await startConcurrent((arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n', NEW.subarray(0, 200_000));
    arrival.socket.end();
  }, answers('old'));
  client.send(requestText({}));
  const outcome = await client.answer().catch((error: Error) => error.message);
  if (typeof outcome === 'string') expect(outcome).toMatch(/broke|ended/i);
  else expect(outcome.text).toBe('old');
});

test('events of the newest version arrive as they are sent', async () => {
  const next = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const { client } = await startConcurrent(async (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const [n, gate] of next.entries()) {
      arrival.send(`9\r\ndata: ${n}\n\n\r\n`);
      await gate.promise;
    }
    arrival.send('0\r\n\r\n');
  }, answers('old'));
  client.send(requestText({}));
  await client.head();
  for (const [n, gate] of next.entries()) {
    expect(await client.source.line()).toBe('9');
    expect((await client.source.take(11)).toString()).toBe(`data: ${n}\n\n\r\n`);
    gate.resolve();
  }
});

test('an upload that comes slowly reaches both versions whole', async () => {
  const seen: string[] = [];
  const keeps =
    (name: string): Script =>
    async (arrival) => {
      seen.push(`${name} ${sha256(await arrival.body())}`);
      arrival.send(responseText(200, name));
    };
  const { client, old } = await startConcurrent(keeps('new'), keeps('old'));
  const body = patterned(300_000);
  client.send(`PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`);
  expect((await client.head('PUT')).status).toBe(100);
  for (let at = 0; at < body.length; at += 30_000) await client.flush(body.subarray(at, at + 30_000));
  expect((await client.answer('PUT')).text).toBe('new');
  await (await old.arrival(0)).body();
  expect([...seen].sort()).toEqual([`new ${sha256(body)}`, `old ${sha256(body)}`]);
});

test('HEAD, 204 and 304 of both versions leave the connections in step', async () => {
  const bodiless: Script = (arrival) => {
    const status = arrival.head.target.slice(1);
    arrival.send(`HTTP/1.1 ${status} Scripted\r\n${status === '204' ? '' : 'Content-Length: 9\r\n'}\r\n`);
  };
  const { client } = await startConcurrent(bodiless, bodiless);
  for (let n = 0; n < 5; n += 1) {
    expect((await client.ask({ method: 'HEAD', target: '/200' })).status).toBe(200);
    expect((await client.ask('/204')).status).toBe(204);
    expect((await client.ask('/304')).status).toBe(304);
  }
});

test('pipelined requests are answered in order', async () => {
  const named =
    (name: string): Script =>
    (arrival) =>
      arrival.send(responseText(200, `${name} ${arrival.head.target}`));
  const { client } = await startConcurrent(named('new'), named('old'));
  const targets = Array.from({ length: 30 }, (_, n) => `/${n}`);
  client.send(Buffer.concat(targets.map((target) => requestText({ target }))));
  for (const target of targets) expect((await client.answer()).text).toBe(`new ${target}`);
});

test('a client that leaves frees both servers', async () => {
  const { client, old, next } = await startConcurrent(hangs, hangs);
  client.send(requestText({}));
  await Promise.all([old.arrival(0), next.arrival(0)]);
  client.reset();
  await Promise.all([old.until(() => old.open.size === 0), next.until(() => next.open.size === 0)]);
});

test('20 clients at once, both versions answering in any order: each gets its own answer', async () => {
  const named =
    (name: string): Script =>
    async (arrival) => {
      const body = await arrival.body();
      if (body.length % 3 === (name === 'new' ? 1 : 2)) await new Promise((resolve) => setImmediate(resolve));
      arrival.send(responseText(200, `${name} ${body.toString()}`));
    };
  const { proxy } = await startConcurrent(named('new'), named('old'));
  await Promise.all(
    Array.from({ length: 20 }, async (_, who) => {
      const client = await connectTo(proxy.port);
      for (let n = 0; n < 30; n += 1) {
        const body = `${who}:${'x'.repeat(n)}`;
        expect((await client.ask({ method: 'POST', body })).text).toBe(`new ${body}`);
      }
    }),
  );
});
