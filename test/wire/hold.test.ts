/** Versions on trial: their server errors are replayed and their answers held back, so that a client sees neither. */
import { expect, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { field } from '../kit/messages.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import { answers, answersStatus, responseText, type Script, startServer } from '../kit/scripted-server.ts';

/** An older version that answers `old`, and a newer one on trial that does as it is told. */
async function startTrial(script: Script, options: Readonly<Record<string, unknown>> = { mode: 'INSTANT' }) {
  const [old, next] = [await startServer(answers('old')), await startServer(script)];
  const proxy = await startProxy(cluster('1', [old]));
  await proxy.put(cluster('2', [next], options));
  return { proxy, old, next };
}

test.for(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('a 500 of a version on trial is replayed: %s', async (method) => {
  const { proxy, old } = await startTrial(answersStatus(500, 'sorry'));
  const answer = await askOnce(proxy.port, { method, ...(method === 'PUT' ? { body: 'kept' } : {}) });
  expect(answer.status).toBe(200);
  if (method === 'PUT') expect((await (await old.arrival(0)).body()).toString()).toBe('kept');
});

test.for([501, 505])('a %i is an answer, not a failure', async (status) => {
  const { proxy, old } = await startTrial(answersStatus(status, 'no'));
  expect((await askOnce(proxy.port, '/')).status).toBe(status);
  expect(old.arrivals).toHaveLength(0);
});

test('a 500 to a POST goes to the client, once', async () => {
  const { proxy, old, next } = await startTrial(answersStatus(500, 'sorry'));
  expect((await askOnce(proxy.port, { method: 'POST', body: 'x' })).status).toBe(500);
  expect([next.arrivals.length, old.arrivals.length]).toEqual([1, 0]);
});

test('when every version fails, the answer of the one first asked is given as it is', async () => {
  const { proxy, old } = await startTrial((arrival) =>
    arrival.send(responseText(503, 'new is sorry', [['X-From', 'new']])),
  );
  old.script = answersStatus(500, 'sorry');
  const answer = await askOnce(proxy.port, '/');
  expect(answer).toMatchObject({ status: 503, text: 'new is sorry' });
  expect(field(answer, 'x-from')).toBe('new');
  expect(old.arrivals).toHaveLength(1);
});

test('a kept answer larger than what is kept arrives whole', async () => {
  const body = 'e'.repeat(300_000);
  const { proxy, old } = await startTrial((arrival) => arrival.send(responseText(500, body)));
  old.script = (arrival) => arrival.socket.destroy();
  expect(await askOnce(proxy.port, '/')).toMatchObject({ status: 500, text: body });
});

test('a kept answer that breaks off while another version is asked is none: the client gets a whole 502', async () => {
  const gone = Promise.withResolvers<void>();
  const { proxy, old } = await startTrial((arrival) => {
    arrival.send('HTTP/1.1 500 Sorry\r\nContent-Length: 100\r\n\r\nhalf');
    void old.arrival(0).then(() => {
      arrival.socket.on('close', () => gone.resolve());
      arrival.socket.destroy();
    });
  });
  old.script = async (arrival) => {
    await gone.promise;
    arrival.send(responseText(500, 'sorry'));
  };
  expect((await askOnce(proxy.port, '/')).status).toBe(502);
});

test('the errors of a trusted version are its own: nothing is replayed', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('1', [old]));
  await proxy.put(cluster('2', [next], { mode: 'INSTANT', regretWindow: 0 }));
  await proxy.log.line('NOTICE', /stable/);
  next.script = answersStatus(500, 'sorry');
  expect((await askOnce(proxy.port, '/')).status).toBe(500);
  expect(old.arrivals).toHaveLength(0);
});

const broken: readonly (readonly [string, string])[] = [
  ['Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
  ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ['chunked, then junk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n'],
  ['head alone', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'],
];

test.for(broken)('a version on trial that dies in the middle of its answer is not seen: %s', async ([, bytes]) => {
  const { proxy } = await startTrial((arrival) => {
    arrival.send(bytes);
    arrival.socket.end();
  });
  expect(await askOnce(proxy.port, '/')).toMatchObject({ status: 200, text: 'old' });
});

test('an answer over holdBytes is released: when it breaks later, the client sees it cut', async () => {
  const { proxy, old } = await startTrial((arrival) => {
    arrival.send(`HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n${'b'.repeat(150_000)}`);
    arrival.socket.end();
  });
  await expect(askOnce(proxy.port, '/')).rejects.toThrow();
  expect(old.arrivals).toHaveLength(0);
});

test('a slow answer is released after holdTime, byte for byte', async () => {
  const go = Promise.withResolvers<void>();
  const { proxy } = await startTrial(
    async (arrival) => {
      arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
      await go.promise;
      arrival.send('again');
    },
    { mode: 'INSTANT', replay: { holdTime: 0.1 } },
  );
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  expect((await client.head()).status).toBe(200);
  expect((await client.source.take(5)).toString()).toBe('first');
  go.resolve();
  expect((await client.source.take(5)).toString()).toBe('again');
});

test('a held answer is its own, whatever is read meanwhile', async () => {
  const go = Promise.withResolvers<void>();
  const { proxy, next } = await startTrial(
    async (arrival) => {
      if (arrival.head.target !== '/slow') return arrival.send(responseText(200, 'x'.repeat(60)));
      arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-From: next\r\n\r\nfirst');
      await go.promise;
      arrival.send('again');
    },
    { mode: 'INSTANT', replay: { holdTime: 600 } },
  );
  const slow = askOnce(proxy.port, '/slow');
  await next.arrival(0);
  for (let count = 0; count < 5; count += 1) await askOnce(proxy.port, '/other');
  go.resolve();
  expect(await slow).toMatchObject({ status: 200, text: 'firstagain' });
});

test('a stream of events is never held', async () => {
  const go = Promise.withResolvers<void>();
  const { proxy } = await startTrial(
    async (arrival) => {
      arrival.send(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n',
      );
      await go.promise;
      arrival.send('0\r\n\r\n');
    },
    { mode: 'INSTANT', replay: { holdTime: 3600 } },
  );
  const client = await connectTo(proxy.port);
  client.send(requestText({}));
  expect((await client.head()).status).toBe(200);
  go.resolve();
});

test('an answer that is held when its exchange runs out of time is given to no later request of the client', async () => {
  const old = await startServer(answers('old'));
  const next = await startServer((arrival) => arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
  const proxy = await startProxy(cluster('1', [old]), { timeouts: { total: 0.1 } });
  await proxy.put(cluster('2', [next], { mode: 'INSTANT', replay: { holdTime: 0.3 } }));
  const client = await connectTo(proxy.port);
  for (let n = 0; n < 6; n += 1) expect((await client.ask(`/${n}`)).status).toBe(504);
});

test('an answer that is held when its client leaves gives back the room it took', async () => {
  const half = `HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${'h'.repeat(600)}`;
  const old = await startServer(answers('old'));
  const next = await startServer(async (arrival) => {
    arrival.send(half);
    if (arrival.head.target === '/left') await arrival.gone();
    else arrival.socket.end();
  });
  const proxy = await startProxy(cluster('1', [old]), { limits: { bufferBytes: 1000 } });
  await proxy.put(cluster('2', [next], { mode: 'INSTANT', replay: { holdTime: 3600 } }));
  const leaving = await connectTo(proxy.port);
  leaving.send(requestText({ target: '/left' }));
  const { socket } = await next.arrival(0);
  leaving.reset();
  await new Promise((resolve) => socket.once('close', resolve));
  expect((await askOnce(proxy.port, '/breaks')).text).toBe('old');
});

test('an answer that fails while it is held is given to nobody later on', async () => {
  const gate = Promise.withResolvers<void>();
  const { proxy } = await startTrial(
    async (arrival) => {
      if (arrival.head.target === '/breaks') {
        arrival.send('HTTP/1.1 200 OK\r\nX-To: breaks\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nno chunk\r\n');
        return;
      }
      arrival.send('HTTP/1.1 200 OK\r\nX-To: waits\r\nContent-Length: 8\r\n\r\nhalf');
      await gate.promise;
      arrival.send('half');
    },
    { mode: 'INSTANT', replay: { holdTime: 0.1 } },
  );
  const client = await connectTo(proxy.port);
  expect((await client.ask('/breaks')).text).toBe('old');
  client.send(requestText({ target: '/waits' }));
  // Its hold ends after that of the one before, had that gone on.
  const head = await client.head();
  gate.resolve();
  expect([field(head, 'x-to'), (await client.body(head)).bytes.toString()]).toEqual(['waits', 'halfhalf']);
});
