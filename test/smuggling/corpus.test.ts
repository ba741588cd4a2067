/**
 * Requests that want to be understood in two ways: idle, during releases and during rollbacks. Each is judged by the bytes
 * that reached the servers, by what its client was answered, and by whether the next client got its own answer.
 */
import { describe, expect, test } from 'vitest';
import { cluster } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { type Case, inCompany } from './case.ts';
import { chunks } from './corpus/chunks.ts';
import { codings } from './corpus/codings.ts';
import { lengths } from './corpus/lengths.ts';
import { lines } from './corpus/lines.ts';
import { options } from './corpus/options.ts';
import { targets } from './corpus/targets.ts';
import { judge, type Rig } from './judge.ts';
import { startRecorder } from './recorder.ts';
import { releaseOnAndOn, rollBackOnAndOn, type Upheaval } from './upheaval.ts';

const corpus: Readonly<Record<string, readonly Case[]>> = { lengths, codings, chunks, lines, targets, options };
const families = Object.entries(corpus);

async function complaintsOf(rig: Rig, cases: readonly Case[]): Promise<readonly string[]> {
  const complaints: string[] = [];
  for (const one of cases) complaints.push(...(await judge(rig, one)));
  return complaints;
}

/** Versions that come and go while a family runs: it runs again until it has seen so many. */
const ROUNDS_MIN = 3;

async function complaintsThroughout(rig: Rig, cases: readonly Case[], upheaval: Upheaval): Promise<readonly string[]> {
  const complaints: string[] = [];
  do complaints.push(...(await complaintsOf(rig, cases)));
  while (upheaval.rounds < ROUNDS_MIN && complaints.length === 0);
  await upheaval.end();
  return complaints;
}

test('there are many, and each has a name of its own', () => {
  const names = families.flatMap(([family, cases]) => cases.map(({ name }) => `${family}: ${name}`));
  expect(names.length).toBeGreaterThan(500);
  expect(new Set(names).size).toBe(names.length);
});

describe('with one version', () => {
  test.for(families)('%s', async ([, cases]) => {
    const recorder = await startRecorder();
    const { port } = await startProxy(cluster('1', [recorder.server]));
    const rig: Rig = { port, recorders: [recorder], versions: 'answer', asks: 'one' };
    expect(await complaintsOf(rig, cases.flatMap(inCompany))).toEqual([]);
  });
});

describe('while versions are released', () => {
  test.for(families)('%s', async ([, cases]) => {
    const recorders = [await startRecorder(), await startRecorder()] as const;
    const proxy = await startProxy(cluster('1', [recorders[0].server]));
    const upheaval = releaseOnAndOn(
      proxy,
      recorders.map(({ server }) => server),
    );
    const rig: Rig = { port: proxy.port, recorders, versions: 'answer', asks: 'one' };
    expect(await complaintsThroughout(rig, cases, upheaval)).toEqual([]);
  });
});

describe('while versions are taken back', () => {
  test.for(families)('%s', async ([, cases]) => {
    const recorder = await startRecorder();
    const proxy = await startProxy(cluster('1', [recorder.server]));
    const upheaval = rollBackOnAndOn(proxy);
    const rig: Rig = { port: proxy.port, recorders: [recorder], versions: 'fail', asks: 'one' };
    expect(await complaintsThroughout(rig, cases, upheaval)).toEqual([]);
  });
});

/** Each request goes to both versions, but for those that offer an upgrade. */
describe('while two versions are asked at once', () => {
  test.for(families)('%s', async ([, cases]) => {
    const recorders = [await startRecorder(), await startRecorder()] as const;
    const proxy = await startProxy(cluster('1', [recorders[0].server]));
    await proxy.put(cluster('2', [recorders[1].server], { mode: 'CONCURRENT', compare: { sample: 0 } }));
    const rig: Rig = { port: proxy.port, recorders, versions: 'answer', asks: 'all' };
    const forBoth = cases.filter(({ bytes }) => !/upgrade/i.test(bytes));
    expect(await complaintsOf(rig, forBoth)).toEqual([]);
  });
});
