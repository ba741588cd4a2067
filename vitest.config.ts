import { defineConfig } from 'vitest/config';

/** An engine takes its time to start and to stop. */
const patient = { testTimeout: 60_000, hookTimeout: 60_000 } as const;

/** Tests that open sockets run file by file, so that their timing is their own. */
const oneByOne = { fileParallelism: false, maxWorkers: 1 } as const;

function project(name: string, order: number, options: object = {}) {
  return {
    test: { name, include: [`test/${name}/**/*.test.ts`], sequence: { groupOrder: order }, ...options },
  };
}

export default defineConfig({
  test: {
    projects: [
      project('unit', 0),
      project('wire', 1, { ...oneByOne, testTimeout: 10_000 }),
      project('system', 2, { ...oneByOne, testTimeout: 60_000, hookTimeout: 60_000 }),
      project('simulation', 0, { testTimeout: 60_000 }),
      project('faults', 3, { ...oneByOne, testTimeout: 60_000 }),
      project('containers', 4, {
        ...oneByOne,
        ...patient,
        globalSetup: 'test/kit/engine.ts',
        setupFiles: 'test/kit/no-keep-alive.ts',
      }),
      project('fuzz', 6, { ...oneByOne, testTimeout: 60_000 }),
      project('soak', 5, { ...oneByOne, testTimeout: 1_200_000 }),
      project('smuggling', 6, { ...oneByOne, testTimeout: 60_000 }),
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html'],
      reportsDirectory: 'coverage',
    },
  },
});
