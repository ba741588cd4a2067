import { defineConfig } from 'vitest/config';

/**
 * What `make mutate` runs for each mutant of `core/release` and `core/routing`: the unit tests of these and of the control
 * plane. The simulations of error rates take too long to be run thousands of times.
 */
export default defineConfig({
  test: {
    include: ['test/unit/{release,routing,control,balancing}/**/*.test.ts'],
    exclude: ['test/unit/release/error-rates.test.ts'],
  },
});
