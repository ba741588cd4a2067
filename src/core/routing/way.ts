import type { Route, Way } from './table.ts';

/** What a request has met that came by these versions, the newest first. */
export function wayAlong(met: readonly Route[]): Way {
  return Object.freeze({
    gradual: met.some(({ mode }) => mode === 'GRADUAL'),
    sessionTimeoutS: met.find(({ sessionTimeoutS }) => sessionTimeoutS > 0)?.sessionTimeoutS ?? 0,
  });
}
