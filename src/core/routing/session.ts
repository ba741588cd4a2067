import type { ModePolicy } from './policy.ts';

/**
 * SESSION: who has a session on an older serving version keeps it, everyone else starts on the new one. A cookie that
 * names this version, a newer one, or none that serves is no older session.
 */
export const session: ModePolicy = {
  mode: 'SESSION',
  admits(table, index, facts) {
    const id = facts.sessionId();
    if (id === '') return true;
    const { chain } = table;
    for (let older = index + 1; older < chain.length; older += 1) {
      if (chain[older]?.id === id) return false;
    }
    return true;
  },
  legs: () => 1,
};
