/** The calls about one release, against a running Cutover: promote, pause, resume, rollback, status, ledger. */
import { describe, expect, test } from 'vitest';
import type { LedgerView, StatusView } from '../../src/core/release/command.ts';
import { call, cluster, listVersions, remove } from '../kit/config-service.ts';
import { type RunningCutover, startProxy } from '../kit/cutover.ts';
import { askOnce, connectTo } from '../kit/raw-client.ts';
import { answers, answersStatus, type ScriptedServer, startServer } from '../kit/scripted-server.ts';

interface Release {
  readonly proxy: RunningCutover;
  readonly old: ScriptedServer;
  readonly next: ScriptedServer;
  readonly id: string;
}

async function release(options: Readonly<Record<string, unknown>>, config = {}): Promise<Release> {
  const [old, next] = [await startServer(answers('old')), await startServer(answers('new'))];
  const proxy = await startProxy(cluster('1', [old]), config);
  const id = await proxy.put(cluster('2', [next], options));
  return { proxy, old, next, id };
}

const GRADUAL = { mode: 'GRADUAL', percentageTransitionPerRequest: 10 };

const decide = ({ proxy, id }: Release, what: string, body?: string) =>
  call(proxy.configPort, 'POST', `/${id}/${what}`, body);

async function status({ proxy, id }: Release): Promise<StatusView> {
  const answer = await call(proxy.configPort, 'GET', `/${id}/status`);
  expect([answer.status, answer.type]).toEqual([200, 'application/json']);
  return JSON.parse(answer.text);
}

async function ledger({ proxy, id }: Release): Promise<readonly LedgerView[]> {
  const answer = await call(proxy.configPort, 'GET', `/${id}/ledger`);
  expect([answer.status, answer.type]).toEqual([200, 'application/json']);
  return JSON.parse(answer.text);
}

describe('promote', () => {
  test('releases at once, then makes stable; each is 202 without a body, and in force', async () => {
    const r = await release({ mode: 'SESSION', sessionTimeout: 3600 });
    const oldId = (await listVersions(r.proxy.configPort)).at(-1)?.uuid;
    const cookie = [['Cookie', `dynsoftup=${oldId}`]] as const;
    expect((await askOnce(r.proxy.port, { fields: cookie })).text).toBe('old');
    const answer = await decide(r, 'promote');
    expect([answer.status, answer.text]).toEqual([202, '']);
    expect((await askOnce(r.proxy.port, { fields: cookie })).text).toBe('new');
    expect((await status(r)).phase).toBe('watching');
    expect((await decide(r, 'promote', '{"reason": "seen enough"}')).status).toBe(202);
    expect(await status(r)).toMatchObject({ phase: 'stable', reason: 'It was promoted by hand: seen enough' });
    expect(await ledger(r)).toMatchObject([{ decision: 'stable', rule: 'promote' }]);
    expect(await decide(r, 'promote')).toMatchObject({
      status: 409,
      text: `Version 2 [127.0.0.1:${r.next.port}] is stable: only a version on trial can be promoted\n`,
    });
  });
});

describe('pause and resume', () => {
  test('the threshold stands still in between', async () => {
    const r = await release(GRADUAL);
    expect((await decide(r, 'pause')).status).toBe(202);
    for (let n = 0; n < 15; n += 1) expect((await askOnce(r.proxy.port, '/')).status).toBe(200);
    expect(await status(r)).toMatchObject({ phase: 'releasing', paused: true, threshold: 10 });
    expect(await decide(r, 'pause')).toMatchObject({
      status: 409,
      text: expect.stringMatching(/is paused already\n$/),
    });
    expect((await decide(r, 'resume')).status).toBe(202);
    expect(await decide(r, 'resume')).toMatchObject({ status: 409, text: expect.stringMatching(/is not paused\n$/) });
    await askOnce(r.proxy.port, '/');
    expect(await status(r)).toMatchObject({ paused: false, threshold: 20 });
  });
});

describe('rollback', () => {
  test('under load: the version is out, no client sees it, the reason is kept', async () => {
    const r = await release({ mode: 'INSTANT' });
    let over = false;
    const clients = Array.from({ length: 10 }, async () => {
      const client = await connectTo(r.proxy.port);
      while (!over) expect((await client.ask('/')).status).toBe(200);
    });
    await r.next.arrival(30);
    expect((await decide(r, 'rollback', '{"reason": "ugly\\ncolours"}')).status).toBe(202);
    const seen = r.next.arrivals.length;
    expect((await askOnce(r.proxy.port, '/')).text).toBe('old');
    over = true;
    await Promise.all(clients);
    // Those that were in flight were under way by then.
    expect(r.next.arrivals.length - seen).toBeLessThanOrEqual(10);
    expect((await call(r.proxy.configPort, 'GET', `/${r.id}`)).status).toBe(404);
    expect(await status(r)).toMatchObject({ phase: 'failed', reason: 'It was rolled back by hand: ugly colours' });
    const [entry] = await ledger(r);
    expect(entry).toMatchObject({
      id: r.id,
      version: '2',
      mode: 'INSTANT',
      against: '1',
      decision: 'failed',
      rule: 'rollback',
      reason: 'It was rolled back by hand: ugly colours',
      verdict: { kind: 'clean' },
      counts: { replays: 0, absorbed: 0, blamed: 0, shared: 0, unpaired: 0, notReplayable: 0, budgetRefused: 0 },
    });
    expect(entry?.counts.requests).toBeGreaterThanOrEqual(30);
    await r.proxy.log.line('WARNING', /^Release of version 2 .* is over: failed by rule rollback: It was rolled back/);
  });

  test('of a stable version with nothing before it is refused', async () => {
    const r = await release({ mode: 'INSTANT' });
    const [, stable] = await listVersions(r.proxy.configPort);
    const answer = await call(r.proxy.configPort, 'POST', `/${stable?.uuid}/rollback`);
    expect(answer).toMatchObject({
      status: 409,
      text: expect.stringMatching(/has no earlier version that could be started again/),
    });
  });
});

describe('the verdict, seen from outside', () => {
  test('a version that fails some requests is held, and taken back when it is sure; no client sees a failure', async () => {
    const r = await release(GRADUAL);
    r.next.script = answersStatus(500, 'broken');
    const client = await connectTo(r.proxy.port);
    const cookie = [['Cookie', `dynsoftup=${r.id}`]] as const;
    const failed = await client.ask({ fields: cookie });
    expect([failed.status, failed.text]).toEqual([200, 'old']);
    expect(await status(r)).toMatchObject({
      phase: 'releasing',
      verdict: { kind: 'inconclusive' },
      evidence: { blamed: 1 },
      threshold: 10,
    });
    for (let n = 0; n < 4; n += 1) expect((await client.ask({ fields: cookie })).text).toBe('old');
    await r.proxy.log.line('WARNING', /^Removing cluster from configuration - version: 2/);
    expect(await ledger(r)).toMatchObject([
      {
        decision: 'failed',
        rule: 'consecutive',
        verdict: { kind: 'guilty' },
        counts: { requests: 5, replays: 5, absorbed: 5, blamed: 5, shared: 0, unpaired: 0 },
        baseline: { source: 'assumed' },
      },
    ]);
  });
});

describe('the ledger', () => {
  test('of a release that goes on, of one that was deleted, and of all', async () => {
    const r = await release(GRADUAL);
    expect(await ledger(r)).toMatchObject([{ id: r.id, decided: null, decision: null, rule: null, reason: null }]);
    await remove(r.proxy.configPort, r.id);
    expect(await ledger(r)).toMatchObject([{ id: r.id, decision: 'retired', rule: 'delete' }]);
    const third = await r.proxy.put(cluster('3', [r.next], { mode: 'INSTANT' }));
    const all = await fetch(`http://127.0.0.1:${r.proxy.configPort}/configuration/ledger`);
    expect(all.status).toBe(200);
    expect(((await all.json()) as LedgerView[]).map(({ id }) => id)).toEqual([third, r.id]);
  });
});

test('drain: what a deleted version has not answered in time is cut, and asked of the older one where that is allowed', async () => {
  const r = await release({ mode: 'INSTANT' }, { timeouts: { drain: 0.5 } });
  r.next.script = (arrival) => arrival.gone();
  const ended = (method: string) =>
    askOnce(r.proxy.port, { method, body: '' }).then(
      ({ status: code, text }) => `${code} ${text}`,
      () => 'cut',
    );
  const [put, post] = [ended('PUT'), ended('POST')];
  const arrivals = [await r.next.arrival(0), await r.next.arrival(1)];
  await remove(r.proxy.configPort, r.id);
  expect(await status(r)).toMatchObject({ phase: 'draining', inFlight: 2 });
  await r.proxy.log.line('WARNING', /has not drained in time: its exchanges in flight are cut$/);
  await Promise.all(arrivals.map((arrival) => arrival.gone()));
  expect(await put).toBe('200 old');
  expect(await post).toMatch(/^(cut|50\d )/);
  await r.proxy.log.line('INFO', /^Version 2 .* has drained$/);
  expect(await status(r)).toMatchObject({ phase: 'retired', inFlight: 0 });
});

describe('what is asked wrongly', () => {
  const wrong: readonly (readonly [string, string])[] = [
    ['no JSON', 'hello'],
    ['an array', '[]'],
    ['another key', '{"why": "x"}'],
    ['a reason of the wrong type', '{"reason": 5}'],
    ['a reason that is too long', JSON.stringify({ reason: 'x'.repeat(501) })],
  ];

  test.for(wrong)('a bad body is a 400 in one line, and nothing is done: %s', async ([, body]) => {
    const r = await release(GRADUAL);
    const answer = await decide(r, 'rollback', body);
    expect([answer.status, answer.type]).toEqual([400, expect.stringMatching(/^text\/plain/)]);
    expect(answer.text.trim().split('\n')).toHaveLength(1);
    expect((await status(r)).phase).toBe('releasing');
  });

  test.each(['', '{}', '{"reason": ""}'])('a body without a reason will do: %j', async (body) => {
    const r = await release(GRADUAL);
    expect((await decide(r, 'rollback', body)).status).toBe(202);
    expect((await status(r)).reason).toBe('It was rolled back by hand');
  });

  test('unknown ids are 404, other methods 405', async () => {
    const r = await release(GRADUAL);
    for (const id of ['00000000-0000-1000-8000-000000000000', 'nonsense']) {
      for (const what of ['promote', 'pause', 'resume', 'rollback']) {
        expect((await call(r.proxy.configPort, 'POST', `/${id}/${what}`)).status).toBe(404);
      }
      for (const what of ['status', 'ledger']) {
        expect((await call(r.proxy.configPort, 'GET', `/${id}/${what}`)).status).toBe(404);
      }
    }
    const get = await call(r.proxy.configPort, 'GET', `/${r.id}/promote`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    const post = await call(r.proxy.configPort, 'POST', `/${r.id}/status`);
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await call(r.proxy.configPort, 'POST', `/${r.id}/explode`)).status).toBe(404);
  });
});
