/**
 * The main job on a real application: TiddlyWiki is upgraded under traffic, crashes, and is taken back, in each of the
 * four modes; then a release that answers errors is rolled back. Ends with 0 when no client request failed and every step happened.
 *
 *   node demo/demo.ts [MODE]      everything by default; ROLLBACK for the bad release alone
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endAll } from './children.ts';
import { Narrator } from './narrator.ts';
import { NEW, OLD, playBadRelease, playUpgrade, type Result, ROLLBACK, SCENARIOS } from './upgrade.ts';
import { installWiki } from './wiki.ts';

const narrator = new Narrator();
const folder = mkdtempSync(join(tmpdir(), 'cutover-demo-'));

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    narrator.say(`\n${signal}: cleaning up`);
    void end(130);
  });
}

main().then(end, (error: Error) => {
  narrator.say(`\nThe demo failed: ${error.message}`, 'red');
  return end(1);
});

async function main(): Promise<number> {
  const asked = (process.argv[2] ?? process.env.MODE ?? '').toUpperCase();
  const scenarios = SCENARIOS.filter((scenario) => asked === '' || scenario.mode === asked);
  const showsRollback = asked === '' || asked === ROLLBACK;
  if (scenarios.length === 0 && !showsRollback) {
    throw new Error(`MODE is ${asked}: it must be INSTANT, SESSION, GRADUAL, CONCURRENT or ROLLBACK`);
  }
  narrator.say(`Cutover upgrades TiddlyWiki ${OLD} to ${NEW}, loses it, and goes back`, 'bold');
  narrator.say('Both versions come from npm; the first time this takes some seconds ...', 'dim');
  await Promise.all([installWiki(OLD), installWiki(NEW)]);
  narrator.say('In the bars # is a browser on the new version and . one on the old', 'dim');
  const results: Result[] = [];
  for (const scenario of scenarios) {
    const place = mkdtempSync(join(folder, `${scenario.mode.toLowerCase()}-`));
    results.push(await playUpgrade(scenario, place, narrator));
  }
  if (showsRollback) {
    results.push(await playBadRelease(mkdtempSync(join(folder, 'rollback-')), narrator));
  }
  const requests = results.reduce((sum, result) => sum + result.requests, 0);
  const failures = results.flatMap((result) => result.failures);
  for (const failure of failures.slice(0, 10)) narrator.say(`  ${failure}`, 'red');
  const modes = [...scenarios.map((scenario) => scenario.mode), ...(showsRollback ? [ROLLBACK] : [])].join(' ');
  narrator.say(`\n${modes}: ${requests} client requests, ${failures.length} failed`, 'bold');
  return failures.length === 0 ? 0 : 1;
}

async function end(code: number): Promise<void> {
  await endAll();
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}
