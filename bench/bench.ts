/**
 * What a request costs, beside other proxies that do the same on the same machine in the same run.
 *
 * `node bench/bench.ts [--cases small,1m] [--peers HAProxy,Cutover] [--rounds 5] [--seconds 2] [--quick]`. A whole run writes
 * docs/performance.md; with a choice of cases or peers, or quick, the result is printed only.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureCommands } from '../scripts/debian.ts';
import { freePort } from '../test/kit/ports.ts';
import { CASES } from './cases.ts';
import type { Bench } from './measure.ts';
import { FAR, NEAR } from './peers.ts';
import { outputOf, type Running } from './process.ts';
import { proveCorrect } from './proof.ts';
import { targetTable, writePage } from './report/page.ts';
import type { Section } from './report/section.ts';
import { startUpstream } from './upstream.ts';

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    /** One short round of the near peers: to see that all works, and roughly how things stand. */
    quick: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
const seconds = Number(options.seconds ?? (options.quick ? 1 : 2));
const cases = choose(CASES, options.cases);
const near = choose(NEAR, options.peers);
const far = options.quick && options.peers === undefined ? [] : choose(FAR, options.peers);
const isWhole = options.cases === undefined && options.peers === undefined && !options.quick;

process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
ensureCommands(Object.assign({ wrk: 'wrk', nginx: 'nginx-light' }, ...[...near, ...far].map((peer) => peer.packages)));
await bench();

async function bench(): Promise<void> {
  const begunMs = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'cutover-bench-'));
  let upstream: Running | null = null;
  try {
    const upstreamPorts = [await freePort(), await freePort()] as const;
    const upstreamFolder = join(folder, 'upstream');
    mkdirSync(upstreamFolder);
    upstream = await startUpstream(upstreamFolder, upstreamPorts);
    await proveCorrect('upstream', upstreamPorts[0]);
    const sections = await run({ rounds, seconds, near, far, upstreamPorts, folder, started: new Set() });
    console.log(`\n## What must be reached\n\n${targetTable(sections.flatMap((section) => section.targets))}`);
    const tookMs = performance.now() - begunMs;
    console.log(`\nTook ${Math.round(tookMs / 1000)} s`);
    if (!isWhole) return;
    const versions = [...[...near, ...far].map((peer) => peer.version()), outputOf('wrk', ['-v']).split('\n')[0] ?? ''];
    const args = process.argv.slice(2).join(' ');
    const command = args === '' ? 'make bench' : `make bench ARGS="${args}"`;
    writePage(sections, { command, versions, rounds, seconds, tookMs });
    console.log('Written to docs/performance.md');
  } finally {
    await upstream?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(context: Bench): Promise<readonly Section[]> {
  const sections: Section[] = [];
  for (const one of cases) {
    console.log(`\n${one.name}`);
    const section = await one.run(context).catch((error: unknown) => failed(one.name, error));
    await Promise.all([...context.started].map((running) => running.stop()));
    context.started.clear();
    console.log(`\n## ${section.title}\n\n${section.text}`);
    sections.push(section);
  }
  return sections;
}

/** A case that can't be measured spoils no other, but the bench has failed. */
function failed(name: string, error: unknown): Section {
  console.error(error);
  process.exitCode = 1;
  const reason = error instanceof Error ? error.message : String(error);
  return { title: `Not measured: ${name}`, text: `\`\`\`\n${reason.trim()}\n\`\`\``, targets: [] };
}

function choose<T extends { readonly name: string }>(all: readonly T[], names: string | undefined): readonly T[] {
  if (names === undefined) return all;
  const chosen = names.toLowerCase().split(',');
  return all.filter(({ name }) => chosen.includes(name.toLowerCase()));
}
