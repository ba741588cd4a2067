/** Control and its workers: tables are acknowledged, everything counts once, and a threshold is exact over the process border. */
import { expect, test } from 'vitest';
import { thresholdAfter } from '../../../src/core/release/ramp.ts';
import type { FromWorker, ReportEntry } from '../../../src/processes/messages.ts';
import { settled } from '../control/fakes.ts';
import { spec } from '../release/specs.ts';
import { type FakeWorker, Processes } from './processes.ts';

const FIRST = spec('INSTANT', { version: '1', servers: ['10.0.0.1:80'] });
const GRADUAL = spec('GRADUAL', { version: '2', servers: ['10.0.0.2:80'] });

async function started(workers = 1): Promise<Processes> {
  const processes = new Processes();
  for (let n = 0; n < workers; n += 1) processes.addWorker();
  void processes.controller.start(FIRST);
  await processes.carry();
  return processes;
}

async function put(processes: Processes, cluster = GRADUAL): Promise<string> {
  const put = processes.controller.submit({ kind: 'put', spec: cluster, origin: 'rest' });
  await processes.carry();
  const result = await put;
  if (result.kind !== 'accepted') throw new Error(result.reason);
  return result.id;
}

const only = (processes: Processes): FakeWorker => processes.workers[0] as FakeWorker;
const isReport = (message: FromWorker) => message.kind === 'report';

/** Of all reports that have not been delivered; they never will be. */
function entriesOf(worker: FakeWorker): readonly ReportEntry[] {
  return worker.up.splice(0).flatMap((message) => (message.kind === 'report' ? message.entries : []));
}

test('a PUT is answered when each worker has acknowledged; one that dies does not hold it up', async () => {
  const processes = await started(2);
  let answered = false;
  const putting = processes.controller
    .submit({ kind: 'put', spec: { ...FIRST, version: '2' }, origin: 'rest' })
    .then(() => {
      answered = true;
    });
  const [quick, slow] = processes.workers as [FakeWorker, FakeWorker];
  while (slow.down.length === 0) await processes.clock.pass(5);
  for (const message of quick.down.splice(0)) quick.end.take(message);
  for (const message of quick.up.splice(0)) processes.fleet.receive(quick.id, message);
  await processes.clock.pass(100);
  expect(answered).toBe(false);
  processes.killWorker(slow);
  await putting;
  expect(quick.table.chain.map(({ version }) => version)).toEqual(['2', '1']);
});

test('a worker that does not acknowledge is told of, once', async () => {
  const processes = await started(2);
  const [, stuck] = processes.workers as [FakeWorker, FakeWorker];
  void processes.controller.submit({ kind: 'put', spec: { ...FIRST, version: '2' }, origin: 'rest' });
  await processes.clock.pass(31_000);
  expect(processes.hung).toContain(stuck.id);
});

test("what a control before sent is acknowledged to the next one in vain: that waits for its own table's", async () => {
  const processes = new Processes();
  const worker = processes.addWorker();
  void processes.fleet.begin();
  await settled();
  const before = worker.down.splice(0);
  await processes.clock.pass(1);
  processes.beginControl();
  let isInForce = false;
  const published = processes.fleet.begin().then(() => {
    isInForce = true;
  });
  for (const message of before) worker.end.take(message);
  for (const message of worker.up.splice(0)) processes.fleet.receive(worker.id, message);
  await settled();
  expect(isInForce).toBe(false);
  await processes.carry();
  await published;
});

test('a worker that comes gets the table in force, and is ready with it', async () => {
  const processes = await started();
  await put(processes);
  const late = processes.addWorker();
  expect(late.ready).toBe(false);
  await processes.carry();
  expect([late.ready, late.table.chain.map(({ version }) => version)]).toEqual([true, ['2', '1']]);
});

test('where nothing serves yet, a worker is ready all the same: a first version may have its containers to start', async () => {
  const processes = new Processes();
  const worker = processes.addWorker();
  await processes.carry();
  expect(worker.ready).toBe(false);
  const begun = processes.fleet.begin();
  await processes.carry();
  await begun;
  expect([worker.ready, worker.table.chain]).toEqual([true, []]);
});

test('routes that did not change stay the same objects', async () => {
  const processes = await started();
  const [before] = only(processes).table.chain;
  await put(processes);
  expect(only(processes).table.chain[1]).toBe(before);
});

test('outcomes are told in one batch within 100 ms; a failure at once, after the answers before it', async () => {
  const processes = await started();
  const worker = only(processes);
  for (let n = 0; n < 1000; n += 1)
    worker.report('id-1', 'answered', { server: `10.0.0.${n % 2}:80`, latencyMs: n % 2 });
  worker.report('id-1', 'answered', { server: '10.0.0.2:80', direct: false, latencyMs: 0.5 });
  worker.report('id-1', 'answered', { server: '10.0.0.3:80', counts: false });
  await processes.clock.pass(99);
  expect(worker.up.filter(isReport)).toEqual([]);
  await processes.clock.pass(2);
  const batch = { count: 1001, direct: 1000, servers: ['10.0.0.0:80', '10.0.0.1:80', '10.0.0.2:80'], latencyMs: 0.5 };
  expect(entriesOf(worker)).toEqual([
    { kind: 'answers', answers: expect.objectContaining({ versionId: 'id-1', ramp: null, ...batch }) },
  ]);
  worker.report('id-1');
  worker.report('id-1', 'reset');
  worker.report('id-1', 'reset');
  worker.report('id-1');
  await processes.clock.pass(5);
  expect(entriesOf(worker).map((entry) => [entry.kind, 'count' in entry ? entry.count : 1])).toEqual([
    ['answers', 1],
    ['outcome', 2],
    ['answers', 1],
  ]);
});

test('of the figures a report says what changed, and no more', async () => {
  const processes = await started();
  const worker = only(processes);
  worker.of('id-1').inFlight = 1;
  worker.report('id-1');
  await processes.clock.pass(100);
  worker.of('id-1').inFlight = 0;
  worker.report('id-1', 'abandoned');
  await processes.clock.pass(100);
  const told = worker.up.flatMap((message) => (message.kind === 'report' ? message.figures : []));
  expect(told.slice(-2)).toEqual([
    { versionId: 'id-1', attempts: 1, exchanges: 1, answered: 1, inFlight: 1 },
    { versionId: 'id-1', attempts: 1, exchanges: 1, failed: 1, inFlight: 0 },
  ]);
  await processes.carry();
  expect(processes.fleet.figures('id-1')).toMatchObject({ attempts: 2, answered: 1, failed: 1, inFlight: 0 });
});

test("a server's answer ends its row of failures, whichever worker had them", async () => {
  const servers = ['10.0.0.1:80', '10.0.0.2:80'] as const;
  const failures = async (answered: boolean) => {
    const processes = await started(2);
    const id = await put(processes, { ...FIRST, version: '2', servers: spec('INSTANT', { servers }).servers });
    const [one, two] = processes.workers as [FakeWorker, FakeWorker];
    for (let n = 0; n < 2; n += 1) one.find(id, 'unpaired', servers[0]);
    await processes.pass(5);
    if (answered) two.report(id, 'answered', { server: servers[0] });
    await processes.pass(100);
    one.find(id, 'unpaired', servers[0]);
    await processes.pass(5);
    return one.table.chain[0]?.servers.map(({ key }) => key);
  };
  expect(await failures(true)).toEqual(servers);
  expect(await failures(false)).toEqual(servers.slice(1));
});

test('each request counts once, whoever answered it and whatever became of it', async () => {
  const processes = await started(2);
  const [one, two] = processes.workers as [FakeWorker, FakeWorker];
  for (let n = 0; n < 30; n += 1) one.report('id-1');
  for (let n = 0; n < 12; n += 1) two.report('id-1');
  two.of('id-1').inFlight = 3;
  await processes.pass(100);
  expect(processes.fleet.figures('id-1')).toMatchObject({ answered: 42, exchanges: 42, inFlight: 3 });
  processes.killWorker(two);
  expect(processes.fleet.figures('id-1')).toMatchObject({ answered: 42, inFlight: 0 });
  processes.addWorker().report('id-1');
  one.report('id-1');
  await processes.pass(100);
  expect(processes.fleet.figures('id-1')).toMatchObject({ answered: 44 });
});

test('what is in flight when a version leaves is known before it can be found drained', async () => {
  const processes = await started();
  const id = await put(processes, { ...FIRST, version: '2' });
  // Not reported yet.
  only(processes).of(id).inFlight = 1;
  const deleting = processes.controller.submit({ kind: 'delete', id });
  await processes.carry();
  await deleting;
  expect(processes.controller.status(id)).toMatchObject({ phase: 'draining', inFlight: 1 });
  await processes.pass(1000);
  expect(processes.controller.status(id)?.phase).toBe('draining');
  only(processes).of(id).inFlight = 0;
  await processes.pass(500);
  expect(processes.controller.status(id)?.phase).toBe('retired');
});

test('while no control is there outcomes wait; the next one counts them, and no other', async () => {
  const processes = await started();
  const worker = only(processes);
  for (let n = 0; n < 5; n += 1) worker.report('id-1');
  await processes.pass(100);
  worker.end.hush();
  for (let n = 0; n < 7; n += 1) worker.report('id-1');
  await processes.clock.pass(500);
  expect(worker.up.filter(isReport)).toEqual([]);
  processes.beginControl(processes.store.saved.at(-1) ?? null);
  await processes.pass(100);
  expect(processes.fleet.figures('id-1')).toMatchObject({ answered: 7 });
});

test.for([0.1, 1, 3, 12.5])(
  'the only worker raises a threshold of %d %% with each answer, as one process would',
  async (percentage) => {
    const processes = await started();
    await put(processes, spec('GRADUAL', { version: '2', servers: ['10.0.0.2:80'], percentagePerRequest: percentage }));
    const worker = only(processes);
    // Nothing is carried meanwhile: the next request can be quicker than any message.
    for (let answers = 0; answers < 5; answers += 1) {
      expect(worker.threshold).toBe(thresholdAfter(percentage, answers));
      worker.report('id-1');
    }
    await processes.pass(5);
    for (let answers = 5; thresholdAfter(percentage, answers) < 100 && answers < 400; answers += 1) {
      expect(worker.threshold).toBe(thresholdAfter(percentage, answers));
      worker.report('id-1');
      // Messages cross each other in every way.
      if (answers % 3 === 0) await processes.clock.pass(5);
      if (answers % 5 === 0) await processes.carry();
    }
    await processes.pass(5);
    const raised = processes.controller.status('id-2')?.threshold;
    expect(percentage < 1 ? raised : 'released').toBe(percentage < 1 ? worker.threshold : 'released');
  },
);

test('with a state to come back to it goes no further than what is durable', async () => {
  const processes = await started();
  processes.store.keeps = 'everything';
  await put(processes);
  const { promise, resolve } = Promise.withResolvers<void>();
  processes.store.gate = promise;
  const worker = only(processes);
  for (let n = 0; n < 20; n += 1) worker.report('id-1');
  await processes.pass(5);
  const durable = processes.store.saved.at(-1)?.versions[0]?.threshold ?? 0;
  expect(durable).toBeLessThan(20);
  expect(worker.threshold).toBe(durable);
  resolve();
  await processes.pass(5);
  expect(worker.threshold).toBe(21);
});

test('several workers follow control: all are at the same threshold, and none is ahead', async () => {
  const processes = await started(2);
  await put(processes);
  const [one, two] = processes.workers as [FakeWorker, FakeWorker];
  for (let n = 0; n < 3; n += 1) one.report('id-1');
  two.report('id-1');
  expect([one.threshold, two.threshold]).toEqual([1, 1]);
  await processes.pass(5);
  expect([one.threshold, two.threshold]).toEqual([5, 5]);
});

test('a second worker begins only when the first one raises nothing by itself any more', async () => {
  const processes = await started();
  await put(processes);
  const one = only(processes);
  for (let n = 0; n < 3; n += 1) one.report('id-1');
  const two = processes.addWorker();
  await processes.clock.pass(5);
  expect(two.down).toEqual([]);
  await processes.carry();
  expect([one.threshold, two.threshold]).toEqual([4, 4]);
  one.report('id-1');
  expect(one.threshold).toBe(4);
  await processes.pass(5);
  expect([one.threshold, two.threshold]).toEqual([5, 5]);
});

test('after a failure of its own the worker waits for control, which may hold the ramp', async () => {
  const processes = await started();
  const id = await put(processes);
  const worker = only(processes);
  worker.report('id-1');
  worker.find(id, 'unpaired');
  worker.report('id-1');
  expect(worker.threshold).toBe(2);
  await processes.pass(5);
  expect(processes.controller.status(id)?.verdict?.kind).toBe('inconclusive');
  worker.report('id-1');
  await processes.pass(5);
  expect([worker.threshold, processes.controller.status(id)?.threshold]).toEqual([2, 2]);
});

test('a release that is paused stands still once the command is answered, and no threshold falls', async () => {
  const processes = await started();
  const id = await put(processes);
  const worker = only(processes);
  worker.report('id-1');
  const pausing = processes.controller.submit({ kind: 'pause', id, reason: null });
  await processes.clock.pass(0);
  // An answer that crosses the command on its way.
  worker.report('id-1');
  await processes.carry();
  await pausing;
  const paused = worker.threshold;
  expect(paused).toBeGreaterThanOrEqual(2);
  for (let n = 0; n < 3; n += 1) worker.report('id-1');
  await processes.pass(5);
  expect(worker.threshold).toBe(paused);
});

test('answers that were given before a ramp began raise nothing, however late they are told', async () => {
  const processes = await started();
  for (let n = 0; n < 5; n += 1) only(processes).report('id-1');
  const id = await put(processes);
  await processes.pass(200);
  expect([only(processes).threshold, processes.controller.status(id)?.threshold]).toEqual([1, 1]);
});

test('what workers count is added up once, and stays when a worker or control ends', async () => {
  const processes = await started(2);
  const [one, two] = processes.workers as [FakeWorker, FakeWorker];
  const counted = () => {
    const { headerTimeouts, 'ownAnswers.503': unavailable, buffersFull } = processes.tally.state.values;
    return { headerTimeouts, unavailable, buffersFull };
  };
  one.counters.headerTimeouts = 2;
  two.counters.headerTimeouts = 3;
  two.counters.ownAnswers[503] = 1;
  await processes.pass(200);
  expect(counted()).toEqual({ headerTimeouts: 5, unavailable: 1, buffersFull: 0 });
  processes.killWorker(two);
  one.counters.headerTimeouts += 4;
  await processes.pass(1100);
  expect(counted()).toEqual({ headerTimeouts: 9, unavailable: 1, buffersFull: 0 });

  const { sinceMs } = processes.tally.state;
  for (const worker of processes.workers) worker.end.hush();
  one.counters.headerTimeouts += 1;
  processes.beginControl(processes.controller.state());
  await processes.pass(200);
  expect(counted()).toEqual({ headerTimeouts: 10, unavailable: 1, buffersFull: 0 });
  expect(processes.tally.state.sinceMs).toBe(sinceMs);
});
