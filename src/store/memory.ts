import type { StorePort } from '../control/ports.ts';

/** Keeps nothing: `"state": null`, and embedding. */
export const memoryStore: StorePort = {
  keeps: 'nothing',
  save: () => Promise.resolve(),
  note: () => {},
};
