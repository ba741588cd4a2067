/**
 * The test driver: every part in order, each with its time budget, and one line of counts at the end.
 *
 * A part that fails hides no other. A part without a test is a failure. Parts never run side by side, so that timing is
 * theirs alone. `node scripts/test.ts [part …]` runs some parts only.
 */
import { readdirSync } from 'node:fs';
import { ensureCommands } from './debian.ts';
import { type Counts, checks, run, vitest } from './test-parts.ts';

/** Debian packages for all parts, by the command that is looked for. */
const DEBIAN = {
  curl: 'curl',
  dockerd: 'docker.io',
  iptables: 'iptables',
  ip: 'iproute2',
  openssl: 'openssl',
  faketime: 'faketime',
  'docker-registry': 'docker-registry',
  'docker-compose': 'docker-compose',
  chromium: 'chromium',
  mariadbd: 'mariadb-server',
  'php8.2': 'php8.2-cli php8.2-mysql',
  unzip: 'unzip',
};
const SECOND_NODE = { version: '26.10.0', folder: '.tools/node26' };

interface Part {
  readonly name: string;
  /** Seconds that it should take at most on two cores. */
  readonly budgetS: number;
  run(): Promise<Counts>;
}

const secondNodePackage = `node-${process.platform}-${process.arch}`;
const secondNode = `${SECOND_NODE.folder}/node_modules/${secondNodePackage}/bin/node`;

const PARTS: readonly Part[] = [
  {
    name: 'set-up',
    budgetS: 240,
    run: () =>
      checks({
        'Debian packages': async () => ensureCommands(DEBIAN),
        'Node 26': bringSecondNode,
        'every test folder has its part': async () => findForgottenFolders(),
      }),
  },
  {
    name: 'static',
    budgetS: 60,
    run: () =>
      checks({
        types: () => run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']),
        'lint and format': () => run('node_modules/.bin/biome', ['check', '--error-on-warnings', '.']),
        'rules to break': () => run(process.execPath, ['scripts/break-rules.ts', '--check']),
        'dead code': () => run(process.execPath, ['node_modules/knip/bin/knip.js', '--no-progress']),
      }),
  },
  {
    name: 'unit and wire',
    budgetS: 210,
    run: () => vitest({ projects: ['unit', 'wire'], limitS: 600, coverage: 'on' }),
  },
  {
    name: 'unit and wire on Node 26',
    budgetS: 150,
    run: () => vitest({ projects: ['unit', 'wire'], limitS: 600, node: secondNode }),
  },
  { name: 'system', budgetS: 240, run: () => vitest({ projects: ['system'], limitS: 900 }) },
  { name: 'simulation', budgetS: 60, run: () => vitest({ projects: ['simulation'], limitS: 3600 }) },
  { name: 'fuzz', budgetS: 45, run: () => vitest({ projects: ['fuzz'], limitS: 3600 }) },
  { name: 'soak', budgetS: 75, run: () => vitest({ projects: ['soak'], limitS: 1200 }) },
  {
    name: 'faults and smuggling',
    budgetS: 240,
    run: () => vitest({ projects: ['faults', 'smuggling'], limitS: 3600 }),
  },
  { name: 'containers', budgetS: 240, run: () => vitest({ projects: ['containers'], limitS: 3600 }) },
];

/** Folders of `test/` that are no part of their own: helpers and data. */
const NO_PARTS = ['kit', 'fixtures'];

const names = process.argv.slice(2);
const chosen = names.length === 0 ? PARTS : PARTS.filter((part) => names.some((name) => part.name.includes(name)));
process.exitCode = await runParts(chosen);

async function runParts(parts: readonly Part[]): Promise<number> {
  const total: Counts = { passed: 0, failed: 0 };
  const summary: string[] = [];
  for (const part of parts) {
    console.log(`\n=== ${part.name}`);
    const start = performance.now();
    const counts = await part.run().catch((error: unknown): Counts => {
      console.error(error);
      return { passed: 0, failed: 1 };
    });
    if (counts.passed + counts.failed === 0) {
      console.error(`Part ${part.name} has no tests`);
      counts.failed = 1;
    }
    const tookS = (performance.now() - start) / 1000;
    total.passed += counts.passed;
    total.failed += counts.failed;
    summary.push(summaryLine(part, counts, tookS));
  }
  console.log(`\n=== summary\n${summary.join('\n')}`);
  if (parts.length === 0) {
    console.error(`No part is named ${names.join(' ')}, there are: ${PARTS.map((part) => part.name).join(', ')}`);
    total.failed += 1;
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

function summaryLine(part: Part, counts: Counts, tookS: number): string {
  const result = `${counts.passed} ok${counts.failed > 0 ? `, ${counts.failed} FAILED` : ''}`;
  const line = `${part.name.padEnd(26)} ${tookS.toFixed(1).padStart(6)} s of ${String(part.budgetS).padStart(3)}   ${result}`;
  return tookS > part.budgetS ? `${line}\n!!! OVER BUDGET: ${part.name}` : line;
}

async function bringSecondNode(): Promise<void> {
  const wanted = `v${SECOND_NODE.version}`;
  const there = await run(secondNode, ['--version'], 'quiet').catch(() => '');
  if (there.trim() === wanted) return;
  const options = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', SECOND_NODE.folder];
  await run('npm', ['install', ...options, `${secondNodePackage}@${SECOND_NODE.version}`]);
}

function findForgottenFolders(): void {
  const folders = readdirSync('test', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const covered = [...NO_PARTS, ...PARTS.flatMap((part) => part.name.split(' '))];
  const forgotten = folders.map((folder) => folder.name).filter((name) => !covered.includes(name));
  if (forgotten.length > 0) throw new Error(`No part runs test/${forgotten.join(', test/')}`);
}
