import type { ModePolicy } from './policy.ts';

/** INSTANT: all traffic moves at once. */
export const instant: ModePolicy = {
  mode: 'INSTANT',
  admits: () => true,
  legs: () => 1,
};
