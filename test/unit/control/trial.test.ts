/** A release as the data plane tells of it: outcomes, findings and figures in; verdict, hold, rollback and ledger out. */
import { describe, expect, test, vi } from 'vitest';
import { spec } from '../release/specs.ts';
import { settled, World } from './fakes.ts';

const next = (mode: Parameters<typeof spec>[0], options: Parameters<typeof spec>[1] = {}) =>
  spec(mode, { version: '2', servers: ['10.0.0.2:80'], ...options });

/** `id-1` is stable, `id-2` on trial above it. */
async function released(mode: Parameters<typeof spec>[0] = 'INSTANT', options: Parameters<typeof spec>[1] = {}) {
  const world = new World();
  await world.controller.start(spec('INSTANT', { version: '1' }));
  await world.controller.submit({ kind: 'put', spec: next(mode, options), origin: 'rest' });
  world.network.tried.length = 0;
  return world;
}

const decide = (world: World, kind: 'promote' | 'pause' | 'resume' | 'rollback', id = 'id-2') =>
  world.controller.submit({ kind, id, reason: null });

describe('findings', () => {
  test('five blamed ones in a row: the version is out before anything else happens', async () => {
    const world = await released();
    for (let i = 0; i < 5; i += 1) world.find('id-2', 'blamed');
    await settled();
    expect(world.dataPlane.chain()).toEqual(['id-1']);
    expect(world.network.tried).toEqual([]);
    expect(world.store.saved.at(-1)?.ledger[0]).toMatchObject({ id: 'id-2', decision: 'failed', rule: 'consecutive' });
  });

  test('answers in between are counted in their order, though they are fetched only now and then', async () => {
    const world = await released();
    for (let i = 0; i < 9; i += 1) {
      world.find('id-2', 'blamed');
      world.report('id-2', 'answered');
    }
    expect(world.controller.status('id-2')).toMatchObject({ phase: 'watching', verdict: { kind: 'inconclusive' } });
    expect(world.controller.status('id-2')?.evidence).toMatchObject({ blamed: 9, answered: 9, consecutive: 0 });
  });

  test('answers from before the release are not among its own', async () => {
    const world = await released('GRADUAL');
    const between = spec('GRADUAL', { version: '1.5', servers: ['10.0.0.3:80'] });
    await world.controller.submit({ kind: 'put', spec: between, origin: 'rest' });
    for (let i = 0; i < 10; i += 1) world.report('id-3', 'answered');
    await decide(world, 'rollback');
    await settled();
    expect(world.controller.status('id-3')?.phase).toBe('releasing');
    for (let i = 0; i < 15; i += 1) world.report('id-3', 'answered');
    await world.clock.pass(250);
    expect(world.controller.status('id-3')?.evidence?.answered).toBe(15);
  });

  test('answers that were not fetched yet outlast a new table', async () => {
    const world = await released();
    const { observer, dataPlane } = world;
    for (let i = 0; i < 10; i += 1) world.report('id-2', 'answered');
    observer.focusOn(dataPlane.table, world.controller);
    for (let i = 0; i < 3; i += 1) world.report('id-2', 'answered');
    expect(world.controller.status('id-2')?.evidence?.answered).toBe(13);
  });

  test.each([
    ['of another epoch', { epoch: 99 }],
    ['of a version that is not there', { versionId: 'gone' }],
  ])('%s change nothing', async (_, more) => {
    const world = await released();
    for (let i = 0; i < 5; i += 1) world.find('id-2', 'blamed', more);
    await settled();
    expect(world.controller.status('id-2')?.evidence).toMatchObject({ blamed: 0 });
  });

  test('those that come while the state is being kept are not lost', async () => {
    const world = await released();
    const { promise, resolve } = Promise.withResolvers<void>();
    world.store.gate = promise;
    const answer = decide(world, 'pause');
    await settled();
    for (let i = 0; i < 4; i += 1) world.find('id-2', 'blamed');
    world.report('id-2', 'answered');
    world.find('id-2', 'blamed');
    resolve();
    await answer;
    await settled();
    expect(world.controller.status('id-2')).toMatchObject({ phase: 'watching', paused: true });
    expect(world.controller.status('id-2')?.evidence).toMatchObject({ blamed: 5, answered: 1, consecutive: 1 });
  });

  test('they are noted, not saved: only a decision waits for the disk', async () => {
    const world = await released();
    const saves = world.store.saved.length;
    for (let i = 0; i < 4; i += 1) world.find('id-2', 'blamed');
    await settled();
    expect(world.store.saved).toHaveLength(saves);
    world.find('id-2', 'blamed');
    await settled();
    expect(world.store.saved[saves]?.versions[0]).toMatchObject({ id: 'id-2', phase: 'failed' });
  });
});

describe('proof that an older version answers', () => {
  test('is asked of a probe when no answer is fresh', async () => {
    const world = await released();
    for (let i = 0; i < 5; i += 1) world.find('id-2', 'unpaired');
    expect(world.phaseOf('id-2')).toBe('watching');
    await settled();
    expect(world.network.tried).toContain('10.0.0.1:80');
    expect(world.phaseOf('id-2')).toBe('failed');
  });

  test('is an answer of the older version a moment ago', async () => {
    const world = await released();
    world.network.down.add('10.0.0.1:80').add('10.0.0.2:80');
    for (let i = 0; i < 5; i += 1) world.find('id-2', 'unpaired');
    await settled();
    expect(world.phaseOf('id-2')).toBe('watching');
    world.dataPlane.of('id-1').answered += 1;
    await world.clock.pass(250);
    expect(world.phaseOf('id-2')).toBe('failed');
  });

  test('fails: an ERROR once, and the version stays until there is proof', async () => {
    const world = await released();
    world.network.down.add('10.0.0.1:80');
    for (let i = 0; i < 5; i += 1) world.find('id-2', 'unpaired');
    await world.clock.pass(3_000);
    const errors = world.log.lines.filter((line) => line.startsWith('ERROR'));
    expect(errors).toEqual([
      expect.stringMatching(/is guilty by rule consecutive .* it stays: no older version answers/),
    ]);
    expect(world.dataPlane.chain()).toEqual(['id-2', 'id-1']);
    world.network.down.delete('10.0.0.1:80');
    await world.clock.pass(500);
    expect(world.dataPlane.chain()).toEqual(['id-1']);
  });
});

describe('a hold', () => {
  test('stops a GRADUAL threshold at once, and lets it go on when it is over', async () => {
    const world = await released('GRADUAL', { percentagePerRequest: 10 });
    world.find('id-2', 'blamed');
    world.report('id-1', 'answered');
    expect(world.dataPlane.table.thresholds).toEqual([10, 0]);
    for (let i = 0; i < 3000; i += 1) world.report('id-2', 'answered', { direct: false });
    await world.clock.pass(250);
    world.report('id-1', 'answered');
    expect(world.dataPlane.table.thresholds).toEqual([20, 0]);
  });

  test('keeps the regret window open', async () => {
    const world = await released('INSTANT', { regretWindowMs: 10_000 });
    world.find('id-2', 'blamed');
    await world.clock.pass(20_000);
    expect(world.phaseOf('id-2')).toBe('watching');
    for (let i = 0; i < 3000; i += 1) world.report('id-2', 'answered');
    await world.clock.pass(1_000);
    expect(world.phaseOf('id-2')).toBe('stable');
  });

  test('by hand: a paused SESSION is not released by quiet', async () => {
    const world = await released('SESSION', { sessionTimeoutS: 5 });
    await decide(world, 'pause');
    await world.clock.pass(20_000);
    expect(world.phaseOf('id-2')).toBe('releasing');
    await decide(world, 'resume');
    await world.clock.pass(1_000);
    expect(world.phaseOf('id-2')).toBe('watching');
  });
});

describe('what a version is held against', () => {
  test('its older version before the release', async () => {
    const world = new World();
    await world.controller.start(spec('INSTANT', { version: '1' }));
    for (let i = 0; i < 200; i += 1) world.report('id-1', i < 2 ? 'server-error' : 'answered');
    await world.clock.pass(250);
    await world.controller.submit({ kind: 'put', spec: next('INSTANT'), origin: 'rest' });
    world.report('id-2', 'answered');
    expect(world.controller.status('id-2')?.baseline).toMatchObject({ source: 'before', requests: 200, failures: 2 });
  });

  test('what that did on its own trial is another matter', async () => {
    const world = await released();
    for (let i = 0; i < 50; i += 1) world.report('id-2', 'answered');
    await decide(world, 'promote');
    for (let i = 0; i < 200; i += 1) world.report('id-2', 'answered');
    await world.controller.submit({ kind: 'put', spec: next('INSTANT', { version: '3' }), origin: 'rest' });
    world.report('id-3', 'answered');
    expect(world.controller.status('id-3')?.baseline).toMatchObject({ source: 'before', requests: 200 });
  });

  test('up to the PUT itself, though no tick was in between', async () => {
    const world = new World();
    await world.controller.start(spec('INSTANT', { version: '1' }));
    for (let i = 0; i < 150; i += 1) world.report('id-1', 'answered');
    await world.controller.submit({ kind: 'put', spec: next('INSTANT'), origin: 'rest' });
    world.report('id-2', 'answered');
    expect(world.controller.status('id-2')?.baseline).toMatchObject({ source: 'before', requests: 150 });
  });

  test('its older version meanwhile: its own requests, not those it is asked after a failure', async () => {
    const world = await released('GRADUAL');
    for (let i = 0; i < 400; i += 1) world.report('id-1', i < 8 ? 'server-error' : 'answered');
    Object.assign(world.dataPlane.of('id-1'), { failed: 8, absorbed: 3 });
    for (let i = 0; i < 100; i += 1) {
      world.report('id-1', 'server-error', { direct: false });
      world.dataPlane.of('id-1').failed += 1;
      world.find('id-2', 'shared');
    }
    await world.clock.pass(250);
    expect(world.controller.status('id-2')?.baseline).toMatchObject({
      source: 'release',
      requests: 400,
      failures: 8,
      unpaired: 5,
    });
  });

  test('failures of requests that do not count are none of them', async () => {
    const world = await released('GRADUAL');
    for (let i = 0; i < 400; i += 1) world.report('id-1', i < 2 ? 'server-error' : 'answered');
    for (let i = 0; i < 50; i += 1) world.report('id-1', 'server-error', { counts: false });
    world.dataPlane.of('id-1').failed += 52;
    await world.clock.pass(250);
    expect(world.controller.status('id-2')?.baseline).toMatchObject({ requests: 400, failures: 2, unpaired: 2 });
  });

  test('connections refused by one of several servers are no failed requests; nor is what a client left', async () => {
    const world = new World();
    const servers = ['10.0.0.1:80', '10.0.0.3:80'];
    await world.controller.start(spec('INSTANT', { version: '1', servers }));
    for (let i = 0; i < 120; i += 1) {
      world.report('id-1', 'refused');
      world.report('id-1', 'abandoned');
      world.report('id-1', 'answered');
      world.report('id-1', 'answered', { counts: false });
    }
    await world.controller.submit({ kind: 'put', spec: next('INSTANT'), origin: 'rest' });
    world.report('id-2', 'answered');
    expect(world.controller.status('id-2')?.baseline).toMatchObject({ requests: 120, failures: 0 });
  });
});

describe('the ledger', () => {
  test('counts what the data plane counted during the release and nothing else', async () => {
    const world = await released();
    await decide(world, 'promote');
    Object.assign(world.dataPlane.of('id-3'), { exchanges: 100, replays: 100, absorbed: 100 });
    await world.controller.submit({ kind: 'put', spec: next('INSTANT', { version: '3' }), origin: 'rest' });
    Object.assign(world.dataPlane.of('id-3'), {
      exchanges: 112,
      replays: 105,
      absorbed: 104,
      notReplayable: 2,
      budgetRefused: 1,
    });
    world.find('id-3', 'blamed');
    world.find('id-3', 'shared');
    expect(world.controller.ledger('id-3')).toMatchObject([
      { decided: null, decision: null, rule: null, against: '2', counts: { requests: 12, blamed: 1, shared: 1 } },
    ]);
    await decide(world, 'rollback', 'id-3');
    expect(world.controller.ledger()).toMatchObject([
      {
        id: 'id-3',
        decision: 'failed',
        rule: 'rollback',
        counts: {
          requests: 12,
          replays: 5,
          absorbed: 4,
          blamed: 1,
          shared: 1,
          unpaired: 0,
          notReplayable: 2,
          budgetRefused: 1,
        },
      },
      { id: 'id-2', decision: 'stable', rule: 'promote' },
    ]);
  });

  test('shows the latest first, also where an older release goes on', async () => {
    const world = await released('GRADUAL');
    await world.clock.pass(10);
    const newer = spec('GRADUAL', { version: '3', servers: ['10.0.0.3:80'] });
    await world.controller.submit({ kind: 'put', spec: newer, origin: 'rest' });
    const ids = () => world.controller.ledger()?.map(({ id }) => id);
    expect(ids()).toEqual(['id-3', 'id-2']);
    await world.clock.pass(10);
    await decide(world, 'rollback', 'id-3');
    expect(ids()).toEqual(['id-3', 'id-2']);
  });

  test('what ends after the decision is counted until the version has drained', async () => {
    const world = await released();
    world.dataPlane.of('id-2').inFlight = 3;
    const { epoch } = world.dataPlane.table.chain[0] ?? { epoch: 0 };
    for (let i = 0; i < 5; i += 1) world.find('id-2', 'blamed');
    await settled();
    for (let i = 0; i < 3; i += 1) world.find('id-2', 'blamed', { epoch });
    Object.assign(world.dataPlane.of('id-2'), { absorbed: 8, inFlight: 0 });
    await world.clock.pass(500);
    expect(world.controller.ledger('id-2')).toMatchObject([{ counts: { blamed: 8, absorbed: 8 } }]);
    world.dataPlane.of('id-2').absorbed += 1;
    await world.clock.pass(500);
    expect(world.controller.ledger('id-2')).toMatchObject([{ counts: { absorbed: 8 } }]);
  });

  test('is asked by id: unknown ones are unknown, those without a release have none', async () => {
    const world = await released();
    expect(world.controller.ledger('nobody')).toBeUndefined();
    expect(world.controller.ledger('id-1')).toEqual([]);
  });
});

describe('controls', () => {
  test('are in force when they are answered, and refused where they make no sense', async () => {
    const world = await released('GRADUAL');
    expect(await decide(world, 'pause')).toEqual({ kind: 'accepted', id: 'id-2' });
    expect(await decide(world, 'pause')).toMatchObject({ kind: 'refused', because: 'conflict' });
    expect(await decide(world, 'promote')).toEqual({ kind: 'accepted', id: 'id-2' });
    expect(world.dataPlane.table.chain[0]).toMatchObject({ id: 'id-2', released: true });
    expect(await decide(world, 'rollback')).toEqual({ kind: 'accepted', id: 'id-2' });
    expect(world.dataPlane.chain()).toEqual(['id-1']);
    expect(await decide(world, 'rollback')).toMatchObject({ because: 'conflict' });
    expect(await decide(world, 'promote', 'nobody')).toMatchObject({ because: 'unknown-id' });
  });

  test.each(['pause', 'promote', 'rollback'] as const)('what can not be kept is not done (%s)', async (kind) => {
    const world = await released('GRADUAL');
    vi.spyOn(world.store, 'save').mockRejectedValue(new Error('No space left'));
    const before = world.controller.status('id-2');
    expect(await decide(world, kind)).toEqual({ kind: 'refused', because: 'storage', reason: 'No space left' });
    expect(world.controller.status('id-2')).toEqual(before);
    expect(world.dataPlane.chain()).toEqual(['id-2', 'id-1']);
  });

  test('a verdict waits for no disk', async () => {
    const world = await released('GRADUAL');
    vi.spyOn(world.store, 'save').mockRejectedValue(new Error('No space left'));
    for (let i = 0; i < 5; i += 1) world.find('id-2', 'blamed');
    await settled();
    expect(world.dataPlane.chain()).toEqual(['id-1']);
  });
});

test('status tells where a version stands, in every phase', async () => {
  const world = await released('GRADUAL', { percentagePerRequest: 10 });
  Object.assign(world.dataPlane.of('id-2'), { inFlight: 2, tunnels: 1 });
  world.report('id-1', 'answered');
  world.find('id-2', 'blamed');
  expect(world.controller.status('id-2')).toMatchObject({
    id: 'id-2',
    version: '2',
    phase: 'releasing',
    since: '2014-05-13T16:53:20.000Z',
    reason: 'Mode GRADUAL moves traffic to it',
    mode: 'GRADUAL',
    paused: false,
    threshold: 20,
    verdict: { kind: 'inconclusive' },
    evidence: { blamed: 1 },
    baseline: { source: 'assumed' },
    servers: [{ hostname: '10.0.0.2', port: 80, health: 'healthy' }],
    inFlight: 2,
    tunnels: 1,
  });
  await decide(world, 'rollback');
  expect(world.controller.status('id-2')).toMatchObject({
    phase: 'failed',
    reason: 'It was rolled back by hand',
    servers: [{ hostname: '10.0.0.2', port: 80 }],
    paused: null,
    verdict: null,
  });
  expect(world.controller.status('id-1')).toMatchObject({ phase: 'stable', threshold: null, verdict: null });
  expect(world.controller.status('nobody')).toBeUndefined();
});

describe('a version that leaves', () => {
  test.each(['delete', 'rollback'] as const)('is cut when it has not drained in time (%s)', async (kind) => {
    const world = await released();
    Object.assign(world.dataPlane.of('id-2'), { inFlight: 1, tunnels: 1 });
    await world.controller.submit(kind === 'delete' ? { kind, id: 'id-2' } : { kind, id: 'id-2', reason: null });
    await world.clock.pass(29_000);
    expect(world.dataPlane.table.cut).toEqual([]);
    await world.clock.pass(2_000);
    const [exchanges] = world.dataPlane.table.cut;
    expect(world.dataPlane.table.cut).toEqual([{ versionId: 'id-2', what: 'exchanges' }]);
    await world.clock.pass(268_000);
    expect(world.dataPlane.table.cut).toHaveLength(1);
    await world.clock.pass(2_000);
    expect(world.dataPlane.table.cut).toEqual([exchanges, { versionId: 'id-2', what: 'tunnels' }]);
    expect(world.dataPlane.table.cut[0]).toBe(exchanges);
    Object.assign(world.dataPlane.of('id-2'), { inFlight: 0, tunnels: 0 });
    await world.clock.pass(1_000);
    expect(world.phaseOf('id-2')).toBe(kind === 'delete' ? 'retired' : 'failed');
    expect(world.log.lines.at(-1)).toBe('INFO Version 2 [10.0.0.2:80] has drained');
  });

  test.each([
    [{ inFlight: 1, tunnels: 0 }, 'exchanges'],
    [{ inFlight: 0, tunnels: 1 }, 'tunnels'],
  ])('only what it has is cut: %j', async (figures, what) => {
    const world = await released();
    Object.assign(world.dataPlane.of('id-2'), figures);
    await world.controller.submit({ kind: 'delete', id: 'id-2' });
    await world.clock.pass(400_000);
    expect(world.dataPlane.table.cut).toEqual([{ versionId: 'id-2', what }]);
  });

  test('in time is not cut', async () => {
    const world = await released();
    world.dataPlane.of('id-2').inFlight = 1;
    await world.controller.submit({ kind: 'delete', id: 'id-2' });
    await world.clock.pass(20_000);
    world.dataPlane.of('id-2').inFlight = 0;
    await world.clock.pass(400_000);
    expect(world.dataPlane.tables.every(({ cut }) => cut.length === 0)).toBe(true);
  });
});
