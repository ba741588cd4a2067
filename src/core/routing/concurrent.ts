import type { ModePolicy } from './policy.ts';

/** CONCURRENT: every request goes to the new version and to the next older ones at once; the newest that behaves answers. */
export const concurrent: ModePolicy = {
  mode: 'CONCURRENT',
  admits: () => true,
  legs: (route, available) => Math.min(route.versions, available),
};
