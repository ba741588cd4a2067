/** CONCURRENT compares answers (thesis section 4.1): what is counted, what is told, what is ignored, what comes of it. */
import { expect, test } from 'vitest';
import type { LedgerView, StatusView } from '../../src/client.ts';
import { patterned } from '../kit/bytes.ts';
import { call, cluster } from '../kit/config-service.ts';
import { type RunningCutover, startProxy, type WireConfig } from '../kit/cutover.ts';
import { askOnce, connectTo, requestText } from '../kit/raw-client.ts';
import {
  answers,
  answersStatus,
  responseText,
  type Script,
  type ScriptedServer,
  startServer,
} from '../kit/scripted-server.ts';

type Comparison = NonNullable<StatusView['comparison']>;

class Release {
  readonly proxy: RunningCutover;
  readonly old: ScriptedServer;
  readonly next: ScriptedServer;
  readonly id: string;

  constructor(
    proxy: RunningCutover,
    servers: { readonly old: ScriptedServer; readonly next: ScriptedServer },
    id: string,
  ) {
    this.proxy = proxy;
    this.old = servers.old;
    this.next = servers.next;
    this.id = id;
  }

  async ask(times: number, target = '/'): Promise<void> {
    const client = await connectTo(this.proxy.port);
    for (let n = 0; n < times; n += 1) await client.ask(target);
    client.end();
  }

  /** Asks for the status until so much was compared: the dropped answers come to their ends by themselves. */
  async compared(count: number, noise = 0): Promise<Comparison> {
    for (;;) {
      const { comparison } = JSON.parse(
        (await call(this.proxy.configPort, 'GET', `/${this.id}/status`)).text,
      ) as StatusView;
      if (comparison === null) throw new Error('Nothing is compared');
      const { counts } = comparison;
      if (counts.compared >= count && counts.noiseCompared >= noise) return comparison;
    }
  }

  async ledger(): Promise<LedgerView> {
    const [entry] = JSON.parse((await call(this.proxy.configPort, 'GET', `/${this.id}/ledger`)).text) as LedgerView[];
    if (entry === undefined) throw new Error('The ledger has no entry');
    return entry;
  }
}

interface Told {
  readonly compare?: object;
  readonly verdict?: object;
  readonly config?: WireConfig;
}

/** A release in mode CONCURRENT that asks nobody twice unless it is told to. */
async function release(oldScript: Script, newScript: Script, told: Told = {}): Promise<Release> {
  const [old, next] = [await startServer(oldScript), await startServer(newScript)];
  const proxy = await startProxy(cluster('1.0', [old]), told.config);
  const { compare = {}, verdict = {} } = told;
  const options = { mode: 'CONCURRENT', compare: { sample: 0, ...compare }, verdict };
  return new Release(proxy, { old, next }, await proxy.put(cluster('2.0', [next], options)));
}

const sends = (status: number, body: string, fields: readonly (readonly [string, string])[] = []): Script => {
  return async (arrival) => {
    await arrival.body();
    arrival.send(responseText(status, body, fields));
  };
};

test('equal answers are compared and do not differ, however they are framed', async () => {
  const inChunks: Script = async (arrival) => {
    await arrival.body();
    arrival.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nDate: now\r\n\r\n2\r\nsa\r\n2\r\nme\r\n0\r\n\r\n');
  };
  const run = await release(answers('same'), inChunks);
  await run.ask(5);
  expect(await run.compared(5)).toEqual({
    counts: { compared: 5, different: 0, bodiesUnread: 0, noiseCompared: 0, noiseDifferent: 0 },
    differences: [],
  });
});

test.for<[string, Script, Script, object]>([
  ['status', sends(200, ''), sends(404, ''), { what: 'status', name: null, older: '200', newer: '404' }],
  ['length', answers('short'), answers('longer'), { what: 'length', name: null, older: '5', newer: '6' }],
  ['body', answers('ab'), answers('cd'), { what: 'body', name: null }],
  [
    'header',
    answers('', [['Content-Type', 'text/plain']]),
    answers('', [['Content-Type', 'text/html']]),
    { what: 'header', name: 'content-type', older: 'text/plain', newer: 'text/html' },
  ],
])('another %s counts once, and the ledger shows it with its path', async ([, oldScript, newScript, differing]) => {
  const run = await release(oldScript, newScript);
  await run.ask(1, '/a/b?secret=1');
  await run.compared(1);
  expect((await run.ledger()).comparison).toMatchObject({
    counts: { compared: 1, different: 1 },
    differences: [{ against: '1.0', method: 'GET', path: '/a/b', differing: [differing], noise: false }],
  });
  await call(run.proxy.configPort, 'POST', `/${run.id}/rollback`);
  expect(await run.ledger()).toMatchObject({ rule: 'rollback', comparison: { counts: { different: 1 } } });
});

test('of many differences the first ten are kept', async () => {
  const run = await release(answers('a'), answers('b'));
  await run.ask(15);
  const { counts, differences } = await run.compared(15);
  expect([counts.different, differences.length]).toEqual([15, 10]);
});

test('what is to be ignored does not matter', async () => {
  const script = (version: string, id: number): Script =>
    answers(`{"version":"${version}","items":[{"id":${id},"name":"x"}],"note":"took ${id} ms"}`, [
      ['Content-Type', 'application/json'],
      ['Cache-Control', `max-age=${id}`],
    ]);
  const compare = {
    ignoreHeaders: ['Cache-Control'],
    ignoreJson: ['$.version', '$.items[*].id'],
    ignoreBody: ['took \\d+ ms'],
  };
  const run = await release(script('1', 1), script('2', 2222), { compare });
  await run.ask(3);
  expect((await run.compared(3)).counts).toMatchObject({ different: 0, bodiesUnread: 0 });
  run.next.script = answers('{"version":"2","items":[{"id":1,"name":"y"}],"note":"took 5 ms"}', [
    ['Content-Type', 'application/json'],
  ]);
  await run.ask(1);
  expect((await run.compared(4)).differences).toMatchObject([{ differing: [{ what: 'body' }] }]);
});

test('a body that is too long to leave parts out is not compared, and that is said', async () => {
  const run = await release(answers('a'.repeat(70_000)), answers('b'.repeat(70_000)), {
    compare: { ignoreBody: ['x'] },
  });
  await run.ask(1);
  expect((await run.compared(1)).counts).toMatchObject({ compared: 1, different: 0, bodiesUnread: 1 });
});

test('server errors, cut answers and ignored paths are not compared', async () => {
  const run = await release(answers('old'), answers('old'), { config: { ignorePaths: ['/health'] } });
  const cut: Script = (arrival) => {
    arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    arrival.socket.end();
  };
  for (const script of [answersStatus(500, 'broken'), cut]) {
    run.next.script = script;
    await run.ask(1);
  }
  run.next.script = answers('other');
  await run.ask(1, '/health');
  run.next.script = answers('old');
  await run.ask(1);
  expect((await run.compared(1)).counts).toMatchObject({ compared: 1, different: 0 });
});

test('an older version that differs from itself: noise, and not the fault of the new one', async () => {
  let served = 0;
  const counter: Script = async (arrival) => {
    await arrival.body();
    served += 1;
    arrival.send(responseText(200, `${100_000 + served}`));
  };
  const run = await release(counter, counter, { compare: { sample: 1 }, verdict: { divergence: 0.01 } });
  await run.ask(100);
  const { counts, differences } = await run.compared(100, 100);
  expect(counts).toMatchObject({ compared: 100, different: 100, noiseCompared: 100, noiseDifferent: 100 });
  expect(differences.filter(({ noise }) => noise)).toHaveLength(10);
  expect([run.old.arrivals.length, run.next.arrivals.length]).toEqual([200, 100]);
  expect((await run.ledger()).decision).toBeNull();
});

test('only requests that change nothing are asked twice', async () => {
  const run = await release(answers('a'), answers('a'), { compare: { sample: 1 } });
  for (const method of ['POST', 'PUT', 'DELETE', 'GET']) await askOnce(run.proxy.port, { method });
  await run.compared(4, 1);
  expect(run.old.arrivals.map(({ head }) => head.method).sort()).toEqual(['DELETE', 'GET', 'GET', 'POST', 'PUT']);
});

test('on a sample of one percent the older version is asked once in a hundred times twice', async () => {
  const run = await release(answers('a'), answers('a'), { compare: { sample: 0.01 } });
  await run.ask(300);
  const { counts } = await run.compared(300);
  expect(run.old.arrivals.length).toBeGreaterThanOrEqual(302);
  expect(run.old.arrivals.length).toBeLessThanOrEqual(304);
  expect(counts.different).toBe(0);
});

test('second answers count among the dropped ones while they run, and no longer', async () => {
  const config = { limits: { concurrentAttempts: 1 } };
  const run = await release(answers('a'), answers('a'), { compare: { sample: 1 }, config });
  const client = await connectTo(run.proxy.port);
  // While one runs nothing is duplicated; were one never to be counted out, nothing ever would be again.
  for (let compared = 0; compared < 5; compared = (await run.compared(0)).counts.compared) await client.ask('/');
  const aborted = await connectTo(run.proxy.port);
  const gate = Promise.withResolvers<void>();
  run.old.script = () => gate.promise;
  run.next.script = () => gate.promise;
  aborted.send(requestText({ target: '/aborted' }));
  const arrival = await run.next.arrival(run.next.arrivals.length);
  aborted.reset();
  await arrival.gone();
  gate.resolve();
  run.old.script = answers('a');
  run.next.script = answers('a');
  for (let compared = 0; compared < 10; compared = (await run.compared(0)).counts.compared) await client.ask('/');
});

test('a version that answers differently is taken back where a divergence is set', async () => {
  const run = await release(answers('old'), answers('new'), {
    compare: { sample: 0.01 },
    verdict: { divergence: 0.05 },
  });
  await run.ask(60);
  await run.proxy.log.line('WARNING', /Removing cluster from configuration - version: 2\.0/);
  expect(await run.ledger()).toMatchObject({
    decision: 'failed',
    rule: 'divergence',
    reason: expect.stringContaining('(100 %) differently'),
  });
  expect((await askOnce(run.proxy.port, '/')).text).toBe('old');
});

test('and stays where none is set', async () => {
  const run = await release(answers('old'), answers('new'));
  await run.ask(60);
  await run.compared(60);
  expect((await run.ledger()).decision).toBeNull();
});

test('the client does not wait for the older answer, which is compared when it ends', async () => {
  const gate = Promise.withResolvers<void>();
  const slow: Script = async (arrival) => {
    await arrival.body();
    arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsa');
    await gate.promise;
    arrival.send('me');
  };
  const run = await release(slow, answers('same'));
  expect((await askOnce(run.proxy.port, '/')).text).toBe('same');
  const { comparison } = JSON.parse((await call(run.proxy.configPort, 'GET', `/${run.id}/status`)).text) as StatusView;
  expect(comparison?.counts.compared).toBe(0);
  gate.resolve();
  expect((await run.compared(1)).counts).toMatchObject({ compared: 1, different: 0 });
});

test.for<[string, string]>([
  ['rollback', 'failed'],
  ['delete', 'retired'],
])('after the decision too: the ledger has the comparison when the version is long gone (%s)', async ([end, phase]) => {
  const gate = Promise.withResolvers<void>();
  const slow: Script = async (arrival) => {
    await arrival.body();
    await gate.promise;
    arrival.send(responseText(200, 'older'));
  };
  const run = await release(slow, answers('newer'));
  expect((await askOnce(run.proxy.port, '/late')).text).toBe('newer');
  if (end === 'rollback') await call(run.proxy.configPort, 'POST', `/${run.id}/rollback`);
  else await call(run.proxy.configPort, 'DELETE', `/${run.id}`);
  await run.proxy.log.line('INFO', /Version 2\.0 .*has drained/);
  expect(await run.ledger()).toMatchObject({ decision: phase, comparison: { counts: { compared: 0 } } });
  gate.resolve();
  let comparison: LedgerView['comparison'];
  do comparison = (await run.ledger()).comparison;
  while (comparison?.counts.compared === 0);
  expect(comparison).toMatchObject({ counts: { compared: 1, different: 1 }, differences: [{ path: '/late' }] });
});

test('the older version hangs in its second answer: the comparison of the first is made all the same', async () => {
  let asked = 0;
  const gate = Promise.withResolvers<void>();
  const once: Script = async (arrival) => {
    await arrival.body();
    asked += 1;
    if (asked === 2) await gate.promise;
    arrival.send(responseText(200, 'same'));
  };
  const run = await release(once, answers('same'), { compare: { sample: 1 } });
  await run.ask(1);
  expect((await run.compared(1)).counts).toMatchObject({ compared: 1, noiseCompared: 0 });
  gate.resolve();
  expect((await run.compared(1, 1)).counts).toMatchObject({ noiseCompared: 1, noiseDifferent: 0 });
});

test('large bodies are compared while they stream, without being kept', async () => {
  const body = patterned(16 * 1024 * 1024);
  const other = Buffer.from(body);
  other.writeUInt8(other.readUInt8(12_345_678) ^ 1, 12_345_678);
  const streams = (bytes: Buffer): Script => {
    return async (arrival) => {
      await arrival.body();
      arrival.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`, bytes);
    };
  };
  // With room for two answers' first 64 KiB there is none for bodies of 16 MiB.
  const run = await release(streams(body), streams(body), { config: { limits: { bufferBytes: 256 * 1024 } } });
  expect((await askOnce(run.proxy.port, '/')).body.equals(body)).toBe(true);
  expect((await run.compared(1)).counts).toMatchObject({ compared: 1, different: 0, bodiesUnread: 0 });
  run.next.script = streams(other);
  expect((await askOnce(run.proxy.port, '/')).body.equals(other)).toBe(true);
  expect((await run.compared(2)).differences).toMatchObject([{ differing: [{ what: 'body' }] }]);
});
