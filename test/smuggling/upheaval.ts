/** Versions that come and go while a corpus runs: released one after the other, or taken back one after the other. */
import { expect } from 'vitest';
import { call, cluster, remove } from '../kit/config-service.ts';
import type { RunningCutover } from '../kit/cutover.ts';
import { resets, type ScriptedServer, startServer } from '../kit/scripted-server.ts';

export interface Upheaval {
  /** How many versions have come and gone. */
  readonly rounds: number;
  /** Stops after the present round. */
  end(): Promise<void>;
}

const MODES = [
  { mode: 'INSTANT' },
  { mode: 'GRADUAL', percentageTransitionPerRequest: 5 },
  { mode: 'SESSION', sessionTimeout: 1 },
] as const;

/** Requests that the servers get between one release and the next. */
const REQUESTS_BETWEEN = 15;

/** Releases versions on these servers in turn and in every mode, and deletes the ones before. */
export function releaseOnAndOn(proxy: RunningCutover, servers: readonly ScriptedServer[]): Upheaval {
  let before = '';
  const arrivedAll = () => servers.reduce((sum, { arrivals }) => sum + arrivals.length, 0);
  return onAndOn(async (round, ending) => {
    const server = servers[(round + 1) % servers.length] as ScriptedServer;
    const id = await proxy.put(cluster(`2.${round}`, [server], MODES[round % MODES.length]));
    await call(proxy.configPort, 'POST', `/${id}/promote`);
    if (before !== '') await remove(proxy.configPort, before);
    before = id;
    const goal = arrivedAll() + REQUESTS_BETWEEN;
    await Promise.race([ending, ...servers.map((each) => each.until(() => arrivedAll() >= goal))]);
  });
}

/** Puts versions that fail, by turns one that refuses connections and one that resets them, and waits until each is out. */
export function rollBackOnAndOn(proxy: RunningCutover): Upheaval {
  const failing: ScriptedServer[] = [];
  const upheaval = onAndOn(async (round, ending) => {
    const server = await startServer(resets);
    failing.push(server);
    const version = `2.${round}`;
    const out = proxy.log.line(
      'WARNING',
      new RegExp(`^Release of version ${version.replace('.', '\\.')} .* is over: failed`),
    );
    await proxy.put(cluster(version, [server], MODES[round % MODES.length]));
    if (round % 2 === 0) await server.stop();
    await Promise.race([out, ending]);
  });
  return {
    get rounds() {
      return upheaval.rounds;
    },
    end: async () => {
      await upheaval.end();
      for (const server of failing) expect(server.targets).not.toContain('/smuggled');
    },
  };
}

function onAndOn(turn: (round: number, ending: Promise<void>) => Promise<void>): Upheaval {
  const ending = Promise.withResolvers<void>();
  let over = false;
  let rounds = 0;
  const all = (async () => {
    for (; !over; rounds += 1) await turn(rounds, ending.promise);
  })();
  // A turn that fails is told by `end`.
  all.catch(() => {});
  return {
    get rounds() {
      return rounds;
    },
    end: async () => {
      over = true;
      ending.resolve();
      await all;
    },
  };
}
