/** Thousands of worlds, each from its seed. `SEED=n` runs that one alone. */
import { expect, test } from 'vitest';
import { Violation, World } from './world.ts';

const STEPS = 80;
const PER_TEST = 100;
const SEEDS = process.env.CUTOVER_TEST_FULL === '1' ? 100_000 : 3000;
const only = process.env.SEED;

async function run(seed: number): Promise<void> {
  try {
    await new World(seed).run(STEPS);
  } catch (error) {
    const what = error instanceof Violation ? error.message : ((error as Error).stack ?? String(error));
    expect.fail(`Seed ${seed} fails, SEED=${seed} runs it again: ${what}`);
  }
}

if (only !== undefined) {
  test(`seed ${only}`, () => run(Number(only)));
} else {
  test.for(Array.from({ length: SEEDS / PER_TEST }, (_, index) => index * PER_TEST))(
    `${PER_TEST} seeds from %i`,
    async (first) => {
      for (let seed = first; seed < first + PER_TEST; seed += 1) await run(seed);
    },
  );
}
