/** Servers that fail are ejected and come back; versions that are not ready get no traffic. */
import { describe, expect, test } from 'vitest';
import { call, cluster, listVersions, put, remove, UUID_V1, type WireCluster } from '../kit/config-service.ts';
import { type RunningCutover, startProxy } from '../kit/cutover.ts';
import { type Answer, askOnce, connectTo } from '../kit/raw-client.ts';
import {
  answers,
  answersStatus,
  closedPort,
  closes,
  resets,
  responseText,
  type Script,
  type ScriptedServer,
  startServer,
} from '../kit/scripted-server.ts';

/** Three servers with this answer. */
function startThree(text: string): Promise<[ScriptedServer, ScriptedServer, ScriptedServer]> {
  const start = () => startServer(answers(text));
  return Promise.all([start(), start(), start()]);
}

/** Asks with several clients at once until `enough` says so; every answer must be whole, and they are returned. */
async function askUntil(port: number, enough: () => boolean, clients = 5): Promise<readonly Answer[]> {
  const all: Answer[] = [];
  await Promise.all(
    Array.from({ length: clients }, async (_, n) => {
      const client = await connectTo(port);
      while (!enough()) all.push(await client.ask(n % 2 === 0 ? {} : { method: 'PUT', body: `body ${n}` }));
    }),
  );
  return all;
}

const logged = (proxy: RunningCutover, pattern: RegExp) => proxy.log.lines.some(({ text }) => pattern.test(text));
const serverOut = ({ port }: ScriptedServer) => new RegExp(`127.0.0.1:${port} of version \\S+ takes no more requests`);
const serverBack = ({ port }: ScriptedServer) => new RegExp(`127.0.0.1:${port} of version \\S+ takes requests again`);

interface Fault {
  readonly begins: (server: ScriptedServer) => unknown;
  readonly ends: (server: ScriptedServer) => unknown;
}

function scripted(script: Script): Fault {
  return {
    begins: (server) => {
      server.script = script;
    },
    ends: (server) => {
      server.script = answers('new');
    },
  };
}

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['answers 500 always', scripted(answersStatus(500, 'broken'))],
  ['resets', scripted(resets)],
  ['closes without an answer', scripted(closes)],
  ['refuses', { begins: (server) => server.stop(), ends: (server) => server.listen() }],
];

describe('one bad server of three', () => {
  test.for(FAULTS)('of a version on trial %s: no failed request, no rollback, and it returns', async ([, fault]) => {
    const old = await startServer(answers('old'));
    const [one, bad, three] = await startThree('new');
    const proxy = await startProxy(cluster('1', [old]));
    const id = await proxy.put(cluster('2', [one, bad, three]));
    await fault.begins(bad);
    const before = await askUntil(proxy.port, () => logged(proxy, serverOut(bad)));
    const arrivals = bad.arrivals.length;
    const during = await askUntil(proxy.port, () => one.arrivals.length + three.arrivals.length > 100);
    expect(bad.arrivals.length - arrivals).toBeLessThanOrEqual(5);
    await fault.ends(bad);
    const after = await askUntil(
      proxy.port,
      () => logged(proxy, serverBack(bad)) && bad.arrivals.length > arrivals + 5,
    );
    for (const { status, text } of [...before, ...during, ...after])
      expect([status, /^(old|new)$/.test(text)]).toEqual([200, true]);
    expect((await call(proxy.configPort, 'GET', `/${id}`)).status).toBe(200);
    expect(proxy.log.lines.some(({ text }) => text.startsWith('Removing cluster'))).toBe(false);
  });

  test('of the only version resets: its requests are answered by the others', async () => {
    const [one, bad, three] = await startThree('new');
    const proxy = await startProxy(cluster('1', [one, bad, three]));
    bad.script = resets;
    const all = await askUntil(proxy.port, () => logged(proxy, serverOut(bad)));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
    const arrivals = bad.arrivals.length;
    await askUntil(proxy.port, () => one.arrivals.length > 50 && three.arrivals.length > 50);
    expect(bad.arrivals.length - arrivals).toBeLessThanOrEqual(5);
  });

  test('of the only version answers 500: clients see three of them, then one per probe', async () => {
    const [one, bad, three] = await startThree('new');
    bad.script = answersStatus(500, 'broken');
    const proxy = await startProxy(cluster('1', [one, bad, three]));
    const all = await askUntil(proxy.port, () => one.arrivals.length > 40, 1);
    expect(all.length).toBeGreaterThan(80);
    expect(all.filter(({ status }) => status !== 200).length).toBeLessThanOrEqual(4);
  });
});

test('two bad servers of three: the version is dead, and is taken back without a failed request', async () => {
  const old = await startServer(answers('old'));
  const [one, two, three] = await startThree('new');
  const proxy = await startProxy(cluster('1', [old]));
  const id = await proxy.put(cluster('2', [one, two, three]));
  await Promise.all([one.stop(), two.stop()]);
  const all = await askUntil(proxy.port, () => logged(proxy, /^Removing cluster from configuration - version: 2 /));
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await call(proxy.configPort, 'GET', `/${id}`)).status).toBe(404);
  const ledger = JSON.parse((await call(proxy.configPort, 'GET', `/${id}/ledger`)).text) as readonly object[];
  expect(ledger[0]).toMatchObject({
    decision: 'failed',
    rule: 'dead',
    reason: expect.stringContaining('2 of its 3 servers are ejected'),
  });
});

test('a stable version that refuses is not removed: the older one answers, and it is probed back in', async () => {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('1', [old]));
  await proxy.put(cluster('2', [next], { mode: 'INSTANT', regretWindow: 0 }));
  await proxy.log.line('NOTICE', /Release of version 2 .* is over: stable/);
  await next.stop();
  expect((await askOnce(proxy.port, { method: 'POST', body: 'x' })).text).toBe('old');
  await proxy.log.line('WARNING', serverOut(next));
  await next.listen();
  expect((await askOnce(proxy.port, { method: 'POST', body: 'x' })).text).toBe('new');
  await proxy.log.line('NOTICE', serverBack(next));
  expect((await listVersions(proxy.configPort)).map(({ version }) => version)).toEqual(['2', '1']);
});

test('all servers ejected are asked all the same: the first that is back answers at once', async () => {
  const [one, two] = [await startServer(answers('1')), await startServer(answers('2'))];
  const proxy = await startProxy(cluster('1', [one, two]));
  await Promise.all([one.stop(), two.stop()]);
  expect((await askOnce(proxy.port, '/')).status).toBe(503);
  await Promise.all([proxy.log.line('WARNING', serverOut(one)), proxy.log.line('WARNING', serverOut(two))]);
  await two.listen();
  for (let n = 0; n < 4; n += 1) expect((await askOnce(proxy.port, '/')).text).toBe('2');
});

test('a server that flaps costs no request, and is tried less and less often', async () => {
  const [steady, flapping] = [await startServer(answers('steady')), await startServer(answers('flapping'))];
  const old = await startServer(answers('old'));
  const proxy = await startProxy(cluster('1', [old]));
  await proxy.put(cluster('2', [steady, flapping]));
  let over = false;
  const asked = askUntil(proxy.port, () => over, 3);
  // It accepts every connection and breaks the first request of each return.
  flapping.script = resets;
  const outs = () => proxy.log.lines.filter(({ text }) => serverOut(flapping).test(text)).length;
  await proxy.log.line('NOTICE', serverBack(flapping));
  await steady.until(() => outs() >= 3);
  over = true;
  const all = await asked;
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
  expect(flapping.arrivals.length).toBeLessThan(3 + 2 + 3 * 3);
});

test('a server that returns gets a tenth of its turns at first', async () => {
  const [steady, returning] = [await startServer(answers('steady')), await startServer(answers('returning'))];
  const proxy = await startProxy(cluster('1', [steady, returning]));
  await returning.stop();
  await askUntil(proxy.port, () => logged(proxy, serverOut(returning)), 1);
  await returning.listen();
  await proxy.log.line('NOTICE', serverBack(returning));
  const client = await connectTo(proxy.port);
  const texts: string[] = [];
  for (let n = 0; n < 44; n += 1) texts.push((await client.ask('/')).text);
  // 44 requests may take more than a second: by then it is a fifth.
  expect(texts.filter((text) => text === 'returning').length).toBeGreaterThanOrEqual(3);
  expect(texts.filter((text) => text === 'returning').length).toBeLessThanOrEqual(8);
});

describe('the readiness gate', () => {
  const options = { mode: 'INSTANT', readyTimeout: 5 };

  /** PUTs and gives the id without asking how the version fares. */
  async function putAny(proxy: RunningCutover, added: WireCluster): Promise<string> {
    const answer = await put(proxy.configPort, added);
    expect([answer.status, UUID_V1.test(answer.text)]).toEqual([202, true]);
    return answer.text;
  }

  test('a version whose servers come up late gets its first request when the last is up', async () => {
    const [old, one, two] = [
      await startServer(answers('old')),
      await startServer(answers('new')),
      await startServer(answers('new')),
    ];
    await two.stop();
    const proxy = await startProxy(cluster('1', [old]), { putWait: 0.05 });
    const id = await putAny(proxy, cluster('2', [one, two], options));
    expect((await call(proxy.configPort, 'GET', `/${id}`)).status).toBe(200);
    for (let n = 0; n < 5; n += 1) expect((await askOnce(proxy.port, '/')).text).toBe('old');
    expect(one.arrivals).toHaveLength(0);
    await two.listen();
    await proxy.log.line('NOTICE', /Version 2 .* is released/);
    for (let n = 0; n < 5; n += 1) expect((await askOnce(proxy.port, '/')).text).toBe('new');
  });

  test('a version whose servers are ready serves when its PUT is answered, long before putWait', async () => {
    const [one, two, three] = await startThree('new');
    const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]), { putWait: 8 });
    await proxy.put(cluster('2', [one, two, three]));
    expect((await askOnce(proxy.port, '/')).text).toBe('new');
  });

  test('a version that is not ready in time has failed: the log and the ledger say which server and why', async () => {
    const old = await startServer(answers('old'));
    const [ready, port] = [await startServer(answers('new')), await closedPort()];
    const proxy = await startProxy(cluster('1', [old]), { putWait: 0.05 });
    const id = await putAny(proxy, cluster('2', [ready, { port }], { mode: 'INSTANT', readyTimeout: 0.4 }));
    const cause = `127.0.0.1:${port}: dial tcp 127.0.0.1:${port}: connection refused`;
    const line = await proxy.log.line('WARNING', /^Version 2 .* is not ready/);
    expect(line.text).toContain(`1 of 2 servers were not ready within 0.4 s (${cause})`);
    expect((await call(proxy.configPort, 'GET', `/${id}`)).status).toBe(404);
    const ledger = JSON.parse((await call(proxy.configPort, 'GET', `/${id}/ledger`)).text) as readonly object[];
    expect(ledger[0]).toMatchObject({ decision: 'failed', rule: 'not-ready', reason: expect.stringContaining(cause) });
    expect((await askOnce(proxy.port, '/')).text).toBe('old');
    expect(ready.arrivals).toHaveLength(0);
  });

  test('is cancelled by DELETE', async () => {
    const late = await startServer(answers('new'));
    await late.stop();
    const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]), { putWait: 0.05 });
    const id = await putAny(proxy, cluster('2', [late], options));
    expect((await remove(proxy.configPort, id)).status).toBe(202);
    expect((await call(proxy.configPort, 'GET', `/${id}`)).status).toBe(404);
    await late.listen();
    for (let n = 0; n < 3; n += 1) expect((await askOnce(proxy.port, '/')).text).toBe('old');
    expect((await listVersions(proxy.configPort)).map(({ version }) => version)).toEqual(['1']);
    expect(late.connections).toBe(0);
  });

  test('is passed over by a newer version, which serves as soon as it is ready', async () => {
    const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]), { putWait: 0.05 });
    await putAny(proxy, cluster('2', [{ port: await closedPort() }], options));
    await putAny(proxy, cluster('3', [await startServer(answers('newest'))], options));
    await proxy.log.line('NOTICE', /Version 3 .* is released/);
    expect((await askOnce(proxy.port, '/')).text).toBe('newest');
  });
});

describe('active checks', () => {
  const check = (more: object = {}) => ({ healthCheck: { path: '/health', interval: 0.05, timeout: 1, ...more } });

  /** Answers checks with this status, and everything else well. */
  function well(text: string, status: () => number, fields: readonly (readonly [string, string])[] = []): Script {
    return async (arrival) => {
      await arrival.body();
      const isCheck = arrival.head.target === '/health';
      arrival.send(responseText(isCheck ? status() : 200, isCheck ? '' : text, isCheck ? fields : []));
    };
  }

  test('a server that fails them takes no requests until it passes them again', async () => {
    let status = 500;
    const [good, bad] = [await startServer(well('good', () => 204)), await startServer(well('bad', () => status))];
    const proxy = await startProxy({ ...cluster('1', [good, bad]), ...check() });
    await proxy.log.line('WARNING', serverOut(bad));
    for (let n = 0; n < 6; n += 1) expect((await askOnce(proxy.port, '/')).text).toBe('good');
    status = 204;
    await proxy.log.line('NOTICE', serverBack(bad));
    const all = await askUntil(proxy.port, () => bad.targets.includes('/'), 1);
    expect(new Set(all.map((answer) => answer.status))).toEqual(new Set([200]));
  });

  test('are GETs with the Host that was asked for, and pass with the status that is expected', async () => {
    const server = await startServer(well('x', () => 418));
    const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
    await proxy.put({ ...cluster('2', [server]), ...check({ expect: [204, 418], host: 'app.internal' }) });
    const { head } = await server.arrival(0);
    expect([head.method, head.target]).toEqual(['GET', '/health']);
    expect((await server.arrival(0)).field('host')).toBe('app.internal');
    expect((await askOnce(proxy.port, '/')).text).toBe('x');
  });

  test('the gate waits while a check is answered 503 with Retry-After, however often', async () => {
    let status = 503;
    const server = await startServer(well('new', () => status, [['Retry-After', '1']]));
    const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]), { putWait: 0.05 });
    await put(proxy.configPort, { ...cluster('2', [server]), ...check() });
    await server.arrival(4);
    expect((await askOnce(proxy.port, '/')).text).toBe('old');
    status = 200;
    await proxy.log.line('NOTICE', /Version 2 .* is released/);
    expect((await askOnce(proxy.port, '/')).text).toBe('new');
  });

  test('GET shows the check as it was given', async () => {
    const server = await startServer(well('x', () => 200));
    const proxy = await startProxy(cluster('1', [await startServer(answers('old'))]));
    const id = await proxy.put({ ...cluster('2', [server]), ...check() });
    expect(JSON.parse((await call(proxy.configPort, 'GET', `/${id}`)).text)).toMatchObject({ cluster: check() });
  });
});
