/**
 * What a request costs, beside other proxies that do the same on the same machine in the same run.
 *
 * `node bench/bench.ts [--peers haproxy,cutover] [--cases small] [--rounds 5] [--seconds 4]`; with a choice of peers or
 * cases the result is printed only, else it is also written to docs/performance.md. The first peer is the yardstick.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureCommands } from '../scripts/debian.ts';
import { CASES, type Case } from './cases.ts';
import { cutover } from './peers/cutover.ts';
import { haproxy } from './peers/haproxy.ts';
import { nginx, startUpstream } from './peers/nginx.ts';
import type { Peer } from './peers/peer.ts';
import { freePort, outputOf, type Running } from './process.ts';
import { proveCorrect } from './proof.ts';
import { type CaseResult, page, type Round, table } from './report.ts';
import { wrk } from './wrk.ts';

const PEERS: readonly Peer[] = [haproxy, cutover, nginx];
const WARM_UP_SECONDS = 2;
const PAGE = join(import.meta.dirname, '../docs/performance.md');

interface Contender {
  readonly peer: Peer;
  readonly port: number;
  readonly running: Running;
}

const { values: options } = parseArgs({
  options: {
    peers: { type: 'string' },
    cases: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const peers = choose(PEERS, options.peers);
const cases = choose(CASES, options.cases);

ensureCommands(Object.assign({ wrk: 'wrk', nginx: 'nginx-light' }, ...peers.map((peer) => peer.packages)));
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
await bench();

async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-bench-'));
  const running: Running[] = [];
  try {
    const upstreamPort = await freePort();
    running.push(await startUpstream(folderIn(folder, 'upstream'), upstreamPort));
    await proveCorrect('upstream', upstreamPort);
    const contenders: Contender[] = [];
    for (const peer of peers) {
      const port = await freePort();
      const started = await peer.start({ folder: folderIn(folder, peer.name), port, upstreamPort });
      running.push(started);
      await proveCorrect(peer.name, port);
      contenders.push({ peer, port, running: started });
    }
    const results: CaseResult[] = [];
    for (const measured of cases) results.push(await measure(measured, contenders));
    if (options.peers === undefined && options.cases === undefined) writePage(results);
  } finally {
    await Promise.all(running.map((process) => process.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(measured: Case, contenders: readonly Contender[]): Promise<CaseResult> {
  console.log(`\n${measured.title}: ${rounds} rounds of ${seconds} s`);
  const results = contenders.map((contender) => ({ contender, peer: contender.peer.name, rounds: [] as Round[] }));
  for (const { port } of contenders) await wrk(port, measured, WARM_UP_SECONDS);
  for (let number = 1; number <= rounds; number += 1) {
    for (const { contender, peer, rounds: taken } of results) {
      const before = contender.running.cpuUs();
      const load = await wrk(contender.port, measured, seconds);
      const cpuUs = (contender.running.cpuUs() - before) / load.requests;
      taken.push({ ...load, cpuUs });
      console.log(
        `  round ${number} ${peer.padEnd(10)} ${cpuUs.toFixed(1)} µs  ${load.perSecond.toFixed(0)} requests/s`,
      );
    }
  }
  const command = `wrk -t1 -c${measured.connections} -d${seconds}s --latency http://127.0.0.1:PORT${measured.path}`;
  const result: CaseResult = { title: measured.title, command, results };
  console.log(`\n${table(result)}`);
  return result;
}

function writePage(results: readonly CaseResult[]): void {
  const versions = [...peers.map((peer) => peer.version()), outputOf('wrk', ['-v']).split('\n')[0] ?? ''];
  const date = new Date().toISOString().slice(0, 10);
  mkdirSync(join(PAGE, '..'), { recursive: true });
  writeFileSync(PAGE, page(results, { date, versions, rounds, seconds }));
  console.log('\nWritten to docs/performance.md');
}

function folderIn(parent: string, name: string): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  return folder;
}

function choose<T extends { readonly name: string }>(all: readonly T[], names: string | undefined): readonly T[] {
  if (names === undefined) return all;
  return names.split(',').map((name) => {
    const found = all.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (found === undefined) throw new Error(`${name} is none of ${all.map((one) => one.name).join(', ')}`);
    return found;
  });
}
