import type { StorePort } from '../control/ports.ts';

/** Keeps nothing: `"state": null`, and embedding. */
export const memoryStore: StorePort = {
  save: () => Promise.resolve(),
  note: () => {},
};
