/** A threshold that each answer raises by very little: who is let through is exact all the same, and it costs next to nothing. */
import { expect, test } from 'vitest';
import { thresholdAfter } from '../../../src/core/release/ramp.ts';
import { spec } from '../release/specs.ts';
import { type FakeWorker, Processes } from './processes.ts';

/** A release in which an answer raises the threshold by so many percent. */
async function releasing(percentagePerRequest: number, workers = 1): Promise<Processes> {
  const processes = new Processes();
  for (let n = 0; n < workers; n += 1) processes.addWorker();
  void processes.controller.start(spec('INSTANT', { version: '1', servers: ['10.0.0.1:80'] }));
  await processes.carry();
  const next = spec('GRADUAL', { version: '2', servers: ['10.0.0.2:80'], percentagePerRequest });
  void processes.controller.submit({ kind: 'put', spec: next, origin: 'rest' });
  await processes.carry();
  return processes;
}

const only = (processes: Processes): FakeWorker => processes.workers[0] as FakeWorker;

/** The lowest bucket that is not let through. */
const bucketAt = (threshold: number): number => Math.ceil(threshold);

test.for([0.004, 0.0007])(
  'at %f percent the very next request is let through when the threshold passes its bucket, and not before',
  async (percentage) => {
    const processes = await releasing(percentage);
    processes.store.keeps = 'everything';
    const worker = only(processes);
    for (let answers = 0; thresholdAfter(percentage, answers) < 5.5; answers += 1) {
      const due = thresholdAfter(percentage, answers);
      expect(bucketAt(worker.threshold)).toBe(bucketAt(due));
      // In the log it is never further from it than this.
      expect(Math.abs(due - worker.threshold)).toBeLessThanOrEqual(0.01);
      worker.report('id-1');
      // One request after the other, a millisecond each.
      await processes.pass(1);
    }
  },
);

test('a table is made for each hundredth of a percent, not for each answer', async () => {
  const processes = await releasing(0.001);
  const worker = only(processes);
  const before = worker.table.number;
  for (let n = 0; n < 1000; n += 1) worker.report('id-1');
  expect(bucketAt(worker.threshold)).toBe(2);
  expect(worker.table.number - before).toBe(100);
});

test('what can be seen by nobody yet is told with the next batch', async () => {
  const processes = await releasing(0.001);
  const worker = only(processes);
  await processes.pass(100);
  const reports = () => worker.up.splice(0).filter(({ kind }) => kind === 'report').length;
  for (let n = 0; n < 9; n += 1) worker.report('id-1');
  await processes.clock.pass(5);
  expect(reports()).toBe(0);
  // A hundredth of a percent.
  worker.report('id-1');
  await processes.clock.pass(5);
  expect(reports()).toBe(1);
  worker.report('id-1');
  await processes.clock.pass(100);
  expect(reports()).toBe(1);
});

test('several workers are at the threshold of all their answers after a batch, at the latest', async () => {
  const processes = await releasing(0.001, 2);
  const [one, two] = processes.workers as [FakeWorker, FakeWorker];
  for (let n = 0; n < 7; n += 1) {
    one.report('id-1');
    two.report('id-1');
  }
  await processes.pass(100);
  expect([one.threshold, two.threshold]).toEqual([thresholdAfter(0.001, 14), thresholdAfter(0.001, 14)]);
});

test('a version is released when the last answer is told', async () => {
  const processes = await releasing(0.004);
  const worker = only(processes);
  for (let n = 0; thresholdAfter(0.004, n) < 100; n += 1) worker.report('id-1');
  await processes.pass(100);
  expect(processes.controller.status('id-2')?.phase).toBe('watching');
});
