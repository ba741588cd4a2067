/**
 * The whole proxy under random clients and servers: valid bytes and damaged ones, in any pieces, broken off anywhere. `SEED=n` runs
 * one case, `FUZZ_SECONDS` makes it longer. A case that has failed belongs into `test/fixtures/corpus/`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Chance } from '../kit/chance.ts';
import { call, cluster, listVersions } from '../kit/config-service.ts';
import { startProxy } from '../kit/cutover.ts';
import { type ScriptedServer, startServer } from '../kit/scripted-server.ts';
import { type PlayedRequest, playRequests } from '../unit/http/replay.ts';
import { type Case, drawCase } from './cases.ts';
import { judge } from './judge.ts';
import { play } from './play.ts';

const CORPUS = join(import.meta.dirname, '../fixtures/corpus/proxy');
const { SEED, FUZZ_SECONDS } = process.env;
/** With both, the run begins at the seed. */
const isOne = SEED !== undefined && FUZZ_SECONDS === undefined;
/** The same in each ordinary run; a long one looks for what is new. */
const firstSeed = Number(SEED ?? (FUZZ_SECONDS === undefined ? 1 : Date.now() % 2 ** 31));
const totalMs = Number(FUZZ_SECONDS ?? 10) * 1000;
/** Enough that a machine that is busy with other things still fuzzes. */
const CASES_MIN = 50;
/** After so many cases servers and proxy are new. */
const ROUND = 200;

/** Requests of cases before, which a server may still come to see. */
const EARLIER_MAX = 100;

/** `alone`: one version. Else a second one is on trial in this mode, and stays so whatever it does. */
const SETTINGS = ['alone', 'INSTANT', 'SESSION', 'GRADUAL', 'CONCURRENT'] as const;
type Setting = (typeof SETTINGS)[number];

test.for(SETTINGS)('random clients and servers: %s', { timeout: totalMs + 120_000 }, async (setting) => {
  const endMs = performance.now() + totalMs / SETTINGS.length;
  let cases = 0;
  while (cases < (isOne ? 1 : CASES_MIN) || (!isOne && performance.now() < endMs)) {
    const world = await startWorld(setting);
    for (let n = 0; n < ROUND && (!isOne || n === 0); n += 1) {
      const seed = firstSeed + cases;
      const drawn = drawCase(`c${seed}`, new Chance(seed));
      await world.run(drawn, `SEED=${seed}`);
      cases += 1;
      if (cases >= CASES_MIN && performance.now() >= endMs) break;
    }
    await world.end();
  }
  console.info(`fuzz: ${setting}: ${cases} cases from SEED=${firstSeed}`);
});

test.for(SETTINGS)('what was found once: %s', async (setting) => {
  const world = await startWorld(setting);
  const files = readdirSync(CORPUS).filter((name) => name.endsWith('.json'));
  for (const file of files) await world.run(fromText(readFileSync(join(CORPUS, file), 'utf8')), file);
  await world.end();
  expect(files.length).toBeGreaterThan(0);
});

interface World {
  run(played: Case, name: string): Promise<void>;
  end(): Promise<void>;
}

async function startWorld(setting: Setting): Promise<World> {
  const old = await startServer();
  const proxy = await startProxy(cluster('1', [old]), { ignorePaths: ['/canary'] });
  const servers: ScriptedServer[] = [old];
  if (setting !== 'alone') {
    const next = await startServer();
    servers.push(next);
    const verdict = { consecutive: 1000, falseAlarm: 0.0001, minRequests: 1_000_000 };
    const gradual = setting === 'GRADUAL' ? { percentageTransitionPerRequest: 0.1 } : {};
    await proxy.put(cluster('2', [next], { mode: setting, verdict, ...gradual }));
  }
  let earlier: readonly PlayedRequest[] = [];
  const ids = (await listVersions(proxy.configPort)).map(({ uuid }) => uuid);
  return {
    async run(played, name) {
      const { messages } = playRequests(played.client.text);
      try {
        const seen = await play(proxy.port, servers, played, messages);
        judge(played, seen, { messages, earlier, versionsAtOnce: setting === 'CONCURRENT' ? 2 : 1 });
        for (const { violations } of servers) if (violations[0] !== undefined) throw violations[0];
      } catch (error) {
        throw new Error(`${name} fails (${setting}): ${written(played)}`, { cause: error });
      }
      earlier = [...messages, ...earlier].slice(0, EARLIER_MAX);
    },
    /** Nothing is left in flight, and the next client is served. */
    async end() {
      for (const id of ids) while ((await inFlight(proxy.configPort, id)) > 0) {}
      for (const server of servers)
        server.script = (arrival) => arrival.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      const answer = await fetch(`http://127.0.0.1:${proxy.port}/canary`);
      expect([answer.status, await answer.text()]).toEqual([200, 'ok']);
      await proxy.close();
      for (const server of servers) await server.stop();
    },
  };
}

async function inFlight(configPort: number, id: string): Promise<number> {
  const { status, text } = await call(configPort, 'GET', `/${id}/status`);
  return status === 200 ? (JSON.parse(text) as { inFlight: number }).inFlight : 0;
}

/** A case as one line: what fills long bodies is given by its length. */
function written(played: Case): string {
  return JSON.stringify(played).replaceAll(/x{100,}/g, ({ length }) => `<${length} x>`);
}

function fromText(text: string): Case {
  return JSON.parse(text.replaceAll(/<(\d+) x>/g, (_, count) => 'x'.repeat(Number(count)))) as Case;
}
